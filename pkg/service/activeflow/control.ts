import { checkActions } from '../../action/check.ts';
import { due } from '../../engine/change.ts';
import { Draft } from '../../engine/draft.ts';
import { type Change, decideChange } from '../../engine/requested.ts';
import { formatTime } from '../../engine/world.ts';
import { FlowError } from '../../error/index.ts';
import type { Variables } from '../../model/action.ts';
import type { Activeflow, ActiveflowEventType, Answer } from '../../model/activeflow.ts';
import { ACTION_START } from '../../model/id.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import { type Context, hashId, worldOf } from '../context.ts';
import { Recording } from '../history/recording.ts';
import { answeredSnapshot } from './answer.ts';
import { checkRaces, type Keeper } from './keeper.ts';
import { viewActiveflow } from './view.ts';
import type { Walker } from './walker.ts';

/** A change, who asks for it, and what event it causes. */
interface Wanted {
  readonly change: Change;
  readonly key: string;
  readonly event: ActiveflowEventType | null;
}

interface Changed {
  readonly row: Activeflow;
  /** Set when this very request was answered before. */
  readonly answer?: Answer;
}

/** Everything that is done to an activeflow besides asking it for the next action. Each is safe to repeat. */
export class ControlService {
  readonly #context: Context;
  readonly #keeper: Keeper;
  readonly #walker: Walker;

  constructor(context: Context, keeper: Keeper, walker: Walker) {
    this.#context = context;
    this.#keeper = keeper;
    this.#walker = walker;
    keeper.onFollowUp = (child) => this.resume(child.id);
  }

  async forward(id: string, actionId: string, now: boolean, key: string): Promise<void> {
    const { row } = await this.#change(id, key, { kind: 'forward', action_id: actionId });
    // Also on a repeat: the first one may have crashed in between, and the sibling drops what it has seen.
    if (now) await this.#interrupt(row, key);
  }

  async push(id: string, actions: unknown, key: string): Promise<void> {
    await this.#change(id, key, { kind: 'push', actions: this.#checkActions(actions) });
  }

  async addActions(id: string, actions: unknown, key: string): Promise<void> {
    await this.#change(id, key, { kind: 'add_actions', actions: this.#checkActions(actions) });
  }

  async stopService(id: string, serviceId: string, key: string): Promise<void> {
    await this.#change(id, key, { kind: 'stop_service', service_id: serviceId });
  }

  async stop(id: string, reason: string, key: string): Promise<JsonObject> {
    const { row, answer } = await this.#change(id, key, { kind: 'stop', reason });
    return this.#view(row, answer);
  }

  async remove(id: string, key: string): Promise<JsonObject> {
    const { row, answer } = await this.#change(id, key, { kind: 'remove' }, 'activeflow_deleted');
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

  /** Does what is due on an activeflow that nobody asks for: its timer, its deadline, a walk that lost its process. */
  async wake(id: string): Promise<void> {
    const row = await this.#keeper.read(id);
    const what = due(row, formatTime(this.#context.clock.now()));
    if (what === 'nothing' || (what === 'run' && this.#walker.underWay(id))) return;
    if (what === 'deadline') await this.#end(id);
    if (what === 'run') await this.#resume(id);
    if (what === 'timer') await this.#fire(id);
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

  async #resume(id: string): Promise<void> {
    await this.#walker.walk(id, (row, fresh) => {
      if (row.state.run) return new Draft(row);
      return fresh ? 'nothing' : 'reread';
    });
  }

  async #fire(id: string): Promise<void> {
    const { row } = await this.#change(id, '', { kind: 'fire_timer' }, null);
    if (row.state.run) await this.#resume(id);
  }

  async #end(id: string): Promise<void> {
    await this.#change(id, '', { kind: 'deadline' });
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
  ): Promise<Changed> {
    const wanted = { change, key, event };
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
  async #attempt(row: Activeflow, { change, key, event }: Wanted): Promise<{ changed: Changed; committed: boolean } | undefined> {
    const answer = key === '' ? undefined : row.state.answers.find((known) => known.key === key);
    if (answer) return { changed: { row, answer }, committed: false };
    const draft = new Draft(row);
    const book = await this.#keeper.lists.book(row);
    const recording = Recording.of(row, () => ({ kind: 'change', change: change as unknown as Json, key }));
    const world = worldOf(this.#context, book.list);
    const now = decideChange(draft, change, key, recording?.around(world) ?? world);
    if (now === undefined) return { changed: { row }, committed: false };
    const committed = await this.#keeper.commit(draft, event, book, { now, ...(recording && { recording }) });
    return committed && { changed: { row: committed }, committed: true };
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

  /** Cuts off what the call is playing, so that it asks for the next action now. */
  async #interrupt(row: Activeflow, key: string): Promise<void> {
    if (row.reference_type !== 'call') return;
    await this.#context.siblings.request({
      to: 'call',
      method: 'POST',
      uri: `/v1/calls/${row.reference_id}/action-next`,
      data: { force: true },
      request_id: hashId(`${row.id}/forward_now/${key || row.revision}`),
      timeout_ms: 3_000,
    });
  }

  #view(row: Activeflow, answer: Answer | undefined): Promise<JsonObject> {
    const shown = answer ? answeredSnapshot(row, answer) : undefined;
    return viewActiveflow(row, this.#keeper.lists, this.#context.store.activeflows, shown);
  }
}
