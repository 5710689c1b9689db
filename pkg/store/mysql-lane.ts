import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2';
import type { CommitRow } from './activeflow-row.ts';
import { mariadbBatch, mysqlBatch, mysqlCommit } from './commit-sql.ts';
import type { MysqlAddress } from './dsn.ts';
import { classify, NotConnected, spoilsConnection, tooLarge } from './errors.ts';
import type { CommitLane, CommitResult } from './group-commit.ts';
import { abort, ask, openConnection } from './mysql.ts';
import type { ReadOnlyWatch } from './read-only.ts';
import { outcomeUnknown, type Settling, settle } from './settle.ts';
import type { Statement } from './statement.ts';
import { outcomeOf } from './token.ts';

interface TokenRow extends RowDataPacket {
  id: string;
  revision: number;
  tokens: string;
}

interface ServerRow extends RowDataPacket {
  max_packet: number;
  version: string;
}

interface Link {
  readonly connection: Connection;
  /** The most that it takes in one message, in bytes. */
  readonly max_packet: number;
  readonly mariadb: boolean;
  /** The turn of the watch that it belongs to. */
  readonly turn: number;
}

/**
 * One connection for commits only, so that they never queue behind reads. A batch of one is one prepared UPDATE, a
 * batch of more is one UPDATE as well (commit-sql.ts). When fewer rows were affected than there are commits, the tokens
 * are read back to tell who won. When a batch fails, or the connection breaks under it, its commits are written one by
 * one; each is then settled by its token (settle.ts).
 */
export class MysqlLane implements CommitLane {
  readonly #address: MysqlAddress;
  readonly #where: string;
  readonly #settling: Settling;
  readonly #watch: ReadOnlyWatch;
  readonly #onRefused: (error: Error) => void;
  #link: Link | undefined;

  /** `onRefused`: told each time that the server does not take a batch for a reason of the statement's own. */
  constructor(address: MysqlAddress, where: string, settling: Settling, watch: ReadOnlyWatch, onRefused: (error: Error) => void) {
    this.#address = address;
    this.#where = where;
    this.#settling = settling;
    this.#watch = watch;
    this.#onRefused = onRefused;
  }

  async write(batch: readonly CommitRow[]): Promise<readonly CommitResult[]> {
    const deadline = Date.now() + this.#settling.timeout_ms;
    let unknown = false;
    if (batch.length > 1) {
      try {
        const affected = await this.#writeTogether(batch);
        if (affected === batch.length) return batch.map(() => true);
        if (affected !== 'too large') {
          // From here on it is known that the statement ran: what cannot be read now is settled one by one.
          unknown = true;
          return await this.#readBack(batch);
        }
      } catch (error) {
        const failure = classify(error);
        if (failure === 'other' && error instanceof Error) this.#onRefused(error);
        unknown ||= failure === 'lost';
      }
    }
    const results: CommitResult[] = [];
    for (const row of batch) results.push(await this.#writeOne(row, deadline, unknown));
    return results;
  }

  async close(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    if (link) await new Promise<void>((resolve) => link.connection.end(() => resolve()));
  }

  /**
   * The rows that were affected. MariaDB takes the values prepared: at 50 callers half as many commits again as with
   * the values as text in the statement. MySQL settles the types of a prepared statement before it has seen a value,
   * and a row of placeholders tells it nothing about them: there they go as text.
   */
  async #writeTogether(batch: readonly CommitRow[]): Promise<number | 'too large'> {
    const { max_packet, mariadb } = await this.#linked();
    const bytes = batch.reduce((sum, row) => sum + row.bytes, 0);
    // Quoting may double it.
    if (bytes * 2 > max_packet) return 'too large';
    const written = mariadb
      ? this.#run<ResultSetHeader>('execute', mariadbBatch(batch))
      : this.#run<ResultSetHeader>('query', mysqlBatch(batch));
    return (await written).affectedRows;
  }

  #writeOne(row: CommitRow, deadline: number, unknown: boolean): Promise<CommitResult> {
    return settle(
      row,
      this.#where,
      { deadline, unknown },
      {
        write: async () => {
          const { max_packet } = await this.#linked();
          // The server would close the connection over it, which looks like any other loss.
          if (row.bytes > max_packet)
            throw tooLarge(`activeflow ${row.id} takes ${row.bytes} bytes, more than the server's max_allowed_packet`);
          return (await this.#run<ResultSetHeader>('execute', mysqlCommit(row))).affectedRows > 0;
        },
        read: async () => (await this.#tokens([row.id]))[0],
      },
    );
  }

  async #readBack(batch: readonly CommitRow[]): Promise<readonly CommitResult[]> {
    const rows = await this.#tokens(batch.map((row) => row.id));
    const found = new Map(rows.map((row) => [row.id, row]));
    return batch.map((row) => {
      const outcome = outcomeOf(row, found.get(row.id));
      return outcome === 'unknown' ? outcomeUnknown(row, this.#where) : outcome === 'won';
    });
  }

  #tokens(ids: readonly string[]): Promise<TokenRow[]> {
    const sql = `SELECT id, revision, tokens FROM activeflows WHERE id IN (${ids.map(() => '?').join(',')})`;
    return this.#run<TokenRow[]>('query', { sql, values: [...ids] });
  }

  async #run<T extends ResultSetHeader | RowDataPacket[]>(how: 'query' | 'execute', statement: Statement): Promise<T> {
    const { connection } = await this.#linked();
    return this.#ask<T>(connection, how, statement);
  }

  /** No statement is under way here: a lane writes one batch at a time. */
  async #linked(): Promise<Link> {
    const link = this.#link;
    if (link?.turn === this.#watch.turn) return link;
    if (link) this.#drop(link.connection);
    return this.#open();
  }

  async #ask<T extends ResultSetHeader | RowDataPacket[]>(
    connection: Connection,
    how: 'query' | 'execute',
    statement: Statement,
  ): Promise<T> {
    const { turn } = this.#watch;
    try {
      return await ask<T>(connection, how, statement, this.#settling.statement_ms);
    } catch (error) {
      this.#watch.met(error, turn);
      // What timed out may still run there: its connection must not be used for another statement.
      if (spoilsConnection(error)) this.#drop(connection);
      throw error;
    }
  }

  async #open(): Promise<Link> {
    const { turn } = this.#watch;
    try {
      const connection = await openConnection(this.#address, (lost) => this.#forget(lost));
      const sql = 'SELECT @@max_allowed_packet AS max_packet, VERSION() AS version';
      const [server] = await this.#ask<ServerRow[]>(connection, 'query', { sql, values: [] });
      if (!server) throw new Error('the server does not say what it is');
      this.#link = { connection, max_packet: server.max_packet, mariadb: server.version.includes('MariaDB'), turn };
      return this.#link;
    } catch (error) {
      throw new NotConnected(error);
    }
  }

  #drop(connection: Connection): void {
    this.#forget(connection);
    abort(connection);
  }

  #forget(connection: Connection): void {
    if (this.#link?.connection === connection) this.#link = undefined;
  }
}
