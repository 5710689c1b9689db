import type { RedeliveryStore } from '../service/ports.ts';
import type { Session } from './session.ts';

export class SqlRedeliveryStore implements RedeliveryStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  first(id: string): Promise<boolean> {
    const row = { id, seen: 1, tm_update: this.#session.dialect.now() };
    return this.#session.insertOnce((db) => db.insertInto('redeliveries').values(row).execute());
  }

  async count(id: string): Promise<number> {
    if (await this.first(id)) return 1;
    const { dialect } = this.#session;
    return this.#session.transaction(async (trx) => {
      await trx
        .updateTable('redeliveries')
        .set((table) => ({ seen: table('seen', '+', 1), tm_update: dialect.now() }))
        .where('id', '=', id)
        .execute();
      const counted = await trx.selectFrom('redeliveries').select('seen').where('id', '=', id).executeTakeFirst();
      return Number(counted?.seen ?? 1);
    });
  }
}
