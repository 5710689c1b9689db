import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Delivery, WaitingDelivery } from '../model/subscription.ts';
import type { DeliveryOutcome, DeliveryStore, HeldLane, NewInLane, Page } from '../service/ports.ts';
import { addDeliveries, lockLanes } from './delivery-add.ts';
import { recordOutcomes } from './delivery-record.ts';
import { deliveryFromRow, WAITING_COLUMNS, waitingFromRow } from './delivery-row.ts';
import type { Dialect } from './dialect.ts';
import { ageMs } from './event.ts';
import { after } from './page.ts';
import type { LaneRow, Schema } from './schema.ts';
import type { Session } from './session.ts';

/**
 * Deliveries and their lanes. A lane's row says how far it has come and who has it; whoever adds to a lane or stores
 * what became of a delivery locks that row first, so that places in a lane are given without gaps and a late answer
 * of a process that has lost its lease changes nothing.
 */
export class SqlDeliveryStore implements DeliveryStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  add(lanes: readonly NewInLane[], backlog: number): Promise<{ added: number; dropped: number }> {
    return addDeliveries(this.#session, lanes, backlog);
  }

  claim(holder: string, limit: number, of: { readonly only: string } | { readonly not: readonly string[] }): Promise<HeldLane[]> {
    const { dialect } = this.#session;
    return this.#session.transaction(async (trx) => {
      const found = await trx
        .selectFrom('delivery_lanes')
        .selectAll()
        .where('claimable_at', '<=', dialect.now())
        .$call((query) => {
          if ('only' in of) return query.where('subscription_id', '=', of.only);
          return of.not.length > 0 ? query.where('subscription_id', 'not in', of.not) : query;
        })
        .orderBy('claimable_at')
        .limit(limit)
        .$if(dialect.locks, (query) => query.forUpdate().skipLocked())
        .execute();
      for (const lease_ms of new Set(found.map((lane) => lane.lease_ms))) {
        const ids = found.filter((lane) => lane.lease_ms === lease_ms).map((lane) => lane.id);
        await trx
          .updateTable('delivery_lanes')
          .set({ holder, claimable_at: dialect.now(lease_ms) })
          .where('id', 'in', ids)
          .execute();
      }
      return found.map(heldOf);
    });
  }

  async waiting(lanes: readonly HeldLane[], limit: number): Promise<WaitingDelivery[]> {
    if (lanes.length === 0) return [];
    // Of many lanes some of each, or the first few would be all that is read.
    const share = lanes.length === 1 ? Number.MAX_SAFE_INTEGER : Math.ceil(limit / lanes.length);
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('deliveries')
        .select(WAITING_COLUMNS)
        .where((eb) =>
          eb.or(
            lanes.map(({ id, done_position }) =>
              eb.and([
                eb('lane_id', '=', id),
                eb('position', '>', done_position),
                eb('position', '<=', Math.min(done_position + share, Number.MAX_SAFE_INTEGER)),
              ]),
            ),
          ),
        )
        .orderBy('lane_id')
        .orderBy('position')
        .limit(limit)
        .execute(),
    );
    return rows.map(waitingFromRow);
  }

  record(holder: string, outcomes: readonly DeliveryOutcome[]): Promise<ReadonlySet<string>> {
    return recordOutcomes(this.#session, holder, outcomes);
  }

  async release(holder: string, ids: readonly string[], how: 'due' | 'parked'): Promise<void> {
    if (ids.length === 0) return;
    const claimable_at = how === 'due' ? this.#session.dialect.now() : null;
    await this.#session.run((db) =>
      db
        .updateTable('delivery_lanes')
        .set({ holder: '', claimable_at })
        .where('id', 'in', ids)
        .where('holder', '=', holder)
        .execute(),
    );
  }

  /** The rows are locked first: who adds to a lane for a subscription that was made anew waits, and makes the lane anew. */
  async discard(holder: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { dialect } = this.#session;
    await this.#session.transaction(async (trx) => {
      const rows = await trx
        .selectFrom('delivery_lanes')
        .select(['id', 'subscription_id'])
        .where('id', 'in', ids)
        .where('holder', '=', holder)
        .orderBy('id')
        .$if(dialect.locks, (query) => query.forUpdate())
        .execute();
      if (rows.length === 0) return;
      const wanted = [...new Set(rows.map((row) => row.subscription_id))];
      const there = await trx.selectFrom('subscriptions').select('id').where('id', 'in', wanted).execute();
      const gone = rows.filter((row) => !there.some(({ id }) => id === row.subscription_id)).map((row) => row.id);
      if (gone.length === 0) return;
      await trx.deleteFrom('deliveries').where('lane_id', 'in', gone).execute();
      await trx.deleteFrom('delivery_lanes').where('id', 'in', gone).execute();
    });
  }

  async unpark(subscription_id: string, lease_ms: number, due: boolean): Promise<void> {
    await this.#session.run((db) =>
      db
        .updateTable('delivery_lanes')
        .set({ lease_ms })
        .where('subscription_id', '=', subscription_id)
        .where('lease_ms', '<>', lease_ms)
        .execute(),
    );
    if (!due) return;
    await this.#session.run((db) =>
      db
        .updateTable('delivery_lanes')
        .set({ claimable_at: this.#session.dialect.now() })
        .where('subscription_id', '=', subscription_id)
        .where('claimable_at', 'is', null)
        .whereRef('done_position', '<', 'last_position')
        .execute(),
    );
  }

  async get(id: string): Promise<Delivery | undefined> {
    const row = await this.#session.run((db) => db.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirst());
    return row && deliveryFromRow(this.#session.dialect, row);
  }

  async list(subscription_id: string, status: string | undefined, page: Page): Promise<Delivery[]> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) => {
      let query = db.selectFrom('deliveries').selectAll().where('subscription_id', '=', subscription_id);
      if (status !== undefined) query = query.where('status', '=', status);
      if (page.after) query = query.where(after<'deliveries'>(dialect, page.after));
      return query.orderBy('tm_create', 'desc').orderBy('id', 'desc').limit(page.size).execute();
    });
    return rows.map((row) => deliveryFromRow(dialect, row));
  }

  /** A delivery has one row wherever it is: it moves to the end of another lane, under its own id. */
  replay(
    lane: { readonly lane_id: string; readonly subscription_id: string; readonly lease_ms: number },
    which: { readonly id: string } | { readonly since: string },
    limit: number,
  ): Promise<number> {
    const { dialect } = this.#session;
    const { lane_id, subscription_id, lease_ms } = lane;
    return this.#session.transaction(async (trx) => {
      const locked = await lockLanes(trx, dialect, [{ lane_id, subscription_id, lease_ms }]);
      const found = await trx
        .selectFrom('deliveries')
        .select('id')
        .where('subscription_id', '=', subscription_id)
        .where(chosen(dialect, which))
        .where('body', '<>', '')
        .orderBy('tm_create')
        .orderBy('lane_id')
        .orderBy('position')
        .limit(limit)
        .execute();
      if (found.length === 0) return 0;
      let position = locked.get(lane_id)?.last_position ?? 0;
      for (const { id } of found) {
        position += 1;
        await trx
          .updateTable('deliveries')
          .set({ lane_id, position, status: 'pending', attempts: 0, next_try_at: dialect.now(), tm_update: dialect.now() })
          .where('id', '=', id)
          .execute();
      }
      await trx
        .updateTable('delivery_lanes')
        .set((eb) => ({
          last_position: position,
          claimable_at: eb.fn.coalesce('claimable_at', dialect.now()),
          tm_update: dialect.now(),
        }))
        .where('id', '=', lane_id)
        .execute();
      return found.length;
    });
  }

  async backlog(): Promise<{ lanes: number; age_ms: number }> {
    const { dialect } = this.#session;
    const row = await this.#session.run((db) =>
      db
        .selectFrom('delivery_lanes')
        .select((eb) => [eb.fn.countAll<number>().as('lanes'), eb.fn.min<string | null>('claimable_at').as('oldest')])
        .select(dialect.now().as('now'))
        .where('claimable_at', 'is not', null)
        .executeTakeFirstOrThrow(),
    );
    return { lanes: row.lanes, age_ms: ageMs(this.#session, row.oldest, row.now) };
  }
}

function chosen(dialect: Dialect, which: { readonly id: string } | { readonly since: string }) {
  return (eb: ExpressionBuilder<Schema, 'deliveries'>): Expression<SqlBool> =>
    'id' in which
      ? eb.and([eb('id', '=', which.id), eb('status', 'in', ['delivered', 'failed'])])
      : eb.and([eb('tm_create', '>=', dialect.time(which.since)), eb('status', '=', 'failed')]);
}

function heldOf(row: LaneRow): HeldLane {
  const { id, subscription_id, last_position, done_position, lease_ms } = row;
  return { id, subscription_id, last_position, done_position, lease_ms, missing: JSON.parse(row.missing) as number[] };
}
