import type { LeaseStore } from '../service/ports.ts';
import type { Session } from './session.ts';

export class SqlLeaseStore implements LeaseStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async take(name: string, holder: string, ms: number): Promise<boolean> {
    const { dialect } = this.#session;
    const expires_at = dialect.now(ms);
    const taken = await this.#session.run((db) =>
      db
        .updateTable('leases')
        .set({ holder, expires_at })
        .where('name', '=', name)
        .where((eb) => eb.or([eb('holder', '=', holder), eb('expires_at', '<=', dialect.now())]))
        .executeTakeFirst(),
    );
    if (taken.numUpdatedRows > 0n) return true;
    return this.#session.insertOnce((db) => db.insertInto('leases').values({ name, holder, expires_at }).execute());
  }
}
