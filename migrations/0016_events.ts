import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('events')
    .ifNotExists()
    .addColumn('position', types.position)
    .addColumn('id', types.key, (column) => column.notNull())
    .addColumn('type', types.key, (column) => column.notNull())
    .addColumn('data', types.json, (column) => column.notNull())
    .addColumn('tm_create', types.time, (column) => column.notNull())
    .addColumn('claimable_at', types.time, (column) => column.notNull())
    .modifyEnd(types.table)
    .execute();
