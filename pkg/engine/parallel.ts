import { ActionFailure, type Branch, type Decision, type EffectAnswer } from '../action/definition.ts';
import type { Variables } from '../model/action.ts';
import type { BranchState, ErrorData, ParallelRun } from '../model/activeflow.ts';
import type { Json } from '../model/json.ts';
import { arrived, type EffectAsk, type Walk } from './ask.ts';
import { resultOf, walkBranch } from './branch.ts';
import type { Draft } from './draft.ts';
import { formatTime, type World } from './world.ts';

/**
 * Lists of actions side by side within one action of a walk.
 *
 * Each branch is a walk of its own that asks for effects and checkpoints. They are let on one after another until each
 * has ended or waits; then all that they wait for is asked for at once, and whichever is answered first goes on. What
 * a branch has come to is stored with the run at the checkpoint before the first effect of each of its actions, so
 * that a walk that is taken over asks in every branch for what it had asked for, under the same request_id, and for
 * nothing else.
 *
 * Not activeflows of their own: those would cost each branch two rows, their events and their commits, to join what
 * is mostly one request each, and their answers would come by a wait that has to be woken. Only when nobody waits for
 * the branches (`wait: none`) they are one: see pkg/action/types/parallel.ts.
 */
export function* runBranches(draft: Draft, decision: Parallel, world: World): Walk<Joined> {
  const kept = draft.run?.parallel;
  const due = kept?.due ?? formatTime(world.now() + decision.timeout_ms);
  const lanes = decision.branches.map((branch, index) => new Lane(draft, branch, index, world, kept?.branches[index]));
  const store = (): void => {
    const parallel: ParallelRun = { due, branches: lanes.map((lane) => lane.state) };
    if (draft.run) draft.run = { ...draft.run, parallel };
  };
  for (const lane of lanes) lane.goOn(undefined);
  while (!isOver(lanes, decision.wait)) {
    const stored = lanes.filter((lane) => lane.at === 'checkpoint');
    if (stored.length > 0) {
      store();
      yield { kind: 'checkpoint' };
      for (const lane of stored) lane.goOn(undefined);
      continue;
    }
    const asks = lanes.flatMap((lane) => (lane.asks ? [lane.asks] : []));
    const first = arrived(yield { kind: 'first', asks, until: due });
    if (!first) break;
    lanes.find((lane) => lane.asks?.position === first.position)?.goOn(first.answer);
  }
  if (draft.run) {
    const { parallel: _, ...run } = draft.run;
    draft.run = run;
  }
  return join(lanes, decision);
}

type Parallel = Extract<Decision, { kind: 'parallel' }>;

/** What the branches have come to. */
export interface Joined {
  readonly set: Variables;
  readonly reason: string;
}

/** One branch under way. */
class Lane {
  readonly name: string;
  /** What it waits for: its first turn or a checkpoint, an effect; or it has ended. */
  at: 'checkpoint' | 'effect' | 'end' = 'checkpoint';
  asks: EffectAsk | undefined;
  state: BranchState;
  readonly #steps: Walk<void>;

  constructor(draft: Draft, branch: Branch, index: number, world: World, kept: BranchState | undefined) {
    this.name = branch.name;
    this.state = kept ?? { at: 0, walked: 0, set: {}, loops: {} };
    this.#steps = walkBranch(draft, { branch, index, seat: this, world });
  }

  get succeeded(): boolean {
    return this.at === 'end' && !this.state.error;
  }

  goOn(answer: EffectAnswer | undefined): void {
    const { done, value } = this.#steps.next(answer);
    this.asks = undefined;
    if (done) this.at = 'end';
    else if (value.kind === 'effect') {
      this.at = 'effect';
      this.asks = value;
    } else this.at = 'checkpoint';
  }
}

function isOver(lanes: readonly Lane[], wait: Parallel['wait']): boolean {
  return lanes.every((lane) => lane.at === 'end') || (wait === 'any' && lanes.some((lane) => lane.succeeded));
}

/**
 * Variables of the branches that went well, in the order of the list, so that the later one wins; with `any` of the
 * first of them only. And of each branch what became of it. Throws ActionFailure when none went well.
 */
function join(lanes: readonly Lane[], decision: Parallel): Joined {
  const winners = lanes.filter((lane) => lane.succeeded);
  const joined = decision.wait === 'any' ? winners.slice(0, 1) : winners;
  const outcomes = lanes.map((lane) => ({ name: lane.name, ...outcomeOf(lane, joined, decision) }));
  const reason = outcomes.map(({ name, said }) => `${name}: ${said}`).join('; ');
  if (joined.length === 0) {
    const status = lanes.find((lane) => lane.state.error)?.state.error?.status ?? 'UNAVAILABLE';
    throw new ActionFailure({ status, reason: 'PARALLEL_FAILED', message: `no branch went well: ${reason}` });
  }
  const values = outcomes.map(({ name, value }) => [`parallel.${name}`, value] as const);
  return { set: Object.fromEntries([...joined.flatMap((lane) => Object.entries(resultOf(lane.state))), ...values]), reason };
}

interface BranchOutcome {
  readonly value: Json;
  readonly said: string;
}

function outcomeOf(lane: Lane, joined: readonly Lane[], { wait, timeout_ms }: Parallel): BranchOutcome {
  if (joined.includes(lane)) return { value: { status: 'SUCCESS', result: resultOf(lane.state) }, said: 'SUCCESS' };
  if (lane.state.error) return failed('FAILED', lane.state.error);
  if (wait === 'any' && joined.length > 0) return { value: { status: 'CANCELED' }, said: 'CANCELED' };
  return failed('TIMEOUT', { status: 'UNAVAILABLE', reason: 'TIMEOUT', message: `not finished within ${timeout_ms} ms` });
}

function failed(status: string, { reason, message }: ErrorData): BranchOutcome {
  return { value: { status, error: { reason, message } }, said: status === reason ? status : `${status} ${reason}` };
}
