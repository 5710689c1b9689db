import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('subscriptions')
    .ifNotExists()
    .addColumn('id', types.id, (column) => column.notNull().primaryKey())
    .addColumn('customer_id', types.id, (column) => column.notNull())
    .addColumn('origin', types.word, (column) => column.notNull())
    .addColumn('enabled', types.flag, (column) => column.notNull())
    .addColumn('config', types.json, (column) => column.notNull())
    .addColumn('secrets', types.json, (column) => column.notNull())
    .addColumn('disabled_reason', types.key, (column) => column.notNull())
    .addColumn('failing_since', types.time)
    .addColumn('revision', types.integer, (column) => column.notNull())
    .addColumn('tm_create', types.time, (column) => column.notNull())
    .addColumn('tm_update', types.time)
    .modifyEnd(types.table)
    .execute();
