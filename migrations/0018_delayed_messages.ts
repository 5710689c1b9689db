import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('delayed_messages')
    .ifNotExists()
    .addColumn('id', types.key, (column) => column.notNull().primaryKey())
    .addColumn('queue', types.key, (column) => column.notNull())
    .addColumn('body', types.text, (column) => column.notNull())
    .addColumn('headers', types.json, (column) => column.notNull())
    .addColumn('due_at', types.time, (column) => column.notNull())
    .modifyEnd(types.table)
    .execute();
