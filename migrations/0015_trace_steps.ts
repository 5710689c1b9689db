import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('trace_steps')
    .ifNotExists()
    .addColumn('activeflow_id', types.id, (column) => column.notNull())
    .addColumn('seq', types.integer, (column) => column.notNull())
    .addColumn('step', types.json, (column) => column.notNull())
    .addPrimaryKeyConstraint('trace_steps_key', ['activeflow_id', 'seq'])
    .modifyEnd(types.table)
    .execute();
