import type { Migrate } from './types.ts';

export const up: Migrate = (db, types) =>
  db.schema
    .createTable('action_lists')
    .ifNotExists()
    .addColumn('owner', types.id, (column) => column.notNull())
    .addColumn('list_key', types.key, (column) => column.notNull())
    .addColumn('actions', types.json, (column) => column.notNull())
    .addPrimaryKeyConstraint('action_lists_key', ['owner', 'list_key'])
    .modifyEnd(types.table)
    .execute();
