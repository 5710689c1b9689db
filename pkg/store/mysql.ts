import type { Duplex } from 'node:stream';
import type { MysqlPool, MysqlPoolConnection, MysqlQueryResult, MysqlStream, MysqlStreamOptions } from 'kysely';
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  createPool,
  type Pool,
  type PoolConnection,
  type QueryError,
  type ResultSetHeader,
  type RowDataPacket,
} from 'mysql2';
import type { MysqlAddress } from './dsn.ts';
import { StatementTimeout, spoilsConnection } from './errors.ts';
import type { ReadOnlyWatch } from './read-only.ts';
import type { Statement } from './statement.ts';

/**
 * What every session must be in, whatever the server's defaults: UTC; strict, so that nothing is cut off silently;
 * backslash escapes on, because the driver quotes with them; literals compare by bytes, trailing spaces included
 * (`utf8mb4_bin` pads on both servers, so each has another name for it); nobody waits long for a lock.
 */
const SESSION = [
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  `SET time_zone = '+00:00',
    sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    innodb_lock_wait_timeout = 10,
    collation_connection = IF(VERSION() LIKE '%MariaDB%', 'utf8mb4_nopad_bin', 'utf8mb4_0900_bin')`,
];

const CONNECT_TIMEOUT_MS = 5000;

export function connectionOptions(address: MysqlAddress): ConnectionOptions {
  return {
    user: address.user,
    password: address.password,
    database: address.database,
    ...(address.socketPath === undefined
      ? { host: address.host ?? '127.0.0.1', port: address.port ?? 3306 }
      : { socketPath: address.socketPath }),
    ...(address.tls === 'off' ? {} : { ssl: { rejectUnauthorized: address.tls === 'verify' } }),
    charset: 'UTF8MB4_BIN',
    dateStrings: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    keepAliveInitialDelay: 10_000,
  };
}

/** One connection of its own, in a session as above. `onLost`: it is of no more use. Rejects when it does not come about. */
export async function openConnection(address: MysqlAddress, onLost: (connection: Connection) => void): Promise<Connection> {
  const connection = createConnection(connectionOptions(address));
  // mysql2 emits `error` when a connection breaks while nothing is asked of it; unheard, that ends the process.
  // Nothing may be destroyed here: a command that is under way is told of the loss only after these events.
  connection.on('error', () => onLost(connection));
  connection.on('end', () => onLost(connection));
  try {
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
    await prepareSession(connection);
  } catch (error) {
    abort(connection);
    throw error;
  }
  return connection;
}

/** Closes the socket at once; `destroy` alone would say goodbye and wait, for ever if the server has stopped. */
export function abort(connection: Connection): void {
  connection.destroy();
  (connection as Connection & { readonly stream: Duplex }).stream.destroy();
}

async function prepareSession(connection: Connection): Promise<void> {
  for (const sql of SESSION) {
    await new Promise<void>((resolve, reject) => {
      connection.query({ sql, timeout: CONNECT_TIMEOUT_MS }, (error) => (error ? reject(error) : resolve()));
    });
  }
}

/**
 * Asks by a clock of its own: mysql2's does not cover the preparing of a statement. Rejects with the driver's error or
 * StatementTimeout; `timeout_ms` 0: a statement may take as long as it likes.
 */
export function ask<T extends ResultSetHeader | RowDataPacket[]>(
  connection: Connection,
  how: 'query' | 'execute',
  { sql, values }: Statement,
  timeout_ms: number,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const clock = timeout_ms > 0 ? setTimeout(() => reject(new StatementTimeout(timeout_ms)), timeout_ms) : undefined;
    connection[how]<T>({ sql, values }, (error, result) => {
      clearTimeout(clock);
      if (error) reject(error);
      else resolve(result);
    });
  });
}

