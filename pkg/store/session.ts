import { setTimeout as sleep } from 'node:timers/promises';
import { CompiledQuery, type Kysely, type Transaction } from 'kysely';
import type { Dialect } from './dialect.ts';
import { classify, toStoreError } from './errors.ts';
import type { Schema } from './schema.ts';
import type { Statement } from './statement.ts';

/** How often a statement that the server rolled back for another's sake (deadlock, lock timeout) is tried at least. */
const ATTEMPTS = 5;

/** Thrown inside `atomically` to undo what was written; never leaves `tryAtomically`. */
class RolledBack extends Error {}

/** Runs a statement that is prepared once for each of its texts. */
export type Execute = (statement: Statement) => Promise<unknown>;

/** What every part of the store asks the database through: retries what may be retried, names errors. */
export class Session {
  readonly db: Kysely<Schema>;
  readonly dialect: Dialect;
  /** The database, as it may be shown. */
  readonly where: string;
  readonly #execute: Execute;

  /** `execute`: for a driver that puts values into the text of what it is asked by `db`. */
  constructor(db: Kysely<Schema>, dialect: Dialect, where: string, execute?: Execute) {
    this.db = db;
    this.dialect = dialect;
    this.where = where;
    this.#execute = execute ?? (({ sql, values }) => db.executeQuery(CompiledQuery.raw(sql, values)));
  }

  /** Runs one statement, or several that need not hold together. Throws FlowError. */
  async run<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T> {
    const patience = Date.now() + this.dialect.patience_ms;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work(this.db);
      } catch (error) {
        const again = classify(error) === 'contention' && (attempt < ATTEMPTS || Date.now() < patience);
        if (!again) throw toStoreError(error, this.where);
        await sleep(Math.random() * Math.min(10 * 2 ** attempt, 250));
      }
    }
  }

  /** Runs one statement of which there are a few texts, with long values: they are not escaped. Throws FlowError. */
  async write(statement: Statement): Promise<void> {
    await this.run(() => this.#execute(statement));
  }

  transaction<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.run((db) => db.transaction().execute(work));
  }

  /** One INSERT; false: the key exists already, nothing was written. */
  insertOnce(insert: (db: Kysely<Schema>) => Promise<unknown>): Promise<boolean> {
    return this.run(async (db) => {
      try {
        await insert(db);
        return true;
      } catch (error) {
        if (classify(error) === 'duplicate') return false;
        throw error;
      }
    });
  }

  /** All or nothing: when `work` returns false, or meets a key that exists already, nothing was written and it is false. */
  atomically(work: (trx: Transaction<Schema>) => Promise<boolean>): Promise<boolean> {
    return this.run(() => this.tryAtomically(work));
  }

  /** `atomically`, once and with the driver's own errors, for who must tell a lost connection from a refusal. */
  async tryAtomically(work: (trx: Transaction<Schema>) => Promise<boolean>): Promise<boolean> {
    try {
      await this.db.transaction().execute((trx) => orRollBack(work, trx));
      return true;
    } catch (error) {
      if (error instanceof RolledBack) return false;
      throw error;
    }
  }
}

async function orRollBack(work: (trx: Transaction<Schema>) => Promise<boolean>, trx: Transaction<Schema>): Promise<void> {
  try {
    if (await work(trx)) return;
  } catch (error) {
    if (classify(error) !== 'duplicate') throw error;
  }
  throw new RolledBack();
}
