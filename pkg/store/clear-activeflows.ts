import type { Kysely } from 'kysely';
import { SqlHistoryStore } from './history.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';

/** Steps of each activeflow that one statement deletes: with the batches below, some thousand rows at most. */
const STEPS = 200;
/** Lists of an activeflow's own hold at most a MiB each: few at once. */
const LISTS = 100;

/**
 * Deletes ended activeflows with their traces, histories, lists and callbacks, by ids: those only whose events are all published. What hangs
 * on a row goes before it, so that a crash in between leaves a row that is found again. Answers how many rows went.
 */
export async function clearActiveflows(session: Session, ids: readonly string[]): Promise<number> {
  const clear = await session.run((db) => clearable(db, ids));
  if (clear.length === 0) return 0;
  await clearTraces(session, clear);
  await new SqlHistoryStore(session).remove(clear);
  await clearOwnLists(session, clear);
  await clearCallbacks(session, clear);
  const result = await session.run((db) =>
    db
      .deleteFrom('activeflows')
      .where('id', 'in', clear)
      .where('status', '=', 'ended')
      .where('unsettled_at', 'is', null)
      .executeTakeFirst(),
  );
  return Number(result.numDeletedRows);
}

/** Bounded by what one activeflow may keep and make. */
async function clearCallbacks(session: Session, ids: readonly string[]): Promise<void> {
  await session.run((db) => db.deleteFrom('callback_arrivals').where('activeflow_id', 'in', ids).execute());
  await session.run((db) => db.deleteFrom('callbacks').where('activeflow_id', 'in', ids).execute());
}

/** In one order everywhere, so that two processes cannot lock rows crosswise. */
async function clearable(db: Kysely<Schema>, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('activeflows')
    .select('id')
    .where('id', 'in', ids)
    .where('status', '=', 'ended')
    .where('unsettled_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map((row) => row.id);
}

async function clearTraces(session: Session, ids: readonly string[]): Promise<void> {
  const longest = await session.run((db) =>
    db
      .selectFrom('trace_steps')
      .select((eb) => eb.fn.max<number | null>('seq').as('seq'))
      .where('activeflow_id', 'in', ids)
      .executeTakeFirst(),
  );
  for (let upTo = STEPS; upTo - STEPS < (longest?.seq ?? 0); upTo += STEPS) {
    await session.run((db) => db.deleteFrom('trace_steps').where('activeflow_id', 'in', ids).where('seq', '<=', upTo).execute());
  }
}

async function clearOwnLists(session: Session, ids: readonly string[]): Promise<void> {
  for (;;) {
    const rows = await session.run((db) =>
      db.selectFrom('action_lists').select(['owner', 'list_key']).where('owner', 'in', ids).limit(LISTS).execute(),
    );
    if (rows.length === 0) return;
    const owners = [...new Set(rows.map((row) => row.owner))];
    const keys = [...new Set(rows.map((row) => row.list_key))];
    await session.run((db) => db.deleteFrom('action_lists').where('owner', 'in', owners).where('list_key', 'in', keys).execute());
  }
}
