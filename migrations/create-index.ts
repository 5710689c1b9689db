import { type RawBuilder, sql } from 'kysely';
import type { Migrate } from './types.ts';

/** MySQL has no IF NOT EXISTS for an index; one that was made before a crash and not recorded is as good. */
const DUPLICATE_KEY_NAME = 1061;

/** A migration that makes one index. */
export function createIndex(name: string, table: string, columns: readonly string[], unique?: 'unique'): Migrate {
  return async (db, types) => {
    const statement: RawBuilder<unknown> = sql`create ${sql.raw(unique ?? '')} index ${types.ifNotExists} ${sql.id(name)} on ${sql.table(table)} (${sql.join(columns.map((column) => sql.id(column)))})`;
    try {
      await statement.execute(db);
    } catch (error) {
      if (!(error instanceof Error && 'errno' in error && error.errno === DUPLICATE_KEY_NAME)) throw error;
    }
  };
}
