import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DeliveryOutcome, HeldLane } from '../service/ports.ts';
import type { Dialect } from './dialect.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';

/** An outcome, and its lane as it is after it. */
interface Recorded {
  readonly outcome: DeliveryOutcome;
  readonly lane: HeldLane;
  /** It waits for its next try, or nothing waits in it. */
  readonly free: boolean;
}

/** Stores outcomes of many lanes, one each, in three statements. Those of lanes that are another's by now are left out. */
export async function recordOutcomes(
  session: Session,
  holder: string,
  outcomes: readonly DeliveryOutcome[],
): Promise<HeldLane[]> {
  if (outcomes.length === 0) return [];
  const { dialect } = session;
  const recorded = await session.transaction(async (trx) => {
    const ids = outcomes.map(({ lane }) => lane.id);
    const rows = await trx
      .selectFrom('delivery_lanes')
      .select(['id', 'last_position'])
      .where('id', 'in', ids)
      .where('holder', '=', holder)
      .orderBy('id')
      .$if(dialect.locks, (query) => query.forUpdate())
      .execute();
    const last = new Map(rows.map((row) => [row.id, row.last_position]));
    const ours = outcomes.flatMap((outcome) => afterIt(outcome, last.get(outcome.lane.id)));
    if (ours.length === 0) return [];
    await writeDeliveries(trx, dialect, ours);
    await writeLanes(trx, dialect, ours);
    return ours;
  });
  return recorded.filter(({ free }) => !free).map(({ lane }) => lane);
}

function afterIt(outcome: DeliveryOutcome, last_position: number | undefined): Recorded[] {
  if (last_position === undefined) return [];
  const { lane, delivery, status, missing } = outcome;
  const over = status !== 'pending';
  const done_position = over ? delivery.position : lane.done_position;
  const next = { ...lane, last_position, done_position, missing };
  return [{ outcome, lane: next, free: !over || done_position >= last_position }];
}

async function writeDeliveries(trx: Transaction<Schema>, dialect: Dialect, recorded: readonly Recorded[]): Promise<void> {
  const each = <T>(value: (outcome: DeliveryOutcome) => T | RawBuilder<T>) =>
    byKey<T>(recorded, ({ outcome }) => outcome.delivery.id, value);
  await trx
    .updateTable('deliveries')
    .set({
      status: each<string>(({ status }) => status),
      attempts: each(({ attempts }) => attempts),
      response_code: each(({ response_code }) => response_code),
      latency_ms: each(({ latency_ms }) => latency_ms),
      error: each(({ error }) => error),
      next_try_at: each<string | null>(({ again_ms }) => (again_ms === undefined ? null : dialect.now(again_ms))),
      tm_update: dialect.now(),
    })
    .where(
      'id',
      'in',
      recorded.map(({ outcome }) => outcome.delivery.id),
    )
    .execute();
}

async function writeLanes(trx: Transaction<Schema>, dialect: Dialect, recorded: readonly Recorded[]): Promise<void> {
  const each = <T>(value: (outcome: DeliveryOutcome, recorded: Recorded) => T | RawBuilder<T>) =>
    byKey<T>(recorded, ({ lane }) => lane.id, value);
  await trx
    .updateTable('delivery_lanes')
    .set({
      done_position: each((_, { lane }) => lane.done_position),
      missing: each(({ missing }) => JSON.stringify(missing)),
      holder: sql<string>`case when ${each((_, { free }) => (free ? 1 : 0))} = 1 then '' else holder end`,
      claimable_at: each<string | null>(({ again_ms }, { lane, free }) =>
        again_ms !== undefined ? dialect.now(again_ms) : free ? null : dialect.now(lane.lease_ms),
      ),
      tm_update: dialect.now(),
    })
    .where(
      'id',
      'in',
      recorded.map(({ lane }) => lane.id),
    )
    .execute();
}

/** `case id when … then … end` */
function byKey<T>(
  recorded: readonly Recorded[],
  keyOf: (recorded: Recorded) => string,
  value: (outcome: DeliveryOutcome, recorded: Recorded) => unknown,
): RawBuilder<T> {
  const cases = recorded.map((one) => sql`when ${keyOf(one)} then ${value(one.outcome, one)}`);
  return sql<T>`case id ${sql.join(cases, sql` `)} end`;
}
