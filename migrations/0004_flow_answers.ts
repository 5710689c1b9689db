import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('flow_answers')
    .ifNotExists()
    .addColumn('key_hash', types.key, (column) => column.notNull().primaryKey())
    .addColumn('status_code', types.integer, (column) => column.notNull())
    .addColumn('data', types.json, (column) => column.notNull())
    .addColumn('expires_at', types.time, (column) => column.notNull())
    .modifyEnd(types.table)
    .execute();
