import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('flows')
    .ifNotExists()
    .addColumn('id', types.id, (column) => column.notNull().primaryKey())
    .addColumn('customer_id', types.id, (column) => column.notNull())
    .addColumn('user_id', types.integer)
    .addColumn('type', types.word, (column) => column.notNull())
    .addColumn('name', types.text, (column) => column.notNull())
    .addColumn('detail', types.text, (column) => column.notNull())
    .addColumn('persist', types.flag, (column) => column.notNull())
    .addColumn('webhook_uri', types.text, (column) => column.notNull())
    .addColumn('list', types.key, (column) => column.notNull())
    .addColumn('version', types.integer, (column) => column.notNull())
    .addColumn('revision', types.integer, (column) => column.notNull())
    .addColumn('on_complete_flow_id', types.id, (column) => column.notNull())
    .addColumn('fallback_flow_id', types.id, (column) => column.notNull())
    .addColumn('deadline_ms', types.integer, (column) => column.notNull())
    .addColumn('direct_id', types.id, (column) => column.notNull())
    .addColumn('direct_hash', types.key, (column) => column.notNull())
    .addColumn('warnings', types.json, (column) => column.notNull())
    .addColumn('tm_create', types.time, (column) => column.notNull())
    .addColumn('tm_update', types.time)
    .addColumn('tm_delete', types.time)
    .addColumn('tm_expire', types.time)
    .modifyEnd(types.table)
    .execute();
