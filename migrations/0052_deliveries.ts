import type { Migrate } from './types.ts';

/** Keyed by the place in its lane, so that what comes next in a lane lies together. */
export const up: Migrate = (db, types) =>
  db.schema
    .createTable('deliveries')
    .ifNotExists()
    .addColumn('lane_id', types.id, (column) => column.notNull())
    .addColumn('position', types.integer, (column) => column.notNull())
    .addColumn('id', types.id, (column) => column.notNull())
    .addColumn('subscription_id', types.id, (column) => column.notNull())
    .addColumn('activeflow_id', types.id, (column) => column.notNull())
    .addColumn('sequence', types.integer, (column) => column.notNull())
    .addColumn('type', types.word, (column) => column.notNull())
    .addColumn('body', types.json, (column) => column.notNull())
    .addColumn('status', types.word, (column) => column.notNull())
    .addColumn('attempts', types.integer, (column) => column.notNull())
    .addColumn('response_code', types.integer)
    .addColumn('latency_ms', types.integer)
    .addColumn('error', types.key)
    .addColumn('next_try_at', types.time)
    .addColumn('tm_create', types.time, (column) => column.notNull())
    .addColumn('tm_update', types.time)
    .addPrimaryKeyConstraint('deliveries_key', ['lane_id', 'position'])
    .modifyEnd(types.table)
    .execute();
