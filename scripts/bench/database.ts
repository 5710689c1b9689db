import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { parseDsn } from '../../pkg/store/dsn.ts';
import type { Walk } from './protocol.ts';

/** What the server has done since its start. */
export interface DatabaseCounts {
  readonly statements: number;
  readonly updates: number;
  readonly updated: number;
  /** Writes to the redo log, each of them flushed. */
  readonly log_writes: number;
}

const FIRST_ID = '019aa5c1-0000-7000-8000-';

/** The bench's own connection: counters, and rows by the hundred thousand, which no request could make in time. */
export class Database {
  readonly #connection: Connection;
  readonly #dsn: string;

  private constructor(connection: Connection, dsn: string) {
    this.#connection = connection;
    this.#dsn = dsn;
  }

  static async open(dsn: string): Promise<Database> {
    const { user, password, host, port, database } = parseDsn(dsn);
    const where = { host: host ?? '127.0.0.1', port: port ?? 3306 };
    return new Database(await createConnection({ user, password, database, ...where, multipleStatements: true }), dsn);
  }

  async version(): Promise<string> {
    const [rows] = await this.#connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
    return String(rows[0]?.version);
  }

  async variable(name: string): Promise<string> {
    const [rows] = await this.#connection.query<RowDataPacket[]>('SHOW GLOBAL VARIABLES WHERE Variable_name = ?', [name]);
    return String(rows[0]?.Value);
  }

  /** Room for all rows in memory and for what a minute writes in the redo log, as docs/operations.md wants it of a server of that size. */
  async giveRoom(bytes: { readonly memory: number; readonly redo_log: number }): Promise<void> {
    await this.#connection.query(`SET GLOBAL innodb_buffer_pool_size = ${bytes.memory}`);
    await this.#connection.query(`SET GLOBAL innodb_log_file_size = ${bytes.redo_log}`);
  }

  /** A database beside the first one; its DSN. */
  async another(name: string): Promise<string> {
    await this.#connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
    return this.#dsn.replace(/\/\w+$/, `/${name}`);
  }

  async counts(): Promise<DatabaseCounts> {
    const [rows] = await this.#connection.query<RowDataPacket[]>('SHOW GLOBAL STATUS');
    const status = new Map(rows.map((row) => [String(row.Variable_name), Number(row.Value)]));
    const of = (name: string): number => status.get(name) ?? 0;
    return {
      statements: of('Questions'),
      updates: of('Com_update') + of('Com_update_multi'),
      updated: of('Handler_update'),
      log_writes: of('Innodb_log_writes'),
    };
  }

  /** Forgets every activeflow: daemons that know some must be stopped. */
  async clear(): Promise<void> {
    await this.#connection.query('TRUNCATE activeflows; TRUNCATE trace_steps; TRUNCATE events');
  }

  /** Waits until the daemon has noted that the events of all rows are published. */
  async settled(): Promise<void> {
    for (;;) {
      const [rows] = await this.#connection.query<RowDataPacket[]>(
        'SELECT COUNT(*) AS n FROM activeflows WHERE unsettled_at IS NOT NULL',
      );
      if (Number(rows[0]?.n) === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /**
   * Copies the activeflows of these walks until there are `count` more, whatever columns the table has, with their traces;
   * each is as far as the one that it was copied from.
   */
  async multiply(walks: readonly Walk[], count: number): Promise<Walk[]> {
    const [columns] = await this.#connection.query<RowDataPacket[]>('SHOW COLUMNS FROM activeflows');
    const names = columns.map((column) => String(column.Field));
    const copied = names.map((name) => COPIED[name] ?? `t.${name}`);
    const made: Walk[] = [];
    const each = Math.ceil(count / walks.length);
    for (const [at, walk] of walks.entries()) {
      const from = at * each;
      await this.#connection.query(
        `INSERT INTO activeflows (${names.join(', ')}) SELECT ${copied.join(', ')}
          FROM activeflows t JOIN seq_1_to_${each} s WHERE t.id = ?`,
        [FIRST_ID, from, walk.id],
      );
      await this.#connection.query(
        `INSERT INTO trace_steps (activeflow_id, seq, step) SELECT ${COPIED.id}, t.seq, t.step
          FROM trace_steps t JOIN seq_1_to_${each} s WHERE t.activeflow_id = ?`,
        [FIRST_ID, from, walk.id],
      );
      for (let n = from + 1; n <= from + each; n++) made.push({ ...walk, id: FIRST_ID + n.toString(16).padStart(12, '0') });
    }
    return made;
  }

  async close(): Promise<void> {
    await this.#connection.end();
  }
}

/** What differs in a copy. */
const COPIED: Readonly<Record<string, string>> & { readonly id: string } = {
  id: "CONCAT(?, LPAD(LOWER(HEX(? + s.seq)), 12, '0'))",
  reference_id: 'UUID()',
  create_key: 'NULL',
  create_hash: 'NULL',
};
