import type { Transaction } from 'kysely';
import type { Subscription, SubscriptionConfig, SubscriptionSecrets } from '../model/subscription.ts';
import type { Page, StoredEvent, SubscriptionStore } from '../service/ports.ts';
import { rfc3339OrNull, timeOrNull } from './dialect.ts';
import { writeEvents } from './event.ts';
import { after } from './page.ts';
import type { Schema, SubscriptionRow } from './schema.ts';
import type { Sealed } from './sealed.ts';
import type { Session } from './session.ts';

/** Rows of a log that one statement deletes. */
const PIECE = 500;

export class SqlSubscriptionStore implements SubscriptionStore {
  readonly #session: Session;
  readonly #sealed: Sealed;

  constructor(session: Session, sealed: Sealed) {
    this.#session = session;
    this.#sealed = sealed;
  }

  async get(id: string): Promise<Subscription | undefined> {
    return (await this.some([id]))[0];
  }

  async some(ids: readonly string[]): Promise<Subscription[]> {
    if (ids.length === 0) return [];
    const rows = await this.#session.run((db) => db.selectFrom('subscriptions').selectAll().where('id', 'in', ids).execute());
    return rows.map((row) => this.#fromRow(row));
  }

  async list({ customer_id }: { readonly customer_id?: string }, page: Page): Promise<Subscription[]> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) => {
      let query = db.selectFrom('subscriptions').selectAll();
      if (customer_id !== undefined) query = query.where('customer_id', '=', customer_id);
      if (page.after) query = query.where(after<'subscriptions'>(dialect, page.after));
      return query.orderBy('tm_create', 'desc').orderBy('id', 'desc').limit(page.size).execute();
    });
    return rows.map((row) => this.#fromRow(row));
  }

  async listening(customer_ids: readonly string[]): Promise<Subscription[]> {
    if (customer_ids.length === 0) return [];
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('subscriptions')
        .selectAll()
        .where('customer_id', 'in', customer_ids)
        .where('origin', '=', 'customer')
        .where('enabled', '=', 1)
        .execute(),
    );
    return rows.map((row) => this.#fromRow(row));
  }

  async count(customer_id: string): Promise<number> {
    const row = await this.#session.run((db) =>
      db
        .selectFrom('subscriptions')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('customer_id', '=', customer_id)
        .where('origin', '=', 'customer')
        .executeTakeFirstOrThrow(),
    );
    return row.count;
  }

  create(subscription: Subscription): Promise<boolean> {
    const row = this.#toRow(subscription);
    return this.#session.insertOnce((db) => db.insertInto('subscriptions').values(row).execute());
  }

  update(next: Subscription, from: number, events: readonly StoredEvent[]): Promise<boolean> {
    const { id, tm_create: _, ...changes } = this.#toRow(next);
    return this.#session.atomically(async (trx: Transaction<Schema>) => {
      const result = await trx
        .updateTable('subscriptions')
        .set(changes)
        .where('id', '=', id)
        .where('revision', '=', from)
        .executeTakeFirst();
      if (result.numUpdatedRows === 0n) return false;
      await writeEvents(trx, this.#session.dialect, events);
      return true;
    });
  }

  /** In one order everywhere, against deadlocks. */
  async use(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { dialect } = this.#session;
    const tm_used = dialect.now();
    const rows = [...new Set(ids)].sort().map((subscription_id) => ({ subscription_id, tm_used }));
    await this.#session.run((db) => {
      const insert = db.insertInto('subscription_uses').values(rows);
      return dialect.name === 'mysql'
        ? insert.onDuplicateKeyUpdate({ tm_used }).execute()
        : insert.onConflict((conflict) => conflict.column('subscription_id').doUpdateSet({ tm_used })).execute();
    });
  }

  /** The subscription first: nothing is added any more to what goes after it, but by who has read it before. */
  async remove(id: string): Promise<void> {
    await this.#session.run((db) => db.deleteFrom('subscriptions').where('id', '=', id).execute());
    await this.#session.run((db) => db.deleteFrom('subscription_uses').where('subscription_id', '=', id).execute());
    await this.#session.run((db) => db.deleteFrom('delivery_lanes').where('subscription_id', '=', id).execute());
    for (;;) {
      const rows = await this.#session.run((db) =>
        db.selectFrom('deliveries').select('id').where('subscription_id', '=', id).limit(PIECE).execute(),
      );
      if (rows.length === 0) return;
      const ids = rows.map((row) => row.id);
      await this.#session.run((db) => db.deleteFrom('deliveries').where('id', 'in', ids).execute());
    }
  }

  async removeOfCustomer(customer_id: string, limit: number): Promise<number> {
    const rows = await this.#session.run((db) =>
      db.selectFrom('subscriptions').select('id').where('customer_id', '=', customer_id).limit(limit).execute(),
    );
    for (const { id } of rows) await this.remove(id);
    return rows.length;
  }

  #toRow(subscription: Subscription): SubscriptionRow {
    const { dialect } = this.#session;
    const { config, secrets, enabled, failing_since, tm_create, tm_update, ...same } = subscription;
    return {
      ...same,
      enabled: enabled ? 1 : 0,
      config: JSON.stringify(config),
      secrets: this.#sealed.seal(JSON.stringify(secrets), same.id),
      failing_since: timeOrNull(dialect, failing_since),
      tm_create: dialect.time(tm_create),
      tm_update: timeOrNull(dialect, tm_update),
    };
  }

  #fromRow(row: SubscriptionRow): Subscription {
    const { dialect } = this.#session;
    return {
      ...row,
      origin: row.origin === 'webhook_uri' ? 'webhook_uri' : 'customer',
      enabled: row.enabled === 1,
      config: JSON.parse(row.config) as SubscriptionConfig,
      secrets: JSON.parse(this.#sealed.open(row.secrets, row.id)) as SubscriptionSecrets,
      failing_since: rfc3339OrNull(dialect, row.failing_since),
      tm_create: dialect.rfc3339(row.tm_create),
      tm_update: rfc3339OrNull(dialect, row.tm_update),
    };
  }
}
