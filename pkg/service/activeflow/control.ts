import { checkActions } from '../../action/check.ts';
import { isAwaited } from '../../engine/await.ts';
import { due, nextDue } from '../../engine/change.ts';
import { Draft } from '../../engine/draft.ts';
import { type Change, decideChange } from '../../engine/requested.ts';
import { formatTime } from '../../engine/world.ts';
import { FlowError, notFound, toFlowError } from '../../error/index.ts';
import type { Variables } from '../../model/action.ts';
import type { Activeflow, ActiveflowEventType, Answer } from '../../model/activeflow.ts';
import type { TakenArrival } from '../../model/callback.ts';
import { ACTION_START } from '../../model/id.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import { type Context, worldOf } from '../context.ts';
import { Recording } from '../history/recording.ts';
import { endedJobs } from '../job-state.ts';
import type { RowAt } from '../ports.ts';
import { answeredSnapshot } from './answer.ts';
import { CallerLookup } from './caller.ts';
import { Interrupter } from './interrupter.ts';
import { checkRaces, type Keeper } from './keeper.ts';
import { viewActiveflow } from './view.ts';
import type { Walker } from './walker.ts';

/** Whether a change is to be made after all, by what is stored beside the row that it is decided on. May throw. */
export type Allowed = (row: Activeflow) => Promise<boolean>;

/** A change, who asks for it, and what event it causes. */
interface Wanted {
  readonly change: Change;
  readonly allowed?: Allowed;
  readonly key: string;
  readonly event: ActiveflowEventType | null;
}

interface Changed {
  readonly row: Activeflow;
  /** Set when this very request was answered before. */
  readonly answer?: Answer;
  /** True: it has given a signal that was waited for. */
  readonly signalled?: boolean;
  /** True: it stood still, and walks on by this. */
  readonly resumes?: boolean;
}

/**
 * Everything that is done to an activeflow besides asking it for the next action. Each is safe to repeat. All in one place,
 * long as it is: each is the same change with a line of its own of what follows the commit.
 */
export class ControlService {
  readonly #context: Context;
  readonly #keeper: Keeper;
  readonly #walker: Walker;
  readonly #callers: CallerLookup;
  readonly #interrupter: Interrupter;

  constructor(context: Context, keeper: Keeper, walker: Walker) {
    this.#context = context;
    this.#keeper = keeper;
    this.#walker = walker;
    this.#callers = new CallerLookup(context);
    this.#interrupter = new Interrupter(context);
    keeper.onFollowUp = (child) => this.resume(child.id);
  }

  async forward(id: string, actionId: string, now: boolean, key: string): Promise<void> {
    const { row } = await this.#change(id, key, { kind: 'forward', action_id: actionId });
    // Also on a repeat: the first one may have crashed in between, and the sibling drops what it has seen.
    if (now) await this.#interrupter.interrupt(row, `forward_now/${key || row.revision}`);
  }

  async push(id: string, actions: unknown, key: string): Promise<void> {
    await this.#change(id, key, { kind: 'push', actions: this.#checkActions(actions) });
  }

  async addActions(id: string, actions: unknown, key: string): Promise<void> {
    await this.#change(id, key, { kind: 'add_actions', actions: this.#checkActions(actions) });
  }

  async stopService(id: string, serviceId: string, key: string): Promise<void> {
    const { resumes } = await this.#change(id, key, { kind: 'stop_service', service_id: serviceId });
    if (resumes) this.resume(id);
  }

  async stop(id: string, reason: string, key: string): Promise<JsonObject> {
    const { row, answer } = await this.#force(id, key, { kind: 'stop', reason });
    return this.#view(row, answer);
  }

  async remove(id: string, key: string): Promise<JsonObject> {
    const { row, answer } = await this.#force(id, key, { kind: 'remove' }, 'activeflow_deleted');
    return this.#view(row, answer);
  }

  async setVariables(id: string, values: Variables, key: string): Promise<void> {
    await this.#change(id, key, { kind: 'set_variables', values }, null);
  }

  async deleteVariable(id: string, name: string, key: string): Promise<void> {
    await this.#change(id, key, { kind: 'delete_variable', name }, null);
  }

  /** Answers once the walk is safe in the database; it goes on by itself. */
  async execute(id: string, key: string): Promise<void> {
    const { row, answer } = await this.#change(id, key, { kind: 'execute' }, null);
    if (!answer && row.state.run?.asked === ACTION_START) this.resume(id);
  }

  async leaveBlock(id: string, actionId: string, key: string): Promise<void> {
    const { answer } = await this.#change(id, key, { kind: 'leave_block', action_id: actionId }, null);
    if (!answer) this.resume(id);
  }

