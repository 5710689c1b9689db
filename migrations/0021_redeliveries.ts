import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('redeliveries')
    .ifNotExists()
    .addColumn('id', types.key, (column) => column.notNull().primaryKey())
    .addColumn('seen', types.integer, (column) => column.notNull())
    .addColumn('tm_update', types.time, (column) => column.notNull())
    .modifyEnd(types.table)
    .execute();
