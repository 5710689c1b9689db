import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('flow_versions')
    .ifNotExists()
    .addColumn('flow_id', types.id, (column) => column.notNull())
    .addColumn('version', types.integer, (column) => column.notNull())
    .addColumn('list', types.key, (column) => column.notNull())
    .addColumn('tm_create', types.time, (column) => column.notNull())
    .addPrimaryKeyConstraint('flow_versions_key', ['flow_id', 'version'])
    .modifyEnd(types.table)
    .execute();
