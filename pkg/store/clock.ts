import type { Session } from './session.ts';

/**
 * The database's time minus this process's, in ms: of several tries the one with the shortest way there and back,
 * because the clock was read somewhere on that way.
 */
export async function clockOffset(session: Session, tries = 5): Promise<number> {
  let best = { way: Number.POSITIVE_INFINITY, offset: 0 };
  for (let i = 0; i < tries; i += 1) {
    const before = Date.now();
    const row = await session.run((db) => db.selectNoFrom(session.dialect.now().as('now')).executeTakeFirstOrThrow());
    const after = Date.now();
    const offset = Date.parse(session.dialect.rfc3339(row.now)) - (before + after) / 2;
    if (after - before < best.way) best = { way: after - before, offset };
  }
  return Math.round(best.offset);
}
