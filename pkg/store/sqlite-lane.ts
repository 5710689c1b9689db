import { CompiledQuery, type Transaction } from 'kysely';
import { toFlowError } from '../error/index.ts';
import type { CommitRow } from './activeflow-row.ts';
import { sqliteCommit } from './commit-sql.ts';
import type { CommitLane, CommitResult } from './group-commit.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';
import { timeOfMs } from './time.ts';

/** One transaction, and so one flush, per batch. When it fails, its commits are written one by one. */
export class SqliteLane implements CommitLane {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async write(batch: readonly CommitRow[]): Promise<readonly CommitResult[]> {
    try {
      return await this.#session.transaction((trx) => writeAll(trx, batch));
    } catch (error) {
      const [only] = batch;
      if (batch.length === 1 && only) return [toFlowError(error)];
      const results: CommitResult[] = [];
      for (const row of batch) results.push(...(await this.write([row])));
      return results;
    }
  }

  /** The session is closed by whoever opened it. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function writeAll(trx: Transaction<Schema>, batch: readonly CommitRow[]): Promise<boolean[]> {
  const now = timeOfMs(Date.now());
  const results: boolean[] = [];
  for (const row of batch) {
    const { sql, values } = sqliteCommit(row, now);
    const { numAffectedRows = 0n } = await trx.executeQuery(CompiledQuery.raw(sql, values));
    results.push(numAffectedRows > 0n);
  }
  return results;
}
