import type { Erasure, ErasureStore } from '../service/ports.ts';
import { clearActiveflows } from './clear-activeflows.ts';
import { ageMs } from './event.ts';
import { clearFlows } from './retention.ts';
import type { Session } from './session.ts';

/** A trace is moved to rows of its own shortly after its commit, on its own way: it must not come after the erasure. */
const QUIET_MS = 5_000;

/** Customers who are gone and whose things still have to go. */
export class SqlErasureStore implements ErasureStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async add(customer_id: string): Promise<void> {
    const now = this.#session.dialect.now();
    const row = { customer_id, claimable_at: now, tm_create: now };
    if (await this.#session.insertOnce((db) => db.insertInto('erasures').values(row).execute())) return;
    // Told again while it lasts: it is begun anew, so that what was made meanwhile goes, too.
    await this.#session.run((db) =>
      db.updateTable('erasures').set({ tm_create: now, claimable_at: now }).where('customer_id', '=', customer_id).execute(),
    );
  }

  claim(lease_ms: number): Promise<Erasure | undefined> {
    const { dialect } = this.#session;
    return this.#session.transaction(async (trx) => {
      const row = await trx
        .selectFrom('erasures')
        .select(['customer_id', 'tm_create', dialect.now().as('now')])
        .where('claimable_at', '<=', dialect.now())
        .orderBy('claimable_at')
        .limit(1)
        .$if(dialect.locks, (query) => query.forUpdate().skipLocked())
        .executeTakeFirst();
      if (!row) return undefined;
      const { customer_id } = row;
      await trx
        .updateTable('erasures')
        .set({ claimable_at: dialect.now(lease_ms) })
        .where('customer_id', '=', customer_id)
        .execute();
      return { customer_id, age_ms: ageMs(this.#session, row.tm_create, row.now) };
    });
  }

  async again(customer_id: string, in_ms: number): Promise<void> {
    await this.#session.run((db) =>
      db
        .updateTable('erasures')
        .set({ claimable_at: this.#session.dialect.now(in_ms) })
        .where('customer_id', '=', customer_id)
        .execute(),
    );
  }

  async done(customer_id: string): Promise<void> {
    await this.#session.run((db) => db.deleteFrom('erasures').where('customer_id', '=', customer_id).execute());
  }

  async pending(): Promise<number> {
    const row = await this.#session.run((db) =>
      db
        .selectFrom('erasures')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow(),
    );
    return row.count;
  }

  async activeflows(customer_id: string, limit: number): Promise<{ readonly erased: number; readonly left: boolean }> {
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('activeflows')
        .select(['id', 'unsettled_at'])
        .where('customer_id', '=', customer_id)
        .where('status', '=', 'ended')
        .where('unsettled_at', 'is', null)
        .where((eb) => eb(eb.fn.coalesce('tm_update', 'tm_create'), '<', this.#session.dialect.now(-QUIET_MS)))
        .limit(limit)
        .execute(),
    );
    const erased = await clearActiveflows(
      this.#session,
      rows.map((row) => row.id),
    );
    const one = await this.#session.run((db) =>
      db.selectFrom('activeflows').select('id').where('customer_id', '=', customer_id).limit(1).executeTakeFirst(),
    );
    return { erased, left: one !== undefined };
  }

  async flows(customer_id: string, limit: number): Promise<number> {
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('flows')
        .select('id')
        .where('customer_id', '=', customer_id)
        .where('tm_delete', 'is not', null)
        .limit(limit)
        .execute(),
    );
    return clearFlows(
      this.#session,
      rows.map((row) => row.id),
    );
  }

  async lists(customer_id: string, limit: number): Promise<string[]> {
    const rows = await this.#session.run((db) =>
      db.selectFrom('action_lists').select('list_key').where('owner', '=', customer_id).limit(limit).execute(),
    );
    const keys = rows.map((row) => row.list_key);
    if (keys.length > 0) {
      await this.#session.run((db) =>
        db.deleteFrom('action_lists').where('owner', '=', customer_id).where('list_key', 'in', keys).execute(),
      );
    }
    return keys;
  }
}
