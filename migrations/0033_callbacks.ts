import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('callbacks')
    .ifNotExists()
    .addColumn('id', types.id, (column) => column.notNull().primaryKey())
    .addColumn('activeflow_id', types.id, (column) => column.notNull())
    .addColumn('customer_id', types.id, (column) => column.notNull())
    .addColumn('name', types.key, (column) => column.notNull())
    .addColumn('step', types.integer, (column) => column.notNull())
    .addColumn('methods', types.json, (column) => column.notNull())
    .addColumn('auth', types.word, (column) => column.notNull())
    .addColumn('multi', types.flag, (column) => column.notNull())
    .addColumn('token_hash', types.key, (column) => column.notNull())
    .addColumn('expires_at', types.time)
    .addColumn('tm_create', types.time, (column) => column.notNull())
    .modifyEnd(types.table)
    .execute();
