import type { Transaction } from 'kysely';
import type { Arrival, Callback, CallbackAuth, TakenArrival } from '../model/callback.ts';
import type { Json } from '../model/json.ts';
import type { CallbackStore, Standing } from '../service/ports.ts';
import { rfc3339OrNull, timeOrNull } from './dialect.ts';
import type { CallbackArrivalRow, CallbackRow, Schema } from './schema.ts';
import type { Session } from './session.ts';

/** What is shown of an activeflow at most, and how many rejected requests a callback keeps. */
const SHOWN = 100;
const REJECTED_KEPT = 20;

const ARRIVAL_COLUMNS = [
  'id',
  'activeflow_id',
  'callback_id',
  'status',
  'code',
  'reason',
  'method',
  'bytes',
  'tm_create',
  'tm_consume',
] as const satisfies readonly (keyof CallbackArrivalRow)[];

export class SqlCallbackStore implements CallbackStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async create(callback: Callback): Promise<void> {
    const { dialect } = this.#session;
    const row = {
      ...callback,
      methods: JSON.stringify(callback.methods),
      multi: callback.multi ? 1 : 0,
      expires_at: timeOrNull(dialect, callback.expires_at),
      tm_create: dialect.time(callback.tm_create),
    };
    await this.#session.insertOnce((db) => db.insertInto('callbacks').values(row).execute());
  }

  async get(id: string): Promise<Callback | undefined> {
    const row = await this.#session.run((db) => db.selectFrom('callbacks').selectAll().where('id', '=', id).executeTakeFirst());
    return row && this.#callback(row);
  }

  async newest(activeflow_id: string, name: string): Promise<Callback | undefined> {
    const row = await this.#session.run((db) =>
      db
        .selectFrom('callbacks')
        .selectAll()
        .where('activeflow_id', '=', activeflow_id)
        .where('name', '=', name)
        .orderBy('step', 'desc')
        .limit(1)
        .executeTakeFirst(),
    );
    return row && this.#callback(row);
  }

  async ofActiveflow(activeflow_id: string): Promise<{ callbacks: Callback[]; arrivals: Arrival[] }> {
    const { dialect } = this.#session;
    const [callbacks, arrivals] = await this.#session.run((db) =>
      Promise.all([
        db
          .selectFrom('callbacks')
          .selectAll()
          .where('activeflow_id', '=', activeflow_id)
          .orderBy('step', 'desc')
          .limit(SHOWN)
          .execute(),
        db
          .selectFrom('callback_arrivals')
          .select(ARRIVAL_COLUMNS)
          .where('activeflow_id', '=', activeflow_id)
          .orderBy('id', 'desc')
          .limit(SHOWN)
          .execute(),
      ]),
    );
    return {
      callbacks: callbacks.map((row) => this.#callback(row)),
      arrivals: arrivals.map((row) => ({
        ...row,
        status: row.status as Arrival['status'],
        tm_create: dialect.rfc3339(row.tm_create),
        tm_consume: rfc3339OrNull(dialect, row.tm_consume),
      })),
    };
  }

  async standing({ id, activeflow_id }: Callback, key_hash: string | null): Promise<Standing> {
    const [kept, first, same] = await this.#session.run((db) => {
      const taken = db
        .selectFrom('callback_arrivals')
        .select(['id', 'body_hash'])
        .where('activeflow_id', '=', activeflow_id)
        .where('callback_id', '=', id)
        .where('status', '!=', 'rejected');
      return Promise.all([
        db
          .selectFrom('callback_arrivals')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .where('activeflow_id', '=', activeflow_id)
          .where('status', '=', 'kept')
          .executeTakeFirstOrThrow(),
        taken.orderBy('id').limit(1).executeTakeFirst(),
        key_hash === null ? undefined : taken.where('key_hash', '=', key_hash).limit(1).executeTakeFirst(),
      ]);
    });
    return {
      kept: Number(kept.count),
      ...(first && { first: { id: first.id, body_hash: first.body_hash ?? '' } }),
      ...(same && { same_key: same.id }),
    };
  }

  async oldestKept(callback: Callback): Promise<{ id: string; payload: Json } | undefined> {
    const row = await this.#session.run((db) =>
      db
        .selectFrom('callback_arrivals')
        .select(['id', 'payload'])
        .where('activeflow_id', '=', callback.activeflow_id)
        .where('callback_id', '=', callback.id)
        .where('status', '=', 'kept')
        .orderBy('id')
        .limit(1)
        .executeTakeFirst(),
    );
    return row && { id: row.id, payload: row.payload === null ? null : (JSON.parse(row.payload) as Json) };
  }

  /** Only the newest ones stay: whoever knows an address can send what is rejected without end. */
  async reject(arrival: Arrival): Promise<void> {
    const { dialect } = this.#session;
    const row = { ...arrival, tm_create: dialect.time(arrival.tm_create), tm_consume: null };
    await this.#session.run(async (db) => {
      const rejected = db
        .selectFrom('callback_arrivals')
        .select('id')
        .where('activeflow_id', '=', arrival.activeflow_id)
        .where('callback_id', '=', arrival.callback_id)
        .where('status', '=', 'rejected')
        .orderBy('id', 'desc')
        .offset(REJECTED_KEPT - 1)
        .limit(REJECTED_KEPT);
      const old = (await rejected.execute()).map(({ id }) => id);
      if (old.length > 0) {
        await db
          .deleteFrom('callback_arrivals')
          .where('activeflow_id', '=', arrival.activeflow_id)
          .where('id', 'in', old)
          .execute();
      }
      await db
        .insertInto('callback_arrivals')
        .values({ ...row, key_hash: null, body_hash: null, payload: null })
        .execute();
    });
  }

  #callback(row: CallbackRow): Callback {
    const { dialect } = this.#session;
    return {
      ...row,
      methods: JSON.parse(row.methods) as string[],
      auth: row.auth as CallbackAuth,
      multi: row.multi === 1,
      expires_at: rfc3339OrNull(dialect, row.expires_at),
      tm_create: dialect.rfc3339(row.tm_create),
    };
  }
}

/** What a commit of an activeflow takes in and uses up, within its transaction. */
export async function writeArrivals(
  trx: Transaction<Schema>,
  { dialect }: Session,
  activeflow_id: string,
  kept: readonly TakenArrival[],
  taken: readonly string[],
): Promise<void> {
  for (const arrival of kept) {
    const row = {
      ...arrival,
      payload: arrival.payload === null ? null : JSON.stringify(arrival.payload),
      tm_create: dialect.time(arrival.tm_create),
      tm_consume: timeOrNull(dialect, arrival.tm_consume),
    };
    await trx.insertInto('callback_arrivals').values(row).execute();
  }
  if (taken.length === 0) return;
  await trx
    .updateTable('callback_arrivals')
    .set({ status: 'consumed', payload: null, tm_consume: dialect.now() })
    .where('activeflow_id', '=', activeflow_id)
    .where('id', 'in', [...taken])
    .execute();
}
