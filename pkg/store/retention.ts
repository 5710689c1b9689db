import { sql } from 'kysely';
import type { Cleared, RetentionStore } from '../service/ports.ts';
import { clearActiveflows } from './clear-activeflows.ts';
import { behind } from './page.ts';
import type { Session } from './session.ts';

/** Where the next step goes on; null: this was the last. */
function nextPlace<Row>(rows: readonly Row[], limit: number, place: (last: Row) => string): string | null {
  const last = rows.at(-1);
  return rows.length < limit || !last ? null : place(last);
}

/**
 * Deletes what is no longer needed, a bounded number of rows at a time. Each step reads the rows behind a place by an
 * index, whether they may go or not, so that what has to stay is not read again and again at each step; it deletes by
 * key, and asks again for what makes a row deletable, because it may have changed since it was read. One file, long as it is: a
 * method for each table, all after the same pattern.
 */
export class SqlRetentionStore implements RetentionStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * By the time of creation, which is before that of the end: an index by the latter would be written by every commit.
   * What lives longer than most is read in each pass, and that is little.
   */
  async endedActiveflows(age_ms: number, after: string, limit: number): Promise<Cleared> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('activeflows')
        .select(['id', 'tm_create'])
        .select((eb) =>
          eb
            .case()
            .when(
              eb.and([
                eb('status', '=', 'ended'),
                eb('unsettled_at', 'is', null),
                eb(eb.fn.coalesce('tm_update', 'tm_create'), '<', dialect.now(-age_ms)),
              ]),
            )
            .then(1)
            .else(0)
            .end()
            .as('clear'),
        )
        .where('tm_create', '<', dialect.now(-age_ms))
        .where(behind<'activeflows'>('tm_create', 'id', after))
        .orderBy('tm_create')
        .orderBy('id')
        .limit(limit)
        .execute(),
    );
    const ids = rows.filter((row) => Number(row.clear) === 1).map((row) => row.id);
    return {
      count: await clearActiveflows(this.#session, ids),
      next: nextPlace(rows, limit, (last) => `${last.tm_create}~${last.id}`),
    };
  }

  /** One that an activeflow runs on, or ran on and still shows, stays until that one has gone. */
  async temporaryFlows(age_ms: number, after: string, limit: number): Promise<Cleared> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('flows')
        .select(['id', 'tm_expire'])
        .select((eb) =>
          eb
            .exists(eb.selectFrom('activeflows').select('activeflows.id').whereRef('activeflows.flow_id', '=', 'flows.id'))
            .as('used'),
        )
        .where('tm_expire', '<', dialect.now(-age_ms))
        .where(behind<'flows'>('tm_expire', 'id', after))
        .orderBy('tm_expire')
        .orderBy('id')
        .limit(limit)
        .execute(),
    );
    const ids = rows.filter((row) => Number(row.used) === 0).map((row) => row.id);
    return {
      count: await clearFlows(this.#session, ids),
      next: nextPlace(rows, limit, (last) => `${last.tm_expire}~${last.id}`),
    };
  }

  /**
   * A list that no version of a flow names and that was not put for `age_ms`. Whoever is about to name one puts it first,
   * and that renews `tm_used` (list.ts): so either this DELETE sees the new time and lets it be, or the put finds nothing
   * and writes it anew. An activeflow's own lists stay as long as it does; one that it got from another flow has its
   * time in the future (`use`).
   */
  async unusedLists(age_ms: number, after: string, limit: number): Promise<Cleared> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('action_lists')
        .select(['owner', 'list_key', 'tm_used'])
        .select((eb) => eb.case().when('tm_used', '<', dialect.now(-age_ms)).then(1).else(0).end().as('old'))
        .where(behind<'action_lists'>('owner', 'list_key', after))
        .orderBy('owner')
        .orderBy('list_key')
        .limit(limit)
        .execute(),
    );
    const unknown = rows.filter((row) => row.tm_used === null);
    const free = await this.#unnamed(rows.filter((row) => Number(row.old) === 1));
    await this.#beginToCount(unknown);
    return {
      count: await this.#clearLists(free, age_ms),
      next: nextPlace(rows, limit, (last) => `${last.owner}~${last.list_key}`),
    };
  }

  async flowAnswers(limit: number): Promise<Cleared> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('flow_answers')
        .select('key_hash')
        .where('expires_at', '<=', dialect.now())
        .orderBy('expires_at')
        .limit(limit)
        .execute(),
    );
    if (rows.length === 0) return { count: 0, next: null };
    const keys = rows.map((row) => row.key_hash);
    const result = await this.#session.run((db) =>
      db.deleteFrom('flow_answers').where('key_hash', 'in', keys).where('expires_at', '<=', dialect.now()).executeTakeFirst(),
    );
    return { count: Number(result.numDeletedRows), next: rows.length < limit ? null : 'more' };
  }

  async redeliveries(age_ms: number, after: string, limit: number): Promise<Cleared> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) =>
      db.selectFrom('redeliveries').select('id').where('id', '>', after).orderBy('id').limit(limit).execute(),
    );
    if (rows.length === 0) return { count: 0, next: null };
    const ids = rows.map((row) => row.id);
    const result = await this.#session.run((db) =>
      db.deleteFrom('redeliveries').where('id', 'in', ids).where('tm_update', '<', dialect.now(-age_ms)).executeTakeFirst(),
    );
    return { count: Number(result.numDeletedRows), next: rows.length < limit ? null : (ids.at(-1) ?? null) };
  }

  async deliveries(age_ms: number, after: string, limit: number): Promise<Cleared> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('deliveries')
        .select(['id', 'tm_create', 'status'])
        .where('tm_create', '<', dialect.now(-age_ms))
        .where(behind<'deliveries'>('tm_create', 'id', after))
        .orderBy('tm_create')
        .orderBy('id')
        .limit(limit)
        .execute(),
    );
    const over = rows.filter((row) => row.status !== 'pending').map((row) => row.id);
    return {
      count: await this.#clearDeliveries(over),
      next: nextPlace(rows, limit, (last) => `${last.tm_create}~${last.id}`),
    };
  }

  /** A lane without deliveries begins to count anew when it is needed again; nobody who has its numbers is left by then. */
  async deliveryLanes(age_ms: number, after: string, limit: number): Promise<Cleared> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) =>
      db.selectFrom('delivery_lanes').select('id').where('id', '>', after).orderBy('id').limit(limit).execute(),
    );
    if (rows.length === 0) return { count: 0, next: null };
    const ids = rows.map((row) => row.id);
    const result = await this.#session.run((db) =>
      db
        .deleteFrom('delivery_lanes')
        .where('id', 'in', ids)
        .where('claimable_at', 'is', null)
        .whereRef('done_position', '>=', 'last_position')
        .where('tm_update', '<', dialect.now(-age_ms))
        .where((eb) =>
          eb.not(eb.exists(eb.selectFrom('deliveries').select('deliveries.id').whereRef('lane_id', '=', 'delivery_lanes.id'))),
        )
        .executeTakeFirst(),
    );
    return { count: Number(result.numDeletedRows), next: rows.length < limit ? null : (ids.at(-1) ?? null) };
  }

  /**
   * Whoever needs one renews `tm_used` first and reads the subscription then (fan-out.ts): so either the locked row has the
   * new time and this lets it be, or the subscription has gone when it is read, and is made anew.
   */
  async webhookUris(age_ms: number, after: string, limit: number): Promise<Cleared> {
    const { dialect } = this.#session;
    return this.#session.transaction(async (trx) => {
      const rows = await trx
        .selectFrom('subscription_uses')
        .select('subscription_id as id')
        .where('subscription_id', '>', after)
        .where('tm_used', '<', dialect.now(-age_ms))
        .orderBy('subscription_id')
        .limit(limit)
        .$if(dialect.locks, (query) => query.forUpdate())
        .execute();
      if (rows.length === 0) return { count: 0, next: null };
      const ids = rows.map((row) => row.id);
      const lanes = await trx
        .selectFrom('delivery_lanes')
        .select('subscription_id')
        .distinct()
        .where('subscription_id', 'in', ids)
        .execute();
      const changed = await trx
        .selectFrom('subscriptions')
        .select('id')
        .where('id', 'in', ids)
        .where('tm_update', 'is not', null)
        .execute();
      const kept = new Set([...lanes.map((row) => row.subscription_id), ...changed.map((row) => row.id)]);
      const gone = ids.filter((id) => !kept.has(id));
      if (gone.length > 0) {
        await trx.deleteFrom('subscriptions').where('id', 'in', gone).where('tm_update', 'is', null).execute();
        await trx.deleteFrom('subscription_uses').where('subscription_id', 'in', gone).execute();
      }
      return { count: gone.length, next: rows.length < limit ? null : (ids.at(-1) ?? null) };
    });
  }

  async #clearDeliveries(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const result = await this.#session.run((db) =>
      db.deleteFrom('deliveries').where('id', 'in', ids).where('status', '<>', 'pending').executeTakeFirst(),
    );
    return Number(result.numDeletedRows);
  }

  async #unnamed<T extends ListPlace>(lists: readonly T[]): Promise<readonly T[]> {
    if (lists.length === 0) return [];
    const keys = lists.map((list) => list.list_key);
    const owners = [...new Set(lists.map((list) => list.owner))];
    const [versions, activeflows] = await this.#session.run((db) =>
      Promise.all([
        db.selectFrom('flow_versions').select('list').distinct().where('list', 'in', keys).execute(),
        db.selectFrom('activeflows').select('id').where('id', 'in', owners).execute(),
      ]),
    );
    const named = new Set(versions.map((row) => row.list));
    const living = new Set(activeflows.map((row) => row.id));
    return lists.filter((list) => !named.has(list.list_key) && !living.has(list.owner));
  }

  /** Of one that an older release wrote it is not known when it was last used: it counts from now on. */
  async #beginToCount(lists: readonly ListPlace[]): Promise<void> {
    if (lists.length === 0) return;
    await this.#session.run((db) =>
      db
        .updateTable('action_lists')
        .set({ tm_used: this.#session.dialect.now() })
        .where('tm_used', 'is', null)
        .where(amongst(lists))
        .execute(),
    );
  }

  async #clearLists(lists: readonly ListPlace[], age_ms: number): Promise<number> {
    if (lists.length === 0) return 0;
    const result = await this.#session.run((db) =>
      db
        .deleteFrom('action_lists')
        .where(amongst(lists))
        .where('tm_used', '<', this.#session.dialect.now(-age_ms))
        .executeTakeFirst(),
    );
    return Number(result.numDeletedRows);
  }
}

interface ListPlace {
  readonly owner: string;
  readonly list_key: string;
}

/** Written out: neither server uses the index for a comparison of pairs with a list. */
function amongst(lists: readonly ListPlace[]) {
  return sql<boolean>`(${sql.join(
    lists.map(({ owner, list_key }) => sql`(owner = ${owner} and list_key = ${list_key})`),
    sql` or `,
  )})`;
}

/** Flows with all their versions, by ids. Their lists are found by `unusedLists`. */
export async function clearFlows(session: Session, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  return session.transaction(async (trx) => {
    await trx.deleteFrom('flow_versions').where('flow_id', 'in', ids).execute();
    const result = await trx.deleteFrom('flows').where('id', 'in', ids).executeTakeFirst();
    return Number(result.numDeletedRows);
  });
}
