import type { Migrate } from './types.ts';

/** When a subscription that a `webhook_uri` is was last needed: those that nobody needs any more are cleared away. */
export const up: Migrate = (db, types) =>
  db.schema
    .createTable('subscription_uses')
    .ifNotExists()
    .addColumn('subscription_id', types.id, (column) => column.notNull().primaryKey())
    .addColumn('tm_used', types.time, (column) => column.notNull())
    .modifyEnd(types.table)
    .execute();
