import type { StartDecision } from '../action/definition.ts';
import { maskAction } from '../action/mask.ts';
import { type Action, type ActionList, indexActions, type Variables } from '../model/action.ts';
import {
  type Activeflow,
  type ActiveflowEventType,
  type ActiveflowSnapshot,
  type ActiveflowState,
  type Answer,
  type ErrorData,
  FINISH,
  type Moved,
  type Outbox,
  type PendingEvent,
  type Position,
  type Run,
  type Stack,
  type Wait,
} from '../model/activeflow.ts';
import { maskCallbacks, type TakenArrival } from '../model/callback.ts';
import { NIL } from '../model/id.ts';
import type { Json } from '../model/json.ts';
import { type Outcome, TraceLines, type TraceStep, traceAfter } from '../model/trace.ts';
import type { WorkflowAnswer } from '../model/workflow.ts';
import type { Writable } from '../model/writable.ts';
import { following, keepReachable, outward } from './stacks.ts';
import { formatTime, type World } from './world.ts';

/** A list of actions that must be stored before the commit that names it. */
export interface NewList {
  readonly key: string;
  readonly actions: readonly Action[];
}

/** An activeflow that the next commit starts. */
export interface Start extends StartDecision {
  readonly id: string;
}

/**
 * An activeflow while one transition is decided: the only mutable thing in the engine. It starts from a row,
 * collects what changes, and turns into the next row. Two drafts of one row share nothing. Long as it is, all in one place:
 * what is changed nowhere else need not be looked for anywhere else.
 */
export class Draft {
  base: Activeflow;
  status: Activeflow['status'];
  current: Action;
  current_stack_id: string;
  stacks: readonly Stack[];
  forward: Position | null;
  previous: string;
  step: number;
  loops: { readonly [place: string]: number };
  run: Run | null;
  wait: Wait | null;
  cut_off: boolean;
  error: ErrorData | null;
  answers: readonly Answer[];
  fallback: ErrorData | undefined;
  executed: boolean;
  look_at: string | undefined;
  variables: Variables;
  /** True once the caller of this workflow is answered, or will be by the next commit. */
  responded: boolean;
  /** What the next commit answers the caller of this workflow. */
  response: WorkflowAnswer | undefined;
  /** What this job has answered. */
  answered: WorkflowAnswer | undefined;
  deleted = false;
  /** Lists that the next commit names and that are not stored yet. */
  lists: readonly NewList[] = [];
  /** True: this change has given a signal that was waited for. */
  signalled = false;
  /** Requests to callbacks that the next commit takes in. */
  kept: readonly TakenArrival[] = [];
  /** Ids of what came for this activeflow, was kept, and is used up by the next commit. */
  taken: readonly string[] = [];
  /** Entries of the participant's data that the next commit writes. */
  participants: readonly { readonly key: string; readonly value: Json }[] = [];
  starts: readonly Start[] = [];
  readonly #indexed = new Map<string, ActionList>();
  #trace: TraceStep[] = [];
  #lastTrace: number;

  constructor(base: Activeflow) {
    const { state } = base;
    this.base = base;
    this.status = base.status;
    this.current = state.current;
    this.current_stack_id = state.current_stack_id;
    this.stacks = state.stacks;
    this.forward = state.forward;
    this.previous = state.previous;
    this.step = state.step;
    this.loops = state.loops;
    this.run = state.run;
    this.wait = state.wait;
    this.cut_off = state.cut_off ?? false;
    this.error = state.error;
    this.answers = state.answers;
    this.fallback = state.fallback;
    this.executed = state.executed ?? false;
    this.look_at = state.look_at;
    this.variables = base.variables;
    this.responded = state.responded ?? false;
    this.answered = state.answered;
    this.#lastTrace = state.trace_seq;
  }

  /** The place of the cursor as a key for loop counts. */
  get place(): string {
    return `${this.current_stack_id}/${this.current.id}`;
  }

  /** What was written since the last commit. */
  get trace(): readonly TraceStep[] {
    return this.#trace;
  }

