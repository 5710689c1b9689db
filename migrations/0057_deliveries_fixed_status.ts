import { sql } from 'kysely';
import type { Migrate } from './types.ts';

/** A row that keeps its size is changed where it stands (pkg/store/delivery-row.ts). */
export const up: Migrate = async (db, { fixedWord }) => {
  if (fixedWord) await sql`alter table deliveries modify column status ${fixedWord} not null`.execute(db);
};
