import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('erasures')
    .ifNotExists()
    .addColumn('customer_id', types.id, (column) => column.notNull().primaryKey())
    .addColumn('claimable_at', types.time, (column) => column.notNull())
    .addColumn('tm_create', types.time, (column) => column.notNull())
    .modifyEnd(types.table)
    .execute();