  /**
   * Writes a line of the trace. `whole`: the cursor moved here, and executed_actions is made of such lines. `about`:
   * another action than the one that the cursor is at.
   */
  note(outcome: Outcome, reason: string, world: World, options: { whole?: boolean; since?: number; about?: Action } = {}): void {
    const now = world.now();
    this.#lastTrace += 1;
    const seq = this.#lastTrace;
    const said = maskCallbacks(reason);
    const duration_ms = Math.max(0, Math.round((now - (options.since ?? now)) * 1000) / 1000);
    const tm = formatTime(now);
    if (options.whole) {
      this.#trace.push({ seq, step: this.step, action: maskAction(this.current), outcome, reason: said, duration_ms, tm });
    } else {
      const { id, type } = options.about ?? this.current;
      this.#trace.push({ seq, action: { id, type }, outcome, reason: said, duration_ms, tm });
    }
  }

  /** A checkpoint was committed: what follows starts from that row. */
  committed(row: Activeflow): void {
    this.base = row;
    this.#trace = [];
    this.lists = [];
    this.kept = [];
    this.taken = [];
    this.participants = [];
    this.starts = [];
    this.response = undefined;
  }

  /** Keeps a list that this transition made, so that its stacks can be walked before it is stored. */
  addList(key: string, actions: readonly Action[]): void {
    this.lists = [...this.lists, { key, actions }];
    this.#indexed.set(key, indexActions(actions));
  }

  /** The world with this draft's own new lists in it. */
  within(world: World): World {
    return { ...world, list: (stack) => (stack.shared ? undefined : this.#indexed.get(stack.list)) ?? world.list(stack) };
  }

  /** Leaves the current action and arrives at another; what the stacks no longer need is dropped. */
  moveTo(action: Action, stackId: string): void {
    this.current = action;
    this.current_stack_id = stackId;
    this.stacks = keepReachable(this.stacks, stackId);
    this.forward = null;
    this.cut_off = false;
    this.step += 1;
    const inner = this.stacks.length > 1 || !isEmpty(this.loops);
    if (inner) this.#forgetLoopsOfDroppedStacks();
  }

  /**
   * The target of a decision comes next. What was pushed meanwhile by a request was accepted, and comes before
   * it: the target is then where that returns to.
   */
  goTo(target: Position): void {
    const pending = this.#pendingPush();
    if (pending) this.#redirect((stack) => stack === pending, target);
    else this.forward = target;
  }

  /** Takes a stack away, and returns what comes after it: whatever led into the stack leads there. */
  dropStack(dropped: Stack, world: World): Position {
    const back = { stack_id: dropped.return_stack_id, action_id: dropped.return_action_id };
    const next = dropped.return_exact ? back : following(this.stacks, back, world);
    this.stacks = this.stacks.filter((stack) => stack !== dropped);
    this.#redirect((stack) => stack.return_stack_id === dropped.id, next);
    if (this.forward?.stack_id === dropped.id) this.forward = next;
    this.#forgetLoopsOfDroppedStacks();
    return next;
  }

  #redirect(which: (stack: Stack) => boolean, { stack_id, action_id }: Position): void {
    const redirected = { return_stack_id: stack_id, return_action_id: action_id, return_exact: true };
    this.stacks = this.stacks.map((stack) => (which(stack) ? { ...stack, ...redirected } : stack));
  }

  /** The outermost stack that was pushed since the cursor came here, and that is not entered yet. */
  #pendingPush(): Stack | undefined {
    if (!this.forward) return undefined;
    const entered = new Set(outward(this.stacks, this.current_stack_id));
    return outward(this.stacks, this.forward.stack_id)
      .filter((stack) => !entered.has(stack))
      .at(-1);
  }

  /** How often the action at the cursor has jumped. Most flows never do, and a key made for each step would be dear. */
  get jumps(): number {
    return isEmpty(this.loops) ? 0 : (this.loops[this.place] ?? 0);
  }

  setLoops(place: string, count: number): void {
    const { [place]: _, ...others } = this.loops;
    this.loops = count > 0 ? { ...others, [place]: count } : others;
  }

  /** Ends it for good: nothing overwrites a terminal state. */
  end(): void {
    this.status = 'ended';
    this.current_stack_id = NIL;
    this.stacks = this.stacks.slice(0, 1);
    this.forward = null;
    this.run = null;
    this.wait = null;
    this.cut_off = false;
    this.loops = {};
  }

  finish(): void {
    this.current = FINISH;
    this.step += 1;
    this.end();
  }

