import type { Transaction } from 'kysely';
import { REFERENCE_TYPES } from '../model/activeflow.ts';
import type { Json } from '../model/json.ts';
import { JOB_PREFIX, type Participant, type ParticipantEntry } from '../model/participant.ts';
import type { ParticipantStore, ParticipantWrite } from '../service/ports.ts';
import type { Dialect } from './dialect.ts';
import { waitersOf, wakeWaiters } from './job-wait.ts';
import type { SalvagedJob } from './salvage.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';

/** How often a write that depends on nothing is tried when others make the same entry at the same moment. */
const ATTEMPTS = 5;

export class SqlParticipantStore implements ParticipantStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async read(participant: Participant): Promise<ParticipantEntry[]> {
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('participants')
        .select(['name', 'value', 'revision', 'tm_update'])
        .where((eb) => eb.and(columnsOf(participant)))
        .orderBy('name')
        .execute(),
    );
    return rows.map(({ name, value, revision, tm_update }) => ({
      key: name,
      value: JSON.parse(value) as Json,
      revision: Number(revision),
      tm_update: this.#session.dialect.rfc3339(tm_update),
    }));
  }

  async write(write: ParticipantWrite): Promise<ParticipantEntry | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      const written = await this.#tryWrite(write);
      if (written || write.from !== undefined || attempt === ATTEMPTS) return written;
    }
  }

  async waiting(participant: Participant, key: string): Promise<string[]> {
    const row = await this.#session.run((db) =>
      db
        .selectFrom('participants')
        .select('waiters')
        .where((eb) => eb.and({ ...columnsOf(participant), name: key }))
        .executeTakeFirst(),
    );
    return waitersOf(row?.waiters);
  }

  removeCustomer(customer_id: string, limit: number): Promise<number> {
    return this.#session.transaction(async (trx) => {
      const found = trx.selectFrom('participants').select(KEY).where('customer_id', '=', customer_id).limit(limit);
      return deleteAll(trx, await found.execute());
    });
  }

  forget(age_ms: number, limit: number): Promise<number> {
    const { dialect } = this.#session;
    return this.#session.transaction(async (trx) => {
      const found = trx
        .selectFrom('participants')
        .select(KEY)
        .where('tm_update', '<', dialect.now(-age_ms))
        .where('waiters', 'is', null)
        .orderBy('tm_update')
        .limit(limit)
        .$if(dialect.locks, (query) => query.forUpdate().skipLocked());
      return deleteAll(trx, await found.execute());
    });
  }

  async #tryWrite(write: ParticipantWrite): Promise<ParticipantEntry | undefined> {
    const { dialect } = this.#session;
    const made: { entry?: ParticipantEntry } = {};
    const done = await this.#session.atomically(async (trx) => {
      if (!(await writeEntries(trx, dialect, [write]))) return false;
      const { revision, tm_update } = await trx
        .selectFrom('participants')
        .select(['revision', 'tm_update'])
        .where((eb) => eb.and({ ...columnsOf(write.participant), name: write.key }))
        .executeTakeFirstOrThrow();
      made.entry = { key: write.key, value: write.value, revision: Number(revision), tm_update: dialect.rfc3339(tm_update) };
      return true;
    });
    return done ? made.entry : undefined;
  }
}

const KEY = ['customer_id', 'reference_type', 'reference_id', 'name'] as const;

function columnsOf({ customer_id, reference_type, reference_id }: Participant) {
  return { customer_id, reference_type, reference_id };
}

/** The job that an activeflow is, by the entry that has its state; whose data that is has its reference. */
export async function jobOf(
  db: Session['db'],
  { id, customer_id, reference_id }: { readonly id: string; readonly customer_id: string; readonly reference_id: string },
): Promise<SalvagedJob | undefined> {
  const entry = await db
    .selectFrom('participants')
    .select(['name', 'reference_type'])
    .where('customer_id', '=', customer_id)
    .where('reference_type', 'in', REFERENCE_TYPES)
    .where('reference_id', '=', reference_id)
    .where('job_id', '=', id)
    .executeTakeFirst();
  if (!entry) return undefined;
  return { name: entry.name.slice(JOB_PREFIX.length), participant: { reference_type: entry.reference_type, reference_id } };
}

/**
 * Writes entries as a part of somebody's transaction. False: one of them is not at its `from`, and all must be undone.
 * An entry that somebody else makes at the same moment is a duplicate, as `Session.tryAtomically` knows them.
 */
export async function writeEntries(
  trx: Transaction<Schema>,
  dialect: Dialect,
  writes: readonly ParticipantWrite[],
): Promise<boolean> {
  for (const write of writes) {
    if (!(await writeEntry(trx, dialect, write))) return false;
  }
  return true;
}

async function writeEntry(trx: Transaction<Schema>, dialect: Dialect, write: ParticipantWrite): Promise<boolean> {
  const { participant, key, from, of_job, job_id = '' } = write;
  const columns = { ...columnsOf(participant), name: key };
  const value = JSON.stringify(write.value);
  if (from !== 0) {
    const { numUpdatedRows } = await trx
      .updateTable('participants')
      .set((eb) => ({
        value,
        revision: eb('revision', '+', 1),
        tm_update: dialect.now(),
        ...(of_job === undefined ? { job_id, waiters: null } : {}),
      }))
      .where((eb) => eb.and(columns))
      .$if(from !== undefined, (query) => query.where('revision', '=', from ?? 0))
      .$if(of_job !== undefined, (query) => query.where('job_id', '=', of_job ?? ''))
      .executeTakeFirst();
    if (numUpdatedRows > 0n && of_job !== undefined) await wakeWaiters(trx, dialect, columns);
    if (numUpdatedRows > 0n || of_job !== undefined) return true;
    if (from !== undefined) return false;
  }
  await trx
    .insertInto('participants')
    .values({ ...columns, value, revision: 1, job_id, tm_update: dialect.now() })
    .execute();
  return true;
}

async function deleteAll(trx: Transaction<Schema>, rows: readonly Record<(typeof KEY)[number], string>[]): Promise<number> {
  if (rows.length === 0) return 0;
  await trx
    .deleteFrom('participants')
    .where((eb) => eb.or(rows.map((row) => eb.and({ ...row }))))
    .execute();
  return rows.length;
}
