import { type RawBuilder, sql } from 'kysely';
import type { Migrate, Types } from './types.ts';

/** No server has IF NOT EXISTS for it that all have; one that was added before a crash and not recorded is as good. */
const DUPLICATE_COLUMN_NAME = 1060;

/** A migration that adds one column, NULL in the rows that are there and in those that the release before writes. */
export function addColumn(table: string, name: string, type: (types: Types) => RawBuilder<unknown>): Migrate {
  return async (db, types) => {
    try {
      await sql`alter table ${sql.table(table)} add column ${sql.id(name)} ${type(types)} null`.execute(db);
    } catch (error) {
      if (!isThereAlready(error)) throw error;
    }
  };
}

/** SQLite has no number for it. */
function isThereAlready(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return 'errno' in error ? error.errno === DUPLICATE_COLUMN_NAME : error.message.includes('duplicate column name');
}
