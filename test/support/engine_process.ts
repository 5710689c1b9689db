/**
 * The part of the engine's driver that stands for a process and its database: one row, its commits, and walks that
 * lose races and crash where `mishaps` say so. What must hold of every row is checked at every commit.
 */
import type { Effect, EffectAnswer } from '../../pkg/action/definition.ts';
import { arrival, type EffectAsk, type FirstAsk } from '../../pkg/engine/ask.ts';
import { createActiveflow, createFollowUp, EMPTY_LIST, needsFollowUp } from '../../pkg/engine/create.ts';
import { Draft } from '../../pkg/engine/draft.ts';
import { walk } from '../../pkg/engine/walk.ts';
import { DEFAULT_LIMITS, formatTime, type Limits, type World } from '../../pkg/engine/world.ts';
import { type Action, type ActionList, indexActions, type Variables } from '../../pkg/model/action.ts';
import type { Activeflow, ActiveflowEventType, ReferenceType } from '../../pkg/model/activeflow.ts';
import type { Flow, Warning } from '../../pkg/model/flow.ts';
import type { TraceStep } from '../../pkg/model/trace.ts';
import { wakeAt } from '../../pkg/service/activeflow/schedule.ts';
import type { ServiceOptions } from '../../pkg/service/context.ts';
import { CUSTOMER, REFERENCE } from './drive.ts';
import { id } from './engine_flow.ts';
import { checkCommit } from './engine_rules.ts';
import { realistic, SimulatedClock, stored } from './engine_world.ts';
import { sampleFlow } from './samples.ts';

const OPTIONS: ServiceOptions = {
  lease_ms: 30_000,
  deadline_ms: 0,
  reap_after_ms: 0,
  temporary_flow_ms: 0,
  flows_per_customer: 0,
  cached_activeflows: 0,
  cached_list_bytes: 0,
  response_types: [],
  workflow_depth: 5,
  push_name_prefix: 'kustomer',
};

/** A request as its sibling would see it: `place` is what its request_id is made from. */
export interface Asked {
  readonly place: string;
  readonly effect: Effect;
}

/** Undefined: what a sibling realistically answers. */
type Script = (effect: Effect, place: string) => EffectAnswer | undefined;

interface Mishaps {
  /** True: somebody else's commit came first, so this one is refused. */
  readonly refuse?: () => boolean;
  /** True: the process dies here, after a commit or after an effect, and nothing but rows is left. */
  readonly crash?: () => boolean;
  /** What others do while an effect is under way; once for each place. */
  readonly during?: (asked: Asked) => void;
}

export interface Setting {
  /** Absent: it runs on no flow. */
  readonly flow?: readonly Action[];
  readonly reference?: ReferenceType;
  readonly variables?: Variables;
  readonly parent?: Pick<Activeflow, 'id' | 'variables'>;
  readonly limits?: Partial<Limits>;
  /** Other flows of the same customer, by label. */
  readonly flows?: { readonly [label: string]: readonly Action[] };
  readonly script?: Script;
  readonly deadline_ms?: number;
  /** The flow that follows its end. */
  readonly follow_up?: readonly Action[];
  /** The flow of `flows` that takes a failure that nothing else takes. */
  readonly fallback?: string;
  readonly mishaps?: Mishaps;
  /** False: rows stay in memory as they are, which takes less time. Default: they go through JSON at every commit. */
  readonly serialised?: boolean;
}

/** Flows differ in their id and their list only. */
const FLOW = sampleFlow({ customer_id: CUSTOMER });

class Crash extends Error {}

function endings({ follow_up, fallback }: Setting): Partial<Flow> {
  return {
    ...(follow_up ? { on_complete_flow_id: id('after') } : {}),
    ...(fallback === undefined ? {} : { fallback_flow_id: id(fallback) }),
  };
}

