import type { Json } from '../model/json.ts';
import type { DelayedMessage, DelayedProperties, DelayStore } from '../service/ports.ts';
import type { Session } from './session.ts';

/** As stored. `open`: its delivery is not known to be acknowledged. */
interface StoredProperties extends DelayedProperties {
  readonly open?: true;
}

export class SqlDelayStore implements DelayStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async add({ id, queue, body, headers, properties }: DelayedMessage, delay_ms: number, open?: 'open'): Promise<void> {
    const stored: StoredProperties = { ...properties, ...(open && { open: true }) };
    const due_at = this.#session.dialect.now(delay_ms);
    const row = { id, queue, body, headers: JSON.stringify(headers), properties: JSON.stringify(stored), due_at };
    await this.#session.insertOnce((db) => db.insertInto('delayed_messages').values(row).execute());
  }

  async open(content: string): Promise<string[]> {
    // All that begins with the content and a slash: 0 is what comes after a slash.
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('delayed_messages')
        .select(['id', 'properties'])
        .where('id', '>', `${content}/`)
        .where('id', '<', `${content}0`)
        .execute(),
    );
    return rows.filter((row) => parse(row.properties)?.open).map((row) => row.id);
  }

  async settled(id: string): Promise<void> {
    const row = await this.#session.run((db) =>
      db.selectFrom('delayed_messages').select('properties').where('id', '=', id).executeTakeFirst(),
    );
    const known = row && parse(row.properties);
    if (!known?.open) return;
    const { open: _, ...properties } = known;
    await this.#session.run((db) =>
      db
        .updateTable('delayed_messages')
        .set({ properties: JSON.stringify(properties) })
        .where('id', '=', id)
        .execute(),
    );
  }

  async claim(limit: number, lease_ms: number): Promise<DelayedMessage[]> {
    const { dialect } = this.#session;
    // Mostly nothing is: one question tells, where a transaction would take three.
    const due = await this.#session.run((db) =>
      db.selectFrom('delayed_messages').select('id').where('due_at', '<=', dialect.now()).limit(1).executeTakeFirst(),
    );
    if (!due) return [];
    const rows = await this.#session.transaction(async (trx) => {
      const found = await trx
        .selectFrom('delayed_messages')
        .select(['id', 'queue', 'body', 'headers', 'properties'])
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
    return rows.map(({ id, queue, body, headers, properties }) => {
      // An older release knew no properties: the row's id was the message's.
      const { open: _, ...sent } = parse(properties) ?? { message_id: id };
      return { id, queue, body, headers: JSON.parse(headers) as { [name: string]: Json }, properties: sent };
    });
  }

  async done(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#session.run((db) => db.deleteFrom('delayed_messages').where('id', 'in', ids).execute());
  }
}

function parse(properties: string | null): StoredProperties | undefined {
  return properties === null ? undefined : (JSON.parse(properties) as StoredProperties);
}
