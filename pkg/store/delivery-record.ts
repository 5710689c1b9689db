import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { DeliveryOutcome } from '../service/ports.ts';
import type { Dialect } from './dialect.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';

/** An outcome, and how its lane is after it. */
interface Recorded {
  readonly outcome: DeliveryOutcome;
  /** Deliveries that are over since it was held, which nearly always is one. */
  readonly done: number;
  /** It waits for its next try, or nothing waits in it. */
  readonly free: boolean;
}

/** Stores outcomes of many lanes, one each, in three statements. Those of lanes that are another's by now are left out. */
export async function recordOutcomes(
  session: Session,
  holder: string,
  outcomes: readonly DeliveryOutcome[],
): Promise<ReadonlySet<string>> {
  if (outcomes.length === 0) return new Set();
  const { dialect } = session;
  const byLane = new Map(outcomes.map((outcome) => [outcome.lane.id, outcome]));
  const recorded = await session.transaction(async (trx) => {
    const rows = await trx
      .selectFrom('delivery_lanes')
      .select(['id', 'last_position'])
      .where('id', 'in', [...byLane.keys()])
      .where('holder', '=', holder)
      .orderBy('id')
      .$if(dialect.locks, (query) => query.forUpdate())
      .execute();
    const ours = rows.flatMap(({ id, last_position }) => afterIt(byLane.get(id), last_position));
    if (ours.length === 0) return [];
    await writeDeliveries(trx, dialect, ours);
    await writeLanes(trx, dialect, ours);
    return ours;
  });
  return new Set(recorded.filter(({ free }) => !free).map(({ outcome }) => outcome.lane.id));
}

function afterIt(outcome: DeliveryOutcome | undefined, last_position: number): Recorded[] {
  if (outcome === undefined) return [];
  const { lane, delivery, status } = outcome;
  const done = status === 'pending' ? 0 : delivery.position - lane.done_position;
  return [{ outcome, done, free: status === 'pending' || delivery.position >= last_position }];
}

/** Only the columns that change in some row: nearly all deliveries go well at once, and leave most as they were. */
async function writeDeliveries(trx: Transaction<Schema>, dialect: Dialect, recorded: readonly Recorded[]): Promise<void> {
  const each = <T, Column>(value: (outcome: DeliveryOutcome) => T, write: (value: T) => RawBuilder<Column>) =>
    byValue(
      recorded,
      ({ outcome }) => outcome.delivery.id,
      ({ outcome }) => value(outcome),
      write,
    );
  await trx
    .updateTable('deliveries')
    .set({
      status: each(({ status }) => status, plain<string>),
      attempts: each(({ attempts }) => attempts, plain<number>),
      response_code: each(({ response_code }) => response_code, plain<number | null>),
      latency_ms: each(({ latency_ms }) => latency_ms, plain<number | null>),
      ...(recorded.some(({ outcome }) => outcome.error !== outcome.delivery.error) && {
        error: each(({ error }) => error, plain<string | null>),
      }),
      ...(recorded.some(({ outcome }) => outcome.again_ms !== undefined || outcome.delivery.next_try_at !== null) && {
        next_try_at: each(
          ({ again_ms = null }) => again_ms,
          (again_ms) => (again_ms === null ? NULL : dialect.now(again_ms)),
        ),
      }),
      tm_update: dialect.now(),
    })
    .where(
      'id',
      'in',
      recorded.map(({ outcome }) => outcome.delivery.id),
    )
    .execute();
}

/** Only the columns that change in some row. */
async function writeLanes(trx: Transaction<Schema>, dialect: Dialect, recorded: readonly Recorded[]): Promise<void> {
  const each = <T, Column>(value: (recorded: Recorded) => T, write: (value: T) => RawBuilder<Column>) =>
    byValue(recorded, ({ outcome }) => outcome.lane.id, value, write);
  await trx
    .updateTable('delivery_lanes')
    .set({
      done_position: each(
        ({ done }) => done,
        (done) => sql<number>`done_position + ${done}`,
      ),
      ...(recorded.some(({ outcome }) => outcome.missing.length + outcome.lane.missing.length > 0) && {
        missing: each(({ outcome }) => JSON.stringify(outcome.missing), plain<string>),
      }),
      ...(recorded.some(({ free }) => free) && {
        holder: each(
          ({ free }) => free,
          (free) => (free ? sql<string>`''` : sql.ref<string>('holder')),
        ),
      }),
      ...(recorded.some((one) => claimableIn(one) !== KEPT) && {
        claimable_at: each(claimableIn, (ms) => (ms === null ? NULL : ms === KEPT ? CLAIMABLE_AT : dialect.now(ms))),
      }),
      tm_update: dialect.now(),
    })
    .where(
      'id',
      'in',
      recorded.map(({ outcome }) => outcome.lane.id),
    )
    .execute();
}

const NULL = sql<string | null>`null`;
const CLAIMABLE_AT = sql.ref<string | null>('claimable_at');
const KEPT = 'kept';

function plain<T>(value: T): RawBuilder<T> {
  return sql<T>`${value}`;
}

/** How long until somebody may take its lane, in ms; null: nothing waits in it. Two indexes hold it, so it seldom changes. */
function claimableIn({ outcome, free }: Recorded): number | null | typeof KEPT {
  if (outcome.again_ms !== undefined) return outcome.again_ms;
  if (free) return null;
  return outcome.renews ? outcome.lane.lease_ms : KEPT;
}

/**
 * `case when id in (…) then … else … end`, and what most have is the rest: nearly all outcomes of a round are alike, and a
 * value by itself for each of a hundred rows takes longer to write and to read than all else of the statement.
 */
function byValue<T, Column>(
  recorded: readonly Recorded[],
  idOf: (recorded: Recorded) => string,
  toValue: (recorded: Recorded) => T,
  write: (value: T) => RawBuilder<Column>,
): RawBuilder<Column> {
  const ids = new Map<T, string[]>();
  for (const one of recorded) {
    const value = toValue(one);
    const same = ids.get(value);
    if (same) same.push(idOf(one));
    else ids.set(value, [idOf(one)]);
  }
  const [most, ...others] = [...ids].sort(([, a], [, b]) => b.length - a.length);
  if (!most) throw new Error('no outcomes');
  if (others.length === 0) return write(most[0]);
  const cases = others.map(([value, some]) => sql`when id in (${sql.join(some)}) then ${write(value)}`);
  return sql<Column>`case ${sql.join(cases, sql` `)} else ${write(most[0])} end`;
}
