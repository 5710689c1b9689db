import type { RedeliveryStore } from '../service/ports.ts';
import type { Session } from './session.ts';

export class SqlRedeliveryStore implements RedeliveryStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async count(id: string): Promise<number> {
    const { dialect } = this.#session;
    const row = { id, seen: 1, tm_update: dialect.now() };
    if (await this.#session.insertOnce((db) => db.insertInto('redeliveries').values(row).execute())) return 1;
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
