import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('workflow_calls')
    .ifNotExists()
    .addColumn('id', types.id, (column) => column.notNull().primaryKey())
    .addColumn('customer_id', types.id, (column) => column.notNull())
    .addColumn('user_id', types.key, (column) => column.notNull())
    .addColumn('teams', types.json, (column) => column.notNull())
    .addColumn('internal', types.flag, (column) => column.notNull())
    .addColumn('workflow', types.key, (column) => column.notNull())
    .addColumn('flow_id', types.id, (column) => column.notNull())
    .addColumn('depth', types.integer, (column) => column.notNull())
    .addColumn('called_with', types.json, (column) => column.notNull())
    .addColumn('key_hash', types.key)
    .addColumn('body_hash', types.key)
    .addColumn('state', types.word, (column) => column.notNull())
    .addColumn('status', types.integer)
    .addColumn('code', types.key)
    .addColumn('response', types.json)
    .addColumn('delivery', types.json)
    .addColumn('tm_create', types.time, (column) => column.notNull())
    .addColumn('tm_end', types.time)
    .addUniqueConstraint('workflow_calls_by_key', ['key_hash'])
    .modifyEnd(types.table)
    .execute();
