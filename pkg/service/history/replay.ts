import type { EffectAnswer } from '../../action/definition.ts';
import type { Walk } from '../../engine/ask.ts';
import { begin } from '../../engine/begin.ts';
import { createActiveflow, createFollowUp, EMPTY_LIST, type NewActiveflow, needsFollowUp } from '../../engine/create.ts';
import { Draft } from '../../engine/draft.ts';
import { decideFollowUp } from '../../engine/follow_up.ts';
import { type Change, decideChange } from '../../engine/requested.ts';
import { walk } from '../../engine/walk.ts';
import { DEFAULT_LIMITS, type World } from '../../engine/world.ts';
import { FlowError } from '../../error/index.ts';
import { type ActionList, indexActions } from '../../model/action.ts';
import type { Activeflow } from '../../model/activeflow.ts';
import type { Flow } from '../../model/flow.ts';
import type { HistoryInput, HistoryRecord } from '../../model/history.ts';
import { ACTION_START } from '../../model/id.ts';
import type { Json } from '../../model/json.ts';
import type { TraceStep } from '../../model/trace.ts';
import { hashId } from '../context.ts';
import { type Difference, same, type Unlike, unlikeRow, unlikeTrace } from './compare.ts';
import { causedBy } from './decided.ts';
import { Feed } from './feed.ts';
import type { HistoryFile } from './file.ts';
import type { FollowUpGiven } from './recording.ts';

export interface Replayed {
  /** Commits that were decided as they were then. */
  readonly decisions: number;
  /** Where it is decided otherwise; undefined: nowhere. */
  readonly difference?: Difference;
}

/** Decides a whole history again, by this build, and asks nobody. */
export function replay(file: HistoryFile): Replayed {
  const replaying = new Replaying(file);
  for (const [decisions, record] of file.records.entries()) {
    const difference = replaying.decide(record);
    if (difference) return { decisions, difference };
  }
  return { decisions: file.records.length };
}

/** It is decided otherwise, and there is nothing to go on from. */
class Unequal extends Error {
  readonly difference: Difference;

  constructor(difference: Difference) {
    super(`decided otherwise at revision ${difference.revision}`);
    this.difference = difference;
  }
}

type WalkInput = Extract<HistoryInput, { kind: 'walk' | 'continue' }>;

class Replaying {
  readonly #file: HistoryFile;
  readonly #feed = new Feed();
  readonly #lists: Map<string, ActionList>;
  #row: Activeflow | undefined;
  #draft: Draft | undefined;
  /** The walk that stands at its checkpoint. */
  #steps: Walk<void> | undefined;
  #record: HistoryRecord;

  constructor(file: HistoryFile) {
    this.#file = file;
    this.#record = file.records[0] as HistoryRecord;
    const shared = Object.entries(file.lists).map(([key, actions]) => [`customer/${key}`, indexActions(actions)] as const);
    this.#lists = new Map([[`own/${EMPTY_LIST}`, indexActions([])], ...shared]);
  }

  decide(record: HistoryRecord): Difference | undefined {
    this.#record = record;
    this.#feed.begin(record);
    try {
      this.#decide(record.input);
      return undefined;
    } catch (thrown) {
      if (thrown instanceof Unequal) return thrown.difference;
      const error = thrown instanceof FlowError ? `${thrown.reason}: ${thrown.message}` : String(thrown);
      return this.#difference({ what: 'decision', was: 'made', now: error });
    }
  }

