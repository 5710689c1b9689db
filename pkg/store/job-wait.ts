import type { Transaction } from 'kysely';
import { isJsonObject, type Json } from '../model/json.ts';
import { JOB_PREFIX, type Participant } from '../model/participant.ts';
import type { ActiveflowCommit, JobWait } from '../service/ports.ts';
import type { Dialect } from './dialect.ts';
import type { Schema } from './schema.ts';

/**
 * Who waits for a job stands in the job's own entry, and both sides lock that entry before they change it. A commit of
 * who waits finds the job over, or adds itself; the commit of the job's end finds who has added itself. So one of them
 * makes the waiting row due, and no later commit of that row can put it off: while it waits, each looks again.
 */

interface EntryPlace extends Participant {
  readonly name: string;
}

/** Within the transaction of a commit that waits, before its own row. True: a job is over already, and it must be due. */
export async function enlist(
  trx: Transaction<Schema>,
  dialect: Dialect,
  activeflow_id: string,
  { waits, left }: NonNullable<ActiveflowCommit['jobs']>,
): Promise<boolean> {
  let over = false;
  // In one order everywhere, so that no two lock entries crosswise.
  for (const wait of [...waits, ...left].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const entry = await lockEntry(trx, dialect, wait);
    const stays = waits.includes(wait);
    if (stays && !entry?.ongoing) over = true;
    if (!entry) continue;
    const others = entry.waiters.filter((id) => id !== activeflow_id);
    await setWaiters(trx, entry, stays && entry.ongoing ? [...others, activeflow_id] : others);
  }
  return over;
}

/** Makes who waits for the job of an entry due, within the transaction that has written the entry's end. */
export async function wakeWaiters(trx: Transaction<Schema>, dialect: Dialect, place: EntryPlace): Promise<void> {
  const entry = await trx
    .selectFrom('participants')
    .select('waiters')
    .where((eb) => eb.and({ ...place }))
    .executeTakeFirst();
  await wakeNow(trx, dialect, waitersOf(entry?.waiters));
}

/** Only rows that run: an ended one is never due. */
export async function wakeNow(trx: Transaction<Schema>, dialect: Dialect, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await trx
    .updateTable('activeflows')
    .set({ wake_at: dialect.now() })
    .where('id', 'in', [...ids].sort())
    .where('status', '=', 'running')
    .execute();
}

export function waitersOf(text: string | null | undefined): string[] {
  return text ? (JSON.parse(text) as string[]) : [];
}

interface LockedEntry {
  readonly place: EntryPlace;
  readonly ongoing: boolean;
  readonly waiters: readonly string[];
}

/** Undefined: there is none of this job. */
async function lockEntry(trx: Transaction<Schema>, dialect: Dialect, wait: JobWait): Promise<LockedEntry | undefined> {
  const place = { ...wait.participant, name: JOB_PREFIX + wait.name };
  const found = await trx
    .selectFrom('participants')
    .select(['value', 'waiters'])
    .where((eb) => eb.and({ ...place }))
    .where('job_id', '=', wait.id)
    .$if(dialect.locks, (query) => query.forUpdate())
    .executeTakeFirst();
  if (!found) return undefined;
  const value = JSON.parse(found.value) as Json;
  return { place, ongoing: isJsonObject(value) && value.status === 'ONGOING', waiters: waitersOf(found.waiters) };
}

async function setWaiters(trx: Transaction<Schema>, { place, waiters }: LockedEntry, next: readonly string[]): Promise<void> {
  if (JSON.stringify(next) === JSON.stringify(waiters)) return;
  await trx
    .updateTable('participants')
    .set({ waiters: next.length === 0 ? null : JSON.stringify(next) })
    .where((eb) => eb.and({ ...place }))
    .execute();
}
