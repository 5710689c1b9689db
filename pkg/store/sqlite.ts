import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type Dialect as KyselyDialect,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type Libsql from 'libsql';

/**
 * How long a statement waits for another process that writes, `flow-control` say; libsql's default is not at all. Short,
 * because the whole process stands still meanwhile: Session tries again for as long as the dialect's patience lasts.
 */
const BUSY_TIMEOUT_MS = 5;

/**
 * WAL with synchronous FULL: a commit is on the disk when it is answered, as with a MySQL server that flushes at each
 * commit. NORMAL would lose the last commits when the power fails.
 */
const PRAGMAS = ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'];

/** Migrations run in one transaction, so that one process at a time runs them: kysely itself takes no lock here. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** kysely's dialect for SQLite, over libsql. Opens the file, and makes its folder, with the first query. */
export function sqliteKyselyDialect(file: string): KyselyDialect {
  return {
    createDriver: () => new LibsqlDriver(file),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

/**
 * In place of kysely's own driver, for a fault of libsql 0.5: a prepared statement that met a lock is not reset until it
 * is garbage, and until then its connection cannot commit ("SQL statements in progress") and keeps others out. So the
 * lock is taken by BEGIN IMMEDIATE through `exec`, which leaves nothing behind, and every write runs inside of one.
 */
class LibsqlDriver implements Driver {
  readonly #file: string;
  #connection: LibsqlConnection | undefined;
  /** Who has the only connection; each waits for the one before. */
  #turn: Promise<void> = Promise.resolve();
  readonly #release: (() => void)[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#turn;
    this.#turn = new Promise((resolve) => this.#release.push(resolve));
    await before;
    try {
      this.#connection ??= new LibsqlConnection(await openFile(this.#file));
      return this.#connection;
    } catch (error) {
      this.#release.shift()?.();
      throw error;
    }
  }

  async releaseConnection(): Promise<void> {
    this.#release.shift()?.();
  }

  async beginTransaction(): Promise<void> {
    this.#connection?.exec('BEGIN IMMEDIATE');
  }

  async commitTransaction(): Promise<void> {
    this.#connection?.exec('COMMIT');
  }

  async rollbackTransaction(): Promise<void> {
    this.#connection?.rollBack();
  }

  async destroy(): Promise<void> {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

class LibsqlConnection implements DatabaseConnection {
  readonly #database: Libsql.Database;

  constructor(database: Libsql.Database) {
    this.#database = database;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** SQLite may have done so by itself, on a full disk for one. */
  rollBack(): void {
    if (this.#database.inTransaction) this.exec('ROLLBACK');
  }

  close(): void {
    this.#database.close();
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const statement = this.#database.prepare(sql);
    if (statement.reader) return { rows: statement.all([...parameters]) as Row[] };
    const { changes } = this.#database.inTransaction ? statement.run([...parameters]) : this.#writeAlone(statement, parameters);
    return { rows: [], numAffectedRows: BigInt(changes) };
  }

  // biome-ignore lint/correctness/useYield: kysely's interface wants a generator, and the store does not stream
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('the store does not stream');
  }

  #writeAlone(statement: Libsql.Statement, parameters: readonly unknown[]): Libsql.RunResult {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = statement.run([...parameters]);
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.rollBack();
      throw error;
    }
  }
}

async function openFile(file: string): Promise<Libsql.Database> {
  // Machine code that a daemon on servers never runs.
  const { default: Database } = await import('libsql');
  mkdirSync(dirname(file), { recursive: true });
  const database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
  for (const pragma of PRAGMAS) database.prepare(`PRAGMA ${pragma}`).all();
  return database;
}
