import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('callables')
    .ifNotExists()
    .addColumn('flow_id', types.id, (column) => column.notNull().primaryKey())
    .addColumn('customer_id', types.id, (column) => column.notNull())
    .addColumn('enabled', types.flag, (column) => column.notNull())
    .addColumn('alias', types.key)
    .addColumn('input_schema', types.json)
    .addColumn('allowed_users', types.json, (column) => column.notNull())
    .addColumn('allowed_teams', types.json, (column) => column.notNull())
    .addColumn('response_types', types.json, (column) => column.notNull())
    .addColumn('timeout', types.integer, (column) => column.notNull())
    .addColumn('managed', types.flag, (column) => column.notNull())
    .addColumn('revision', types.integer, (column) => column.notNull())
    .addColumn('tm_create', types.time, (column) => column.notNull())
    .addColumn('tm_update', types.time)
    .addUniqueConstraint('callables_by_alias', ['customer_id', 'alias'])
    .modifyEnd(types.table)
    .execute();
