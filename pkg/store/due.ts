import { CompiledQuery, sql } from 'kysely';
import type { RowAt } from '../service/ports.ts';
import { ageMs } from './event.ts';
import type { Session } from './session.ts';

export interface Backlog {
  readonly unsettled: number;
  readonly unsettled_age_ms: number;
  readonly due: number;
  readonly due_age_ms: number;
}

/** Conditions a statement: each is a range of the primary key, and the whole stays far below a packet's size. */
const SETTLED_AT_ONCE = 200;

/** A row that was committed again meanwhile stays as that commit left it. */
export async function settled(session: Session, rows: readonly RowAt[]): Promise<void> {
  const sorted = [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (let from = 0; from < sorted.length; from += SETTLED_AT_ONCE) {
    const some = sorted.slice(from, from + SETTLED_AT_ONCE);
    const conditions = some.map(() => '(id = ? and revision = ?)').join(' or ');
    const values = some.flatMap(({ id, revision }) => [id, revision]);
    const query = CompiledQuery.raw(`update activeflows set unsettled_at = null where ${conditions}`, values);
    await session.run((db) => db.executeQuery(query));
  }
}

/** Only `wake_at` is looked at: it is the earlier of the timer or lease and the deadline (activeflow-row.ts). */
export async function claimDue(session: Session, limit: number, lease_ms: number): Promise<RowAt[]> {
  const { dialect } = session;
  // Mostly nothing is due: one question tells, where a transaction would take three.
  const due = await session.run((db) =>
    db
      .selectFrom('activeflows')
      .select('id')
      .where('wake_at', '<=', dialect.now())
      .where('status', '=', 'running')
      .limit(1)
      .executeTakeFirst(),
  );
  if (!due) return [];
  return session.transaction(async (trx) => {
    const found = await trx
      .selectFrom('activeflows')
      .select(['id', 'revision'])
      .where('wake_at', '<=', dialect.now())
      .where('status', '=', 'running')
      .orderBy('wake_at')
      .limit(limit)
      .$if(dialect.locks, (query) => query.forUpdate().skipLocked())
      .execute();
    const ids = found.map((row) => row.id).sort();
    if (ids.length > 0) {
      await trx
        .updateTable('activeflows')
        .set({ wake_at: dialect.now(lease_ms) })
        .where('id', 'in', ids)
        .execute();
    }
    return found;
  });
}

/** A lease does not reach over a deadline that is still to come: that one must be noticed in time. */
export async function renew(session: Session, ids: readonly string[], lease_ms: number): Promise<void> {
  if (ids.length === 0) return;
  const now = session.dialect.now();
  const end = session.dialect.now(lease_ms);
  const wake_at = sql<string>`case when deadline_at > ${now} and deadline_at < ${end} then deadline_at else ${end} end`;
  await session.run((db) =>
    db
      .updateTable('activeflows')
      .set({ wake_at })
      .where('id', 'in', [...ids].sort())
      .where('has_run', '=', 1)
      .where('status', '=', 'running')
      .execute(),
  );
}

export async function backlog(session: Session): Promise<Backlog> {
  const now = session.dialect.now();
  const [unsettled, due] = await session.run((db) =>
    Promise.all([
      db
        .selectFrom('activeflows')
        .select((eb) => [
          eb.fn.countAll<number>().as('count'),
          eb.fn.min<string | null>('unsettled_at').as('oldest'),
          now.as('now'),
        ])
        .where('unsettled_at', 'is not', null)
        .executeTakeFirstOrThrow(),
      db
        .selectFrom('activeflows')
        .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.min<string | null>('wake_at').as('oldest'), now.as('now')])
        .where('wake_at', '<=', now)
        .where('status', '=', 'running')
        .executeTakeFirstOrThrow(),
    ]),
  );
  return {
    unsettled: unsettled.count,
    unsettled_age_ms: ageMs(session, unsettled.oldest, unsettled.now),
    due: due.count,
    due_age_ms: ageMs(session, due.oldest, due.now),
  };
}
