import { expressionBuilder, type RawBuilder, sql, type Transaction } from 'kysely';
import type { DeliveryOutcome, HeldLane } from '../service/ports.ts';
import { numberToRow } from './delivery-row.ts';
import type { Dialect } from './dialect.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';

/** Outcomes of one lane, in order, and how it is after them. */
interface Recorded {
  readonly outcomes: readonly DeliveryOutcome[];
  readonly last: DeliveryOutcome;
  /** Deliveries that are over with them. */
  readonly done: number;
  /** It waits for its next try, or nothing waits in it. */
  readonly free: boolean;
}

/** Stores outcomes of many lanes in three statements. Those of lanes that are another's by now are left out. */
export async function recordOutcomes(
  session: Session,
  holder: string,
  outcomes: readonly DeliveryOutcome[],
): Promise<ReadonlySet<string>> {
  if (outcomes.length === 0) return new Set();
  const { dialect } = session;
  const byLane = grouped(outcomes, ({ lane }) => lane.id);
  const recorded = await session.transaction(async (trx) => {
    const rows = await trx
      .selectFrom('delivery_lanes')
      .select(['id', 'last_position', 'done_position'])
      .where('id', 'in', [...byLane.keys()])
      .where('holder', '=', holder)
      .orderBy('id')
      .$if(dialect.locks, (query) => query.forUpdate())
      .execute();
    const ours = rows.flatMap((row) => afterThem(byLane.get(row.id) ?? [], row));
    if (ours.length === 0) return [];
    await writeDeliveries(
      trx,
      dialect,
      ours.flatMap((one) => one.outcomes),
    );
    await writeLanes(trx, dialect, ours);
    return ours;
  });
  return new Set(recorded.filter(({ free }) => !free).map(({ last }) => last.lane.id));
}

type Place = Pick<HeldLane, 'last_position' | 'done_position'>;

/** None where those before them were not stored: one that was left out would never be sent again. */
function afterThem(outcomes: readonly DeliveryOutcome[], { last_position, done_position }: Place): Recorded[] {
  const [first, last] = [outcomes[0], outcomes.at(-1)];
  if (!first || !last || first.lane.done_position !== done_position) return [];
  const pending = last.status === 'pending';
  const done = (pending ? last.lane.done_position : last.delivery.position) - done_position;
  return [{ outcomes, last, done, free: pending || last.delivery.position >= last_position }];
}

/** Only the columns that change in some row: nearly all deliveries go well at once, and leave most as they were. */
async function writeDeliveries(trx: Transaction<Schema>, dialect: Dialect, outcomes: readonly DeliveryOutcome[]): Promise<void> {
  const each = <T, Column>(value: (outcome: DeliveryOutcome) => T, write: (value: T) => RawBuilder<Column>) =>
    byValue(outcomes, ({ delivery }) => delivery.id, value, write);
  await trx
    .updateTable('deliveries')
    .set({
      status: each(({ status }) => status, plain<string>),
      attempts: each(({ attempts }) => attempts, plain<number>),
      response_code: each(({ response_code }) => numberToRow(response_code), plain<number>),
      latency_ms: each(({ latency_ms }) => numberToRow(latency_ms), plain<number>),
      ...(outcomes.some(({ error, delivery }) => error !== delivery.error) && {
        error: each(({ error }) => error, plain<string | null>),
      }),
      ...(outcomes.some(({ again_ms }) => again_ms !== undefined) && {
        next_try_at: each(
          ({ again_ms }) => again_ms,
          (again_ms) => (again_ms === undefined ? sql.ref<string | null>('next_try_at') : dialect.now(again_ms)),
        ),
      }),
      tm_update: dialect.now(),
    })
    .where(
      'id',
      'in',
      outcomes.map(({ delivery }) => delivery.id),
    )
    .execute();
}

/** Only the columns that change in some row. */
async function writeLanes(trx: Transaction<Schema>, dialect: Dialect, recorded: readonly Recorded[]): Promise<void> {
  const each = <T, Column>(value: (recorded: Recorded) => T, write: (value: T) => RawBuilder<Column>) =>
    byValue(recorded, ({ last }) => last.lane.id, value, write);
  await trx
    .updateTable('delivery_lanes')
    .set({
      done_position: each(
        ({ done }) => done,
        (done) => sql<number>`done_position + ${done}`,
      ),
      ...(recorded.some(({ outcomes }) => outcomes.some(changesMissing)) && {
        missing: each(({ last }) => JSON.stringify(last.missing), plain<string>),
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
      recorded.map(({ last }) => last.lane.id),
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
function claimableIn({ outcomes, last, free }: Recorded): number | null | typeof KEPT {
  if (last.again_ms !== undefined) return last.again_ms;
  if (free) return null;
  return outcomes.some(({ renews }) => renews) ? last.lane.lease_ms : KEPT;
}

function changesMissing({ missing, lane }: DeliveryOutcome): boolean {
  return missing.length + lane.missing.length > 0;
}

/**
 * `case when id in (…) then … else … end`, and what most have is the rest: nearly all outcomes of a round are alike, and a
 * value by itself for each of a hundred rows takes longer to write and to read than all else of the statement.
 */
function byValue<One, T, Column>(
  all: readonly One[],
  idOf: (one: One) => string,
  toValue: (one: One) => T,
  write: (value: T) => RawBuilder<Column>,
): RawBuilder<Column> {
  const [most, ...others] = [...grouped(all, toValue)].sort(([, a], [, b]) => b.length - a.length);
  if (!most) throw new Error('no outcomes');
  if (others.length === 0) return write(most[0]);
  const eb = expressionBuilder<{ rows: { id: string } }, 'rows'>();
  const cases = others.map(([value, some]) => sql`when ${eb('id', 'in', some.map(idOf))} then ${write(value)}`);
  return sql<Column>`case ${sql.join(cases, sql` `)} else ${write(most[0])} end`;
}

/** In the order in which they stand; Map.groupBy is not in Node 20. */
function grouped<One, Key>(all: readonly One[], keyOf: (one: One) => Key): Map<Key, One[]> {
  const groups = new Map<Key, One[]>();
  for (const one of all) {
    const key = keyOf(one);
    const same = groups.get(key);
    if (same) same.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}
