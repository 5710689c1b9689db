import type { Transaction } from 'kysely';
import type { Json } from '../model/json.ts';
import type { EventStore, StoredEvent } from '../service/ports.ts';
import type { Dialect } from './dialect.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';

/** A row goes when its event is published, so that the table holds only what is pending and is read from its start. */
export class SqlEventStore implements EventStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async claim(limit: number, lease_ms: number): Promise<StoredEvent[]> {
    const { dialect } = this.#session;
    const rows = await this.#session.transaction(async (trx) => {
      const found = await trx
        .selectFrom('events')
        .select(['position', 'id', 'type', 'data'])
        .where('claimable_at', '<=', dialect.now())
        .orderBy('position')
        .limit(limit)
        .$if(dialect.locks, (query) => query.forUpdate().skipLocked())
        .execute();
      if (found.length > 0) {
        const positions = found.map((row) => row.position);
        await trx
          .updateTable('events')
          .set({ claimable_at: dialect.now(lease_ms) })
          .where('position', 'in', positions)
          .execute();
      }
      return found;
    });
    return rows.map(({ id, type, data }) => ({ id, type, data: JSON.parse(data) as Json }));
  }

  async done(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#session.run((db) => db.deleteFrom('events').where('id', 'in', ids).execute());
  }

  async backlog(): Promise<{ pending: number; age_ms: number }> {
    const { dialect } = this.#session;
    const row = await this.#session.run((db) =>
      db
        .selectFrom('events')
        .select((eb) => [eb.fn.countAll<number>().as('pending'), eb.fn.min<string | null>('tm_create').as('oldest')])
        .select(dialect.now().as('now'))
        .executeTakeFirstOrThrow(),
    );
    return { pending: row.pending, age_ms: ageMs(this.#session, row.oldest, row.now) };
  }
}

/** ms from `oldest` to `now`, both as stored; 0 when there is none or it lies ahead. */
export function ageMs(session: Session, oldest: string | null, now: string): number {
  if (oldest === null) return 0;
  return Math.max(0, Date.parse(session.dialect.rfc3339(now)) - Date.parse(session.dialect.rfc3339(oldest)));
}

/** Within the transaction of what causes them. */
export async function writeEvents(trx: Transaction<Schema>, dialect: Dialect, events: readonly StoredEvent[]): Promise<void> {
  if (events.length === 0) return;
  const now = dialect.now();
  const rows = events.map(({ id, type, data, held_ms }) => ({
    id,
    type,
    data: JSON.stringify(data),
    tm_create: now,
    claimable_at: held_ms === undefined ? now : dialect.now(held_ms),
  }));
  await trx.insertInto('events').values(rows).execute();
}
