import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('callback_arrivals')
    .ifNotExists()
    .addColumn('activeflow_id', types.id, (column) => column.notNull())
    .addColumn('id', types.id, (column) => column.notNull())
    .addColumn('callback_id', types.id, (column) => column.notNull())
    .addColumn('status', types.word, (column) => column.notNull())
    .addColumn('code', types.integer, (column) => column.notNull())
    .addColumn('reason', types.key, (column) => column.notNull())
    .addColumn('method', types.word, (column) => column.notNull())
    .addColumn('bytes', types.integer, (column) => column.notNull())
    .addColumn('key_hash', types.key)
    .addColumn('body_hash', types.key)
    .addColumn('payload', types.json)
    .addColumn('tm_create', types.time, (column) => column.notNull())
    .addColumn('tm_consume', types.time)
    .addPrimaryKeyConstraint('callback_arrivals_key', ['activeflow_id', 'id'])
    .modifyEnd(types.table)
    .execute();
