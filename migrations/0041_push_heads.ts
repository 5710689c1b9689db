import type { Migrate } from './types.ts';

/** The number of the last event of each user's channel. */
export const up: Migrate = (db, types) =>
  db.schema
    .createTable('push_heads')
    .ifNotExists()
    .addColumn('owner', types.key, (column) => column.notNull().primaryKey())
    .addColumn('seq', types.integer, (column) => column.notNull())
    .addColumn('tm_update', types.time, (column) => column.notNull())
    .modifyEnd(types.table)
    .execute();
