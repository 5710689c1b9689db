import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('participants')
    .ifNotExists()
    .addColumn('customer_id', types.id, (column) => column.notNull())
    .addColumn('reference_type', types.word, (column) => column.notNull())
    .addColumn('reference_id', types.id, (column) => column.notNull())
    .addColumn('name', types.key, (column) => column.notNull())
    .addColumn('value', types.json, (column) => column.notNull())
    .addColumn('revision', types.integer, (column) => column.notNull())
    .addColumn('job_id', types.id, (column) => column.notNull())
    .addColumn('tm_update', types.time, (column) => column.notNull())
    .addPrimaryKeyConstraint('participants_key', ['customer_id', 'reference_type', 'reference_id', 'name'])
    .modifyEnd(types.table)
    .execute();
