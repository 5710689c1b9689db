import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('delivery_lanes')
    .ifNotExists()
    .addColumn('id', types.id, (column) => column.notNull().primaryKey())
    .addColumn('subscription_id', types.id, (column) => column.notNull())
    .addColumn('last_position', types.integer, (column) => column.notNull())
    .addColumn('done_position', types.integer, (column) => column.notNull())
    .addColumn('missing', types.json, (column) => column.notNull())
    .addColumn('lease_ms', types.integer, (column) => column.notNull())
    .addColumn('holder', types.id, (column) => column.notNull())
    .addColumn('claimable_at', types.time)
    .addColumn('tm_update', types.time, (column) => column.notNull())
    .modifyEnd(types.table)
    .execute();
