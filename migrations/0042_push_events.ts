import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('push_events')
    .ifNotExists()
    .addColumn('owner', types.key, (column) => column.notNull())
    .addColumn('seq', types.integer, (column) => column.notNull())
    .addColumn('workflow_call_id', types.id, (column) => column.notNull())
    .addColumn('name', types.key, (column) => column.notNull())
    .addColumn('data', types.json, (column) => column.notNull())
    .addColumn('tm_create', types.time, (column) => column.notNull())
    .addPrimaryKeyConstraint('push_events_key', ['owner', 'seq'])
    .modifyEnd(types.table)
    .execute();
