import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('leases')
    .ifNotExists()
    .addColumn('name', types.key, (column) => column.notNull().primaryKey())
    .addColumn('holder', types.key, (column) => column.notNull())
    .addColumn('expires_at', types.time, (column) => column.notNull())
    .modifyEnd(types.table)
    .execute();
