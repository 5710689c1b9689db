import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('history_records')
    .ifNotExists()
    .addColumn('activeflow_id', types.id, (column) => column.notNull())
    .addColumn('revision', types.integer, (column) => column.notNull())
    .addColumn('record', types.json, (column) => column.notNull())
    .addPrimaryKeyConstraint('history_records_key', ['activeflow_id', 'revision'])
    .modifyEnd(types.table)
    .execute();
