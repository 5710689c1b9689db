import type { Json } from '../model/json.ts';
import type { DelayedMessage, DelayStore } from '../service/ports.ts';
import type { Session } from './session.ts';

export class SqlDelayStore implements DelayStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The same id again: nothing, the first one stands. */
  async add({ id, queue, body, headers }: DelayedMessage, delay_ms: number): Promise<void> {
    const row = { id, queue, body, headers: JSON.stringify(headers), due_at: this.#session.dialect.now(delay_ms) };
    await this.#session.insertOnce((db) => db.insertInto('delayed_messages').values(row).execute());
  }

  async claim(limit: number, lease_ms: number): Promise<DelayedMessage[]> {
    const { dialect } = this.#session;
    const rows = await this.#session.transaction(async (trx) => {
      const found = await trx
        .selectFrom('delayed_messages')
        .select(['id', 'queue', 'body', 'headers'])
        .where('due_at', '<=', dialect.now())
        .orderBy('due_at')
        .limit(limit)
        .$if(dialect.locks, (query) => query.forUpdate().skipLocked())
        .execute();
      if (found.length > 0) {
        const ids = found.map((row) => row.id);
        await trx
          .updateTable('delayed_messages')
          .set({ due_at: dialect.now(lease_ms) })
          .where('id', 'in', ids)
          .execute();
      }
      return found;
    });
    return rows.map((row) => ({ ...row, headers: JSON.parse(row.headers) as { [name: string]: Json } }));
  }

  async done(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#session.run((db) => db.deleteFrom('delayed_messages').where('id', 'in', ids).execute());
  }
}
