import type { Context } from './context.ts';
import type { Cleared } from './ports.ts';

/** How long things are kept after they are of no more use to a flow, in ms; 0: for ever. */
export interface RetentionOptions {
  readonly ended_ms: number;
  readonly temporary_flows_ms: number;
  readonly unused_lists_ms: number;
  readonly redeliveries_ms: number;
  readonly participants_ms: number;
  readonly workflow_calls_ms: number;
  readonly pushed_events_ms: number;
  readonly deliveries_ms: number;
}

interface Kind {
  readonly name:
    | 'activeflow'
    | 'temporary_flow'
    | 'flow_answer'
    | 'redelivery'
    | 'action_list'
    | 'participant_entry'
    | 'workflow_call'
    | 'pushed_event'
    | 'delivery'
    | 'delivery_lane'
    | 'webhook_uri';
  /** From the end of one pass to the beginning of the next. */
  readonly every_ms: number;
  readonly step: (after: string) => Promise<Cleared>;
}

/** Rows that one step looks at: some hundred small statements hold no lock for long. */
const ROWS = 200;
/** Activeflows take traces of many rows with them. */
const ACTIVEFLOWS = 25;
/** Between two steps that deleted something, so that requests come in between. */
const PAUSE_MS = 50;
const EVERY_MS = 60_000;
/** Every list is looked at, whether it is in use or not. */
const LISTS_EVERY_MS = 3_600_000;
/**
 * Whatever the operator says, nothing goes earlier: a request under way may still name it, and a repeat of a request
 * is known for as long.
 */
const LEAST_MS = 3_600_000;
/** A call is known by the key of its caller for as long. */
const LEAST_CALL_MS = 86_400_000;

/**
 * Deletes what has been kept for long enough, one small step after another, one kind after another. One process at a time
 * is at it, by a lease; should two be, they delete the same things, which harms nothing. Where a pass stands is in memory:
 * the next process begins anew.
 */
export class Retention {
  readonly #context: Context;
  readonly #kinds: readonly Kind[];
  readonly #holder: string;
  /** When the next pass of a kind may begin, by the clock. */
  readonly #next = new Map<Kind, number>();
  #after = '';

  constructor(context: Context, options: RetentionOptions) {
    this.#context = context;
    this.#holder = context.ids.next();
    this.#kinds = kindsOf(context, options);
  }

  /** One step. How many ms until the next one may follow. */
  async turn(): Promise<number> {
    const { store, clock, meter, options } = this.#context;
    const now = clock.now();
    const kind = this.#kinds.find((some) => (this.#next.get(some) ?? 0) <= now);
    if (!kind) return Math.max(0, Math.min(...[...this.#next.values()], now + EVERY_MS) - now);
    if (!(await store.leases.take('retention', this.#holder, options.lease_ms))) return options.lease_ms;
    const { count, next } = await kind.step(this.#after);
    if (count > 0) meter.add('retention_deleted_total', { kind: kind.name }, count);
    this.#after = next ?? '';
    if (next === null) this.#next.set(kind, clock.now() + kind.every_ms);
    return count > 0 ? PAUSE_MS : 0;
  }
}

function kindsOf({ store: { retention, participants, workflows, pushes } }: Context, options: RetentionOptions): Kind[] {
  const kinds: Kind[] = [{ name: 'flow_answer', every_ms: EVERY_MS, step: () => retention.flowAnswers(ROWS) }];
  const add = (
    name: Kind['name'],
    keep_ms: number,
    every_ms: number,
    step: (age_ms: number, after: string) => Promise<Cleared>,
  ) => {
    if (keep_ms > 0) kinds.push({ name, every_ms, step: (after) => step(Math.max(keep_ms, LEAST_MS), after) });
  };
  add('activeflow', options.ended_ms, EVERY_MS, (age, after) => retention.endedActiveflows(age, after, ACTIVEFLOWS));
  add('temporary_flow', options.temporary_flows_ms, EVERY_MS, (age, after) => retention.temporaryFlows(age, after, ROWS));
  add('redelivery', options.redeliveries_ms, EVERY_MS, (age, after) => retention.redeliveries(age, after, ROWS));
  add('workflow_call', options.workflow_calls_ms, EVERY_MS, (age, after) =>
    workflows.clearCalls(Math.max(age, LEAST_CALL_MS), after, ROWS),
  );
  add('pushed_event', options.pushed_events_ms, EVERY_MS, (age, after) => pushes.clear(age, after, ROWS));
  add('delivery', options.deliveries_ms, EVERY_MS, (age, after) => retention.deliveries(age, after, ROWS));
  add('delivery_lane', options.deliveries_ms, LISTS_EVERY_MS, (age, after) => retention.deliveryLanes(age, after, ROWS));
  add('webhook_uri', options.deliveries_ms, LISTS_EVERY_MS, (age, after) => retention.webhookUris(age, after, ROWS));
  add('action_list', options.unused_lists_ms, LISTS_EVERY_MS, (age, after) => retention.unusedLists(age, after, ROWS));
  add('participant_entry', options.participants_ms, EVERY_MS, async (age) => {
    const count = await participants.forget(age, ROWS);
    return { count, next: count === ROWS ? 'more' : null };
  });
  return kinds;
}