  #decide(input: HistoryInput): void {
    switch (input.kind) {
      case 'create':
        this.#start(createActiveflow(input.given as unknown as NewActiveflow, this.#world).row);
        break;
      case 'follow_up': {
        const { ending, flow, id, lease_ms } = input.given as unknown as FollowUpGiven;
        this.#start(createFollowUp(ending, flow, id, lease_ms, this.#world));
        break;
      }
      case 'change':
        this.#change(input.change as unknown as Change, input.key);
        break;
      default:
        this.#walk(input);
    }
  }

  #start(row: Activeflow): void {
    this.#compare(unlikeRow(this.#record, undefined, row, {}, this.#feed.slack));
    this.#row = row;
  }

  #change(change: Change, key: string): void {
    this.#steps = undefined;
    this.#draft = new Draft(this.#before);
    const made = decideChange(this.#draft, change, key, this.#world);
    if (made === undefined) this.#compare({ what: `change ${change.kind}`, was: 'made', now: 'there is nothing to change' });
    this.#commit(this.#draft);
  }

  #walk(input: WalkInput): void {
    const { draft, steps } = input.kind === 'continue' ? this.#underWay() : this.#begun(input);
    let result = steps.next(undefined);
    while (!result.done && result.value.kind !== 'checkpoint') {
      const { asked } = this.#feed;
      this.#compareTrace(draft, false);
      if (!asked || !same(asked.ask, result.value)) {
        this.#compare({ what: 'asked', was: asked?.ask, now: result.value as unknown as Json });
      }
      this.#feed.turn();
      result = steps.next(asked?.answer as unknown as EffectAnswer);
    }
    if (this.#feed.asked) {
      this.#compareTrace(draft, true);
      this.#compare({ what: 'asked', was: this.#feed.asked.ask, now: undefined });
    }
    this.#steps = result.done ? undefined : steps;
    this.#commit(draft);
  }

  #begun({ begin: begun }: Extract<WalkInput, { kind: 'walk' }>): { draft: Draft; steps: Walk<void> } {
    const draft = new Draft(this.#before);
    this.#draft = draft;
    if (begun) begin(draft, begun.kind, begun.key);
    return { draft, steps: walk(draft, this.#world) };
  }

  #underWay(): { draft: Draft; steps: Walk<void> } {
    if (!this.#steps || !this.#draft) {
      throw this.#unequal({ what: 'walk', was: 'went on behind a checkpoint', now: 'was over at it' });
    }
    return { draft: this.#draft, steps: this.#steps };
  }

  /** What the services do to a decision on its way into the database, less everything that is no decision. */
  #commit(draft: Draft): void {
    const before = this.#before;
    const world = this.#world;
    for (const { key, actions } of draft.lists) this.#lists.set(`own/${key}`, indexActions(actions));
    let child: Activeflow | undefined;
    if (needsFollowUp(before.status, draft.status, before.on_complete_flow_id)) {
      const flow = (this.#record.follow_up_flow ?? undefined) as unknown as Flow | undefined;
      child = decideFollowUp(draft, flow, { id: hashId(`${before.id}/on_complete`), lease_ms: 0, world }, world);
    }
    this.#compareTrace(draft, true);
    const moved = { event_seq: Number.POSITIVE_INFINITY, trace_seq: Number.POSITIVE_INFINITY };
    const next = draft.toRow({ event: null, moved, now: 0, wake_at: null });
    this.#compare(unlikeRow(this.#record, before, next, causedBy(draft, child), this.#feed.slack));
    draft.committed(next);
    this.#row = next;
  }

  #compareTrace(draft: Draft, whole: boolean): void {
    const from = this.#before.state.trace_seq;
    const then = this.#file.trace.slice(from, this.#record.decided.trace_seq);
    const found = unlikeTrace(then, draft.trace, whole);
    if (found) throw this.#unequal(found.unlike, found.line);
  }

  #compare(unlike: Unlike | undefined): void {
    if (unlike) throw this.#unequal(unlike);
  }

  #unequal(unlike: Unlike, line?: TraceStep): Unequal {
    return new Unequal(this.#difference(unlike, line));
  }

  #difference(unlike: Unlike, line?: TraceStep): Difference {
    const current = line?.action ?? this.#draft?.current ?? this.#row?.state.current ?? { id: ACTION_START, type: '' };
    const step = line?.step ?? this.#draft?.step ?? this.#row?.state.step ?? 0;
    return { revision: this.#record.revision, step, action: { id: current.id, type: current.type }, ...unlike };
  }

  get #before(): Activeflow {
    if (!this.#row) throw new FlowError('INTERNAL', 'NO_ROW', 'the first record makes the activeflow');
    return this.#row;
  }

  get #world(): World {
    return {
      now: this.#feed.now,
      newId: this.#feed.newId,
      limits: { ...DEFAULT_LIMITS, ...this.#record.limits },
      list: (stack) => {
        const list = this.#lists.get(`${stack.shared ? 'customer' : 'own'}/${stack.list}`);
        if (list) return list;
        throw new FlowError('INTERNAL', 'ACTION_LIST_MISSING', `list ${stack.list} was not looked into then`);
      },
    };
  }
}