  /**
   * Gives a signal that an action may wait for, and what it brings. What it tells of must be stored before, where the
   * effect `look` finds it, or goes into the same commit: `arrival`, which `allowed` has checked against this very row.
   * True: it was waited for, and the flow goes on. Throws NOT_FOUND, ACTIVEFLOW_ENDED, or
   * INVALID_ARGUMENT when what it brings has no room in the variables: then it is waited for as before.
   */
  async signal(id: string, name: string, value: Json, arrival?: TakenArrival, allowed?: Allowed): Promise<boolean> {
    const given: Change = { kind: 'signal', name, value, ...(arrival && { arrival }) };
    const { row, signalled } = await this.#change(id, '', given, null, allowed);
    if (!signalled) return false;
    // The row says so, too: whoever finds it due does it when this process dies.
    if (row.state.run) this.resume(id);
    else void this.#interrupter.cutOff(row);
    return true;
  }

  /**
   * Does what is due on an activeflow that nobody asks for: its timer, its deadline, a walk that lost its process. Only
   * as it was claimed: who has committed since then is at it, and what it asks for must not be asked for beside it.
   */
  async wake({ id, revision }: RowAt): Promise<void> {
    const read = await this.#readAnyhow(id);
    if (await this.#hearJobs(read)) return;
    const row = await this.#soonDue(read);
    if (row !== read && (await this.#hearJobs(row))) return;
    if (row.revision !== revision) return;
    const what = due(row, formatTime(this.#context.clock.now()));
    if (what === 'deadline') await this.#end(id);
    if (what === 'run') {
      // The walk that has paused it may still be letting go.
      await this.#walker.underWay(id)?.catch(() => undefined);
      await this.#resume(id, revision);
    }
    if (what === 'timer') await this.#fire(id, 'fire_timer');
    if (what === 'timeout') await this.#fire(id, 'time_out');
    if (what === 'cut_off') await this.#interrupter.cutOff(row);
    if (what === 'caller') await this.#lookForCaller(row);
  }

  /**
   * The row, once something is due. It was claimed by the database's clock, and this process's may be a moment behind;
   * what is due within the lease would otherwise wait until that is out.
   */
  async #soonDue(read: Activeflow): Promise<Activeflow> {
    const { clock, options } = this.#context;
    for (let row = read; ; row = await this.#readAnyhow(read.id)) {
      const ms = row.status === 'ended' ? 0 : Date.parse(nextDue(row) ?? '') - clock.now();
      if (!(ms > 0 && ms <= options.lease_ms) || due(row, formatTime(clock.now())) !== 'nothing') return row;
      // Again when a timer fires early, as it may by a ms: a claim that is let go is lost until its lease is out.
      await this.#keeper.endings.pause(row.id, Math.ceil(ms));
    }
  }

  /** Goes on with what waits for jobs that have ended. */
  async hearJobs(id: string): Promise<void> {
    await this.#hearJobs(await this.#readAnyhow(id));
  }

  /** Gives the signal of a job that it waits for and that has ended: before the end of its time, when both are due. */
  async #hearJobs(row: Activeflow): Promise<boolean> {
    for (const name of await endedJobs(this.#context.store.participants, row)) {
      // Others may have done so since: a commit that nobody needs would only get in the way.
      if (await this.signal(row.id, name, null, undefined, async (now) => isAwaited(now.state, name))) return true;
    }
    return false;
  }

  /** A row that cannot be read any more still has its deadline. */
  async #readAnyhow(id: string): Promise<Activeflow> {
    try {
      return await this.#keeper.read(id);
    } catch (thrown) {
      return (isInternal(thrown) && (await this.#context.store.activeflows.salvage(id))) || raise(thrown);
    }
  }

  /** Ends the activeflow of a call that is over, although nobody has said so; else it is looked for again later. */
  async #lookForCaller(row: Activeflow): Promise<void> {
    const found = await this.#callers.look(row);
    if (!found) return;
    const message = `nobody has asked for long, and of call ${row.reference_id}: ${found.why}`;
    // The step tells whether somebody has asked after all, meanwhile.
    if (found.outcome === 'lost') await this.#change(row.id, '', { kind: 'caller_lost', step: row.state.step, message });
    else await this.#change(row.id, '', { kind: 'look_later', step: row.state.step }, null);
    this.#context.log.info({ activeflow_id: row.id, customer_id: row.customer_id, ...found }, 'looked for a silent caller');
  }

  /** Walks on, in the background, an activeflow whose row says that it is being walked. */
  resume(id: string): void {
    this.#resume(id).catch((error) => {
      // The row keeps its lease: whoever finds it due walks it on.
      this.#context.log.error(
        { activeflow_id: id, error: String(error) },
        'a walk was given up and is taken up again when its lease is out',
      );
    });
  }

  /** `from`: only where the row is still at this revision; what is left alone keeps its lease. */
  async #resume(id: string, from?: number): Promise<void> {
    await this.#walker.walk(id, (row, fresh, claimed) => {
      if (row.state.run && (from === undefined || claimed || row.revision === from)) return new Draft(row);
      return fresh ? 'nothing' : 'reread';
    });
  }

  async #fire(id: string, kind: 'fire_timer' | 'time_out'): Promise<void> {
    const { row } = await this.#change(id, '', { kind }, null);
    if (row.state.run) await this.#resume(id);
    else await this.#interrupter.cutOff(row);
  }

  async #end(id: string): Promise<void> {
    await this.#force(id, '', { kind: 'deadline' });
  }

  /**
   * An end, which always comes about: what of the row cannot be used any more (its state, a list that is gone) is
   * replaced by the least that a row needs.
   */
  async #force(id: string, key: string, change: Change, event: ActiveflowEventType = 'activeflow_updated'): Promise<Changed> {
    try {
      return await this.#change(id, key, change, event);
    } catch (thrown) {
      if (!isInternal(thrown)) throw thrown;
      this.#context.log.error({ activeflow_id: id, error: String(thrown) }, 'an activeflow that cannot be read is ended');
    }
    for (let attempt = 0; ; attempt++) {
      checkRaces(attempt, id);
      const done = await this.#keeper.exclusive(id, async () => {
        const row = await this.#context.store.activeflows.salvage(id);
        if (!row) throw notFound('activeflow', id);
        return this.#attempt(row, { change, key, event }, 'all');
      });
      if (done) return done.changed;
    }
  }

  /**
   * Decides and commits, deciding anew after a lost race. What is refused or changes nothing was decided on a row
   * read in this request; what is remembered only serves a commit that proves it.
   */
  async #change(
    id: string,
    key: string,
    change: Change,
    event: ActiveflowEventType | null = 'activeflow_updated',
    allowed?: Allowed,
  ): Promise<Changed> {
    const wanted = { change, key, event, ...(allowed && { allowed }) };
    for (let attempt = 0; ; attempt++) {
      checkRaces(attempt, id);
      const changed = await this.#keeper.exclusive(id, async () => {
        const held = await this.#keeper.hold(id);
        const proven = held.fresh ? undefined : await this.#tryRemembered(held.row, wanted);
        return proven ?? (await this.#attempt(held.fresh ? held.row : await this.#keeper.read(id), wanted))?.changed;
      });
      if (changed) return changed;
    }
  }

  /** Undefined: not proven by a commit, so it has to be decided on a fresh row. */
  async #tryRemembered(row: Activeflow, wanted: Wanted): Promise<Changed | undefined> {
    try {
      const done = await this.#attempt(row, wanted);
      return done?.committed ? done.changed : undefined;
    } catch (error) {
      if (error instanceof FlowError && !error.retryable) return undefined;
      throw error;
    }
  }

  /** Undefined: lost the race. */
  async #attempt(
    row: Activeflow,
    { change, key, event, allowed }: Wanted,
    writes: 'changes' | 'all' = 'changes',
  ): Promise<{ changed: Changed; committed: boolean } | undefined> {
    const answer = key === '' ? undefined : row.state.answers.find((known) => known.key === key);
    if (answer) return { changed: { row, answer }, committed: false };
    // After the row was read, so that whatever is stored later has changed the row, too.
    if (allowed && !(await allowed(row))) return { changed: { row }, committed: false };
    const draft = new Draft(row);
    const book = await this.#keeper.lists.book(row);
    const recording = Recording.of(row, () => ({ kind: 'change', change: change as unknown as Json, key }));
    const world = worldOf(this.#context, book.list);
    const now = decideChange(draft, change, key, recording?.around(world) ?? world);
    if (now === undefined) return { changed: { row }, committed: false };
    if (writes === 'all') draft.variables = { ...draft.variables };
    const committed = await this.#keeper.commit(draft, event, book, { now, ...(recording && { recording }) });
    const resumes = row.state.wait !== null && committed?.state.run != null;
    return committed && { changed: { row: committed, signalled: draft.signalled, resumes }, committed: true };
  }

  #checkActions(actions: unknown) {
    const { ids, limits } = this.#context;
    return checkActions(actions, {
      path: '/actions',
      maxActions: limits.actions_per_list,
      newId: () => ids.next(),
      unknownTypes: 'keep',
      templates: true,
    }).actions;
  }

  #view(row: Activeflow, answer: Answer | undefined): Promise<JsonObject> {
    const shown = answer ? answeredSnapshot(row, answer) : undefined;
    return viewActiveflow(row, this.#keeper.lists, this.#context.store.activeflows, shown);
  }
}

function isInternal(thrown: unknown): boolean {
  return toFlowError(thrown).status === 'INTERNAL';
}

function raise(thrown: unknown): never {
  throw thrown;
}
