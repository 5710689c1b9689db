import { sql, type Transaction } from 'kysely';
import type { NewInLane } from '../service/ports.ts';
import { deliveryToRow } from './delivery-row.ts';
import type { Dialect } from './dialect.ts';
import { inPieces } from './pieces.ts';
import type { DeliveryRow, LaneRow, Schema } from './schema.ts';
import type { Session } from './session.ts';

type LaneOf = Pick<NewInLane, 'lane_id' | 'subscription_id' | 'lease_ms'>;

/** Numbers what is new in each lane and puts it at the lane's end; what finds its lane full leaves its number only. */
export async function addDeliveries(
  session: Session,
  lanes: readonly NewInLane[],
  backlog: number,
): Promise<{ added: number; dropped: number }> {
  if (lanes.length === 0) return { added: 0, dropped: 0 };
  const { dialect } = session;
  return session.transaction(async (trx) => {
    const locked = await lockLanes(trx, dialect, lanes);
    const known = await knownIds(trx, lanes);
    const rows: DeliveryRow[] = [];
    const last = new Map<string, number>();
    for (const lane of lanes) {
      const now = locked.get(lane.lane_id);
      if (!now) continue;
      let position = last.get(lane.lane_id) ?? now.last_position;
      for (const one of lane.deliveries) {
        if (known.has(one.id)) continue;
        known.add(one.id);
        position += 1;
        rows.push(deliveryToRow(dialect, lane, one, { position, full: position - now.done_position > backlog }));
        last.set(lane.lane_id, position);
      }
    }
    for (const piece of inPieces(rows, (row) => row.body.length + 200))
      await trx.insertInto('deliveries').values(piece).execute();
    await moveEnds(trx, dialect, last);
    return { added: rows.length, dropped: rows.filter((row) => row.status === 'dropped').length };
  });
}

/** Locks the rows of lanes, those that are not there yet made first. In one order everywhere, against deadlocks. */
export async function lockLanes(
  trx: Transaction<Schema>,
  dialect: Dialect,
  lanes: readonly LaneOf[],
): Promise<Map<string, Pick<LaneRow, 'last_position' | 'done_position'>>> {
  const ids = [...new Set(lanes.map((lane) => lane.lane_id))];
  const found = await readLocked(trx, dialect, ids);
  const missing = ids.filter((id) => !found.has(id));
  if (missing.length === 0) return found;
  const rows = missing.sort().flatMap((id) => {
    const lane = lanes.find((one) => one.lane_id === id);
    return lane ? [newLane(dialect, lane)] : [];
  });
  const insert = trx.insertInto('delivery_lanes').values(rows);
  await (dialect.name === 'mysql' ? insert.onDuplicateKeyUpdate({ id: sql`id` }) : insert.orIgnore()).execute();
  return readLocked(trx, dialect, ids);
}

async function readLocked(trx: Transaction<Schema>, dialect: Dialect, ids: readonly string[]) {
  const rows = await trx
    .selectFrom('delivery_lanes')
    .select(['id', 'last_position', 'done_position'])
    .where('id', 'in', ids)
    .orderBy('id')
    .$if(dialect.locks, (query) => query.forUpdate())
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

function newLane(dialect: Dialect, { lane_id, subscription_id, lease_ms }: LaneOf) {
  return {
    id: lane_id,
    subscription_id,
    last_position: 0,
    done_position: 0,
    missing: '[]',
    lease_ms,
    holder: '',
    claimable_at: null,
    tm_update: dialect.now(),
  };
}

async function knownIds(trx: Transaction<Schema>, lanes: readonly NewInLane[]): Promise<Set<string>> {
  const ids = lanes.flatMap((lane) => lane.deliveries.map((one) => one.id));
  const known = new Set<string>();
  for (const piece of inPieces(ids, (id) => id.length)) {
    const rows = await trx.selectFrom('deliveries').select('id').where('id', 'in', piece).execute();
    for (const row of rows) known.add(row.id);
  }
  return known;
}

/** A lane that somebody has, or that waits for its next try, keeps its time. */
async function moveEnds(trx: Transaction<Schema>, dialect: Dialect, last: ReadonlyMap<string, number>): Promise<void> {
  if (last.size === 0) return;
  const cases = [...last].map(([id, position]) => sql`when ${id} then ${position}`);
  await trx
    .updateTable('delivery_lanes')
    .set((eb) => ({
      last_position: sql<number>`case id ${sql.join(cases, sql` `)} end`,
      claimable_at: eb.fn.coalesce('claimable_at', dialect.now()),
      tm_update: dialect.now(),
    }))
    .where('id', 'in', [...last.keys()])
    .execute();
}