/**
 * The pool that kysely asks. Three things are added to mysql2's own: sessions as above; a statement without an answer
 * for too long is an error (a server that is stopped, a network that swallows packets); and a connection that met an
 * error of the kind that ends it, a server turned read-only among them, is closed rather than handed to the next one.
 */
export class QueryPool implements MysqlPool {
  readonly #pool: Pool;
  readonly #timeout_ms: number;
  readonly #watch: ReadOnlyWatch;
  /** Connections whose session is prepared, and the watch's turn that they belong to. */
  readonly #prepared = new WeakMap<Connection, number>();

  /** `timeout_ms` 0: a statement may take as long as it likes. */
  constructor(address: MysqlAddress, connections: number, timeout_ms: number, watch: ReadOnlyWatch) {
    this.#timeout_ms = timeout_ms;
    this.#watch = watch;
    this.#pool = createPool({ ...connectionOptions(address), connectionLimit: connections, maxIdle: connections });
  }

  getConnection(callback: (error: unknown, connection: MysqlPoolConnection) => void): void {
    this.#take(callback);
  }

  #take(callback: (error: unknown, connection: QueryConnection) => void): void {
    this.#pool.getConnection((error, connection) => {
      const turn = error ? undefined : this.#prepared.get(connection);
      if (turn !== undefined && turn !== this.#watch.turn) {
        abort(connection);
        this.#take(callback);
        return;
      }
      const ours = new QueryConnection(connection, this.#timeout_ms, this.#watch);
      if (error || turn !== undefined) {
        callback(error, ours);
        return;
      }
      this.#prepared.set(connection, this.#watch.turn);
      // The pool itself hears only the first error of a connection, and an unheard one ends the process.
      connection.on('error', () => abort(connection));
      prepareSession(connection).then(
        () => callback(null, ours),
        (failure: unknown) => {
          abort(connection);
          callback(failure, ours);
        },
      );
    });
  }

  /** Prepared where it is first asked, and kept there: for statements of a few texts with long values. */
  async execute(statement: Statement): Promise<void> {
    const connection = await new Promise<QueryConnection>((resolve, reject) => {
      this.#take((error, taken) => (error ? reject(error) : resolve(taken)));
    });
    try {
      await connection.execute(statement);
    } finally {
      connection.release();
    }
  }

  end(callback: (error: unknown) => void): void {
    this.#pool.end(callback);
  }
}

class QueryConnection implements MysqlPoolConnection {
  readonly #connection: PoolConnection;
  readonly #timeout_ms: number;
  readonly #watch: ReadOnlyWatch;
  readonly #turn: number;
  #spoilt = false;

  constructor(connection: PoolConnection, timeout_ms: number, watch: ReadOnlyWatch) {
    this.#connection = connection;
    this.#timeout_ms = timeout_ms;
    this.#watch = watch;
    this.#turn = watch.turn;
  }

  query(sql: string, parameters: unknown[]): { stream: <T>(options: MysqlStreamOptions) => MysqlStream<T> };
  query(sql: string, parameters: unknown[], callback: (error: unknown, result: MysqlQueryResult) => void): void;
  query(sql: string, values: unknown[], callback?: (error: unknown, result: MysqlQueryResult) => void): unknown {
    if (!callback) throw new Error('the store does not stream');
    const options = { sql, values, ...(this.#timeout_ms > 0 && { timeout: this.#timeout_ms }) };
    this.#connection.query(options, (error: QueryError | null, result: unknown) => {
      if (error) this.#failed(error);
      callback(error, result as MysqlQueryResult);
    });
    return undefined;
  }

  async execute(statement: Statement): Promise<void> {
    try {
      await ask(this.#connection, 'execute', statement, this.#timeout_ms);
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #failed(error: unknown): void {
    if (spoilsConnection(error)) this.#spoilt = true;
    this.#watch.met(error, this.#turn);
  }

  release(): void {
    if (this.#spoilt || this.#turn !== this.#watch.turn) abort(this.#connection);
    else this.#connection.release();
  }
}
