import { sql, type Transaction } from 'kysely';
import type { Json } from '../model/json.ts';
import type { Cleared, NewPush, PushedEvent, PushStore } from '../service/ports.ts';
import type { Dialect } from './dialect.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';

/**
 * Numbers an event and stores it. The number comes from the channel's own row, whose lock is held until the commit: so
 * numbers of a channel are given in the order of the commits, and whoever has seen one will never see a lower one
 * appear. A counter of the table (auto_increment) is given before the commit, and could.
 *
 * A new channel begins at the time in ms: should one be cleared away and begin anew, it goes on above what it had.
 */
export async function appendPush(trx: Transaction<Schema>, dialect: Dialect, push: NewPush): Promise<void> {
  const { owner, workflow_call_id, name, data } = push;
  const now = dialect.now();
  const next = sql<number>`${sql.ref('push_heads.seq')} + 1`;
  const insert = trx.insertInto('push_heads').values({ owner, seq: Date.now(), tm_update: now });
  if (dialect.name === 'mysql') await insert.onDuplicateKeyUpdate({ seq: next, tm_update: now }).execute();
  else await insert.onConflict((on) => on.column('owner').doUpdateSet({ seq: next, tm_update: now })).execute();
  const { seq } = await trx.selectFrom('push_heads').select('seq').where('owner', '=', owner).executeTakeFirstOrThrow();
  await trx
    .insertInto('push_events')
    .values({ owner, seq, workflow_call_id, name, data: JSON.stringify(data), tm_create: now })
    .execute();
}

/** Channels asked after in one statement. */
const OWNERS_AT_ONCE = 500;

export class SqlPushStore implements PushStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async heads(owners: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (let from = 0; from < owners.length; from += OWNERS_AT_ONCE) {
      const some = owners.slice(from, from + OWNERS_AT_ONCE);
      const rows = await this.#session.run((db) =>
        db.selectFrom('push_heads').select(['owner', 'seq']).where('owner', 'in', some).execute(),
      );
      for (const { owner, seq } of rows) found.set(owner, seq);
    }
    return found;
  }

  async read(owner: string, after: number, limit: number): Promise<PushedEvent[]> {
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('push_events')
        .select(['seq', 'workflow_call_id', 'name', 'data'])
        .where('owner', '=', owner)
        .where('seq', '>', after)
        .orderBy('seq')
        .limit(limit)
        .execute(),
    );
    return rows.map((row) => ({ ...row, data: JSON.parse(row.data) as Json }));
  }

  async clear(age_ms: number, after: string, limit: number): Promise<Cleared> {
    const old = this.#session.dialect.now(-age_ms);
    const rows = await this.#session.run((db) =>
      db.selectFrom('push_heads').select('owner').where('owner', '>', after).orderBy('owner').limit(limit).execute(),
    );
    const owners = rows.map((row) => row.owner);
    if (owners.length === 0) return { count: 0, next: null };
    const { numDeletedRows } = await this.#session.run((db) =>
      db.deleteFrom('push_events').where('owner', 'in', owners).where('tm_create', '<', old).executeTakeFirstOrThrow(),
    );
    await this.#session.run((db) =>
      db.deleteFrom('push_heads').where('owner', 'in', owners).where('tm_update', '<', old).execute(),
    );
    return { count: Number(numDeletedRows), next: owners.length < limit ? null : (owners.at(-1) ?? null) };
  }
}

/** Deletes what of a customer's channels is there, up to `limit` events at a time; how much. */
export async function erasePushes(session: Session, customer_id: string, limit: number): Promise<number> {
  // All owners of a customer begin with its id and a slash; '0' is what comes after a slash.
  const [from, to] = [`${customer_id}/`, `${customer_id}0`];
  const rows = await session.run((db) =>
    db
      .selectFrom('push_events')
      .select(['owner', 'seq'])
      .where('owner', '>', from)
      .where('owner', '<', to)
      .limit(limit)
      .execute(),
  );
  for (const { owner, seq } of rows) {
    await session.run((db) => db.deleteFrom('push_events').where('owner', '=', owner).where('seq', '=', seq).execute());
  }
  if (rows.length > 0) return rows.length;
  const { numDeletedRows } = await session.run((db) =>
    db.deleteFrom('push_heads').where('owner', '>', from).where('owner', '<', to).executeTakeFirstOrThrow(),
  );
  return Number(numDeletedRows);
}