export class EngineProcess {
  readonly clock = new SimulatedClock();
  readonly limits: Limits;
  readonly warnings: readonly Warning[];
  readonly trace: TraceStep[] = [];
  readonly events: string[] = [];
  /** Everything that siblings were asked, repeats after a crash too. */
  readonly asked: Asked[] = [];
  row: Activeflow;
  followUp: Activeflow | undefined;
  readonly #setting: Setting;
  readonly #lists = new Map<string, ActionList>([[`own/${EMPTY_LIST}`, indexActions([])]]);
  readonly #flows = new Map<string, Flow>();
  /** Places of effects during which others have had their turn. */
  readonly #interrupted = new Set<string>();
  #ids = 0;
  /** Above 0: others are at it while an effect is under way. */
  protected busy = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.limits = { ...DEFAULT_LIMITS, ...setting.limits };
    for (const [label, actions] of Object.entries(setting.flows ?? {})) this.#addFlow(label, actions);
    if (setting.flow) this.#addFlow('main', setting.flow);
    if (setting.follow_up) this.#addFlow('after', setting.follow_up);
    const main = this.#flows.get(id('main'));
    const { row, warnings } = createActiveflow(
      {
        id: id('af'),
        customer_id: CUSTOMER,
        ...(main ? { flow: { ...main, ...endings(setting) } } : {}),
        reference_type: setting.reference ?? 'call',
        reference_id: REFERENCE,
        ...(setting.parent ? { parent: setting.parent } : {}),
        webhook_uri: '',
        webhook_method: '',
        variables: setting.variables ?? {},
        create_key: '',
        deadline_ms: setting.deadline_ms ?? 0,
      },
      this.world,
    );
    this.row = stored(row);
    this.warnings = warnings;
  }

  get world(): World {
    return {
      now: this.clock.now,
      newId: () => `e0000000-0000-4000-8000-${String(++this.#ids).padStart(12, '0')}`,
      list: (stack) => {
        const list = this.#lists.get(`${stack.shared ? 'customer' : 'own'}/${stack.list}`);
        if (!list) throw new Error(`list ${stack.list} is not stored`);
        return list;
      },
      limits: this.limits,
    };
  }

  /** Undefined: the process died. */
  protected survive<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (thrown) {
      if (thrown instanceof Crash) return undefined;
      throw thrown;
    }
  }

  /** Walks until done. False: there was nothing to walk. */
  protected walk(prepare: (claimed: boolean) => Draft | undefined): boolean {
    const journal = new Map<string, EffectAnswer>();
    const trip = { claimed: false };
    for (;;) {
      const draft = prepare(trip.claimed);
      if (!draft) return false;
      if (this.#attempt(draft, journal, trip)) return true;
    }
  }

  /** False: a race was lost, and all is to be decided anew. */
  #attempt(draft: Draft, journal: Map<string, EffectAnswer>, trip: { claimed: boolean }): boolean {
    const steps = walk(draft, this.world);
    let result = steps.next();
    while (!result.done) {
      const ask = result.value;
      if (ask.kind === 'checkpoint') {
        if (!this.#commit(draft, null)) return false;
        trip.claimed = true;
        this.#maybeCrash();
        result = steps.next();
        continue;
      }
      const answer = this.#answer(ask, journal);
      if (draft.base !== this.row) return false;
      result = steps.next(answer);
    }
    // It pauses before its next try: nothing has come of it yet.
    if (!this.#commit(draft, draft.run ? null : 'activeflow_updated')) return false;
    this.#maybeCrash();
    return true;
  }

  /** Of several at once the last one is answered first: nothing may hang on their order. */
  #answer(ask: EffectAsk | FirstAsk, journal: Map<string, EffectAnswer>): EffectAnswer {
    if (ask.kind === 'first') {
      if (ask.until !== null && ask.until <= formatTime(this.clock.now())) return arrival(undefined);
      const one = ask.asks.at(-1);
      return arrival(one, one && this.#answer(one, journal));
    }
    const place = `${ask.step}/${ask.position}${ask.attempt === undefined ? '' : `/${ask.attempt}`}`;
    const answer = journal.get(place) ?? this.#perform({ place, effect: ask.effect });
    if (ask.effect.kind !== 'participant' && ask.effect.kind !== 'look') journal.set(place, answer);
    return answer;
  }

  #perform(asked: Asked): EffectAnswer {
    this.asked.push(asked);
    if (!this.#interrupted.has(asked.place)) {
      this.#interrupted.add(asked.place);
      this.#meanwhile(asked);
    }
    const answer = this.#flowAnswer(asked.effect) ?? this.#setting.script?.(asked.effect, asked.place) ?? realistic(asked.effect);
    this.#maybeCrash();
    return answer;
  }

  #meanwhile(asked: Asked): void {
    this.busy += 1;
    try {
      this.#setting.mishaps?.during?.(asked);
    } finally {
      this.busy -= 1;
    }
  }

  #flowAnswer(effect: Effect): EffectAnswer | undefined {
    const flow = effect.kind === 'flow' ? this.#flows.get(effect.id) : undefined;
    return flow && { ok: true, value: { id: flow.id, customer_id: flow.customer_id, list: flow.list } };
  }

  /** As the services change a row without walking it: the same key again changes nothing. `false`: nothing to change. */
  protected change(
    key: string,
    decide: (draft: Draft, world: World) => unknown,
    event: ActiveflowEventType | null = 'activeflow_updated',
  ): boolean {
    for (;;) {
      if (key !== '' && this.row.state.answers.some((known) => known.key === key)) return false;
      const draft = new Draft(this.row);
      if (decide(draft, this.world) === false) return false;
      const now = formatTime(this.clock.now());
      draft.answer(
        { key, status_code: 200, tm_update: now, tm_delete: draft.deleted ? now : this.row.tm_delete },
        this.limits.answers,
      );
      if (this.#commit(draft, event)) return true;
    }
  }

  #commit(draft: Draft, event: ActiveflowEventType | null): boolean {
    if (draft.base !== this.row || this.#setting.mishaps?.refuse?.()) return false;
    for (const { key, actions } of draft.lists) this.#lists.set(`own/${key}`, indexActions(stored(actions)));
    this.#follow(draft);
    const { event_seq, trace_seq } = this.row.state;
    const wake_at = wakeAt(draft, { clock: this.clock, options: OPTIONS });
    const next = draft.toRow({ event, moved: { event_seq, trace_seq }, now: this.clock.now(), wake_at });
    // Lines of the trace have a form of their own in rows.
    const row = this.#setting.serialised === false ? next : { ...stored(next), outbox: next.outbox };
    this.trace.push(...next.outbox.trace.flatMap((lines) => lines.steps));
    this.events.push(...row.outbox.events.map((pending) => pending.type));
    checkCommit(this.row, row, this.trace, this.limits);
    this.row = row;
    draft.committed(row);
    return true;
  }

  #follow(draft: Draft): void {
    const { base } = draft;
    const flow = this.#flows.get(base.on_complete_flow_id);
    if (!flow || !needsFollowUp(base.status, draft.status, base.on_complete_flow_id)) return;
    try {
      this.followUp = createFollowUp({ ...base, variables: draft.variables }, flow, id('child'), OPTIONS.lease_ms, this.world);
    } catch (thrown) {
      // It never keeps the end from happening.
      draft.note('failed', String(thrown), this.world);
    }
  }

  #maybeCrash(): void {
    // What others do meanwhile is done by other processes.
    if (this.busy === 0 && this.#setting.mishaps?.crash?.()) throw new Crash();
  }

  #addFlow(label: string, actions: readonly Action[]): void {
    const list = `list-${label}`;
    this.#lists.set(`customer/${list}`, indexActions(stored(actions)));
    this.#flows.set(id(label), { ...FLOW, id: id(label), list });
  }
}