  answer(answer: Answer, limit: number): void {
    if (answer.key !== '') this.answers = [...this.answers, answer].slice(-limit);
  }

  /** The next row: one revision on, with one event of the given type and all that is not moved on yet. */
  toRow(options: {
    readonly event: ActiveflowEventType | null;
    readonly moved: Moved;
    readonly now: number;
    readonly wake_at: string | null;
  }): Activeflow {
    const { base } = this;
    const now = formatTime(options.now);
    const event_seq = base.state.event_seq + (options.event ? 1 : 0);
    // Each by name: V8 defines anew what a spread has, with a call into its runtime for each.
    const next: Writable<Activeflow> = {
      id: base.id,
      customer_id: base.customer_id,
      flow_id: base.flow_id,
      reference_type: base.reference_type,
      reference_id: base.reference_id,
      reference_activeflow_id: base.reference_activeflow_id,
      on_complete_flow_id: base.on_complete_flow_id,
      fallback_flow_id: base.fallback_flow_id,
      webhook_uri: base.webhook_uri,
      webhook_method: base.webhook_method,
      create_key: base.create_key,
      tm_create: base.tm_create,
      deadline_at: base.deadline_at,
      revision: base.revision + 1,
      status: this.status,
      variables: this.variables,
      tm_update: now,
      tm_delete: this.deleted ? (base.tm_delete ?? now) : base.tm_delete,
      wake_at: options.wake_at,
      outbox: this.#outbox(options.event, event_seq, options.moved),
      state: this.#state(event_seq),
    };
    if (base.user_id !== undefined) next.user_id = base.user_id;
    return next;
  }

  /** What is seldom there is added afterwards: a spread for each would take longer than all the rest. */
  #state(event_seq: number): ActiveflowState {
    const { participant, job } = this.base.state;
    const state: Writable<ActiveflowState> = {
      current: this.current,
      current_stack_id: this.current_stack_id,
      stacks: this.stacks,
      forward: this.forward,
      previous: this.previous,
      step: this.step,
      loops: this.loops,
      run: this.run,
      wait: this.wait,
      error: this.error,
      answers: this.answers,
      trace_seq: this.#lastTrace,
      event_seq,
    };
    if (this.look_at !== undefined) state.look_at = this.look_at;
    if (this.cut_off) state.cut_off = true;
    if (this.fallback) state.fallback = this.fallback;
    if (this.executed) state.executed = true;
    if (this.responded) state.responded = true;
    if (participant) state.participant = participant;
    if (job) state.job = job;
    if (this.answered) state.answered = this.answered;
    return state;
  }

  #outbox(type: ActiveflowEventType | null, seq: number, moved: Moved): Outbox {
    const { base } = this;
    const waiting = base.outbox.events.filter((event) => event.seq > moved.event_seq);
    const kept = waiting.map((event) => ({ ...event, snapshot: this.#keptSnapshot(event.snapshot ?? snapshotOf(base)) }));
    const events: readonly PendingEvent[] = type ? [...kept, { seq, type }] : kept;
    const trace = traceAfter(base.outbox.trace, moved.trace_seq);
    const written = TraceLines.of(this.#trace);
    if (written) trace.push(written);
    return { events, trace };
  }

  /** What an event that still waits has to show of a row that this commit changes. */
  #keptSnapshot(snapshot: ActiveflowSnapshot): ActiveflowSnapshot {
    const { stacks } = this.base.state;
    return snapshot.stacks || this.stacks === stacks ? snapshot : { ...snapshot, stacks };
  }

  #forgetLoopsOfDroppedStacks(): void {
    const alive = new Set(this.stacks.map((stack) => stack.id));
    const kept = Object.entries(this.loops).filter(([place]) => alive.has(place.slice(0, place.indexOf('/'))));
    if (kept.length < Object.keys(this.loops).length) this.loops = Object.fromEntries(kept);
  }
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}

/** What an event of this row would show now. */
export function snapshotOf(row: Activeflow): ActiveflowSnapshot {
  const { state } = row;
  return {
    status: row.status,
    current: state.current,
    current_stack_id: state.current_stack_id,
    forward: state.forward,
    step: state.step,
    tm_update: row.tm_update,
    tm_delete: row.tm_delete,
  };
}
