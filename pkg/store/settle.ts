import { setTimeout as sleep } from 'node:timers/promises';
import { type FlowError, toFlowError, unavailable } from '../error/index.ts';
import { classify, toStoreError } from './errors.ts';
import type { CommitResult } from './group-commit.ts';
import { outcomeOf } from './token.ts';

export interface Settling {
  /** How long a commit of unknown outcome is asked after before it is given up. */
  readonly timeout_ms: number;
  /** How long one statement may go without an answer. */
  readonly statement_ms: number;
}

export const DEFAULT_SETTLING: Settling = { timeout_ms: 30_000, statement_ms: 10_000 };

export interface Attempt {
  /** The conditional write; false: the row was not at the revision before. */
  write(): Promise<boolean>;
  /** Who made the last revisions of the row. */
  read(): Promise<{ readonly revision: number; readonly tokens: string } | undefined>;
}

type Marked = { readonly id: string; readonly revision: number; readonly token: string };

const LONGEST_PAUSE_MS = 1000;

/**
 * Writes one commit and finds out what became of it.
 *
 * When the connection breaks under the statement, nobody knows whether it took effect, or will: the server may still
 * be at it. So the same statement with the same token is sent again until the database answers. Either it takes effect
 * now, and then the first one can no longer; or the row has moved on, and then its tokens say whose revision that was.
 * What the server rolled back (a deadlock, a lock that was not given in time) is tried again too; a server that refuses
 * ends it, unless an earlier try is open.
 * Never rejects.
 *
 * @param start deadline: ms since 1970; unknown: an earlier try of this commit is open already
 */
export async function settle(
  commit: Marked,
  where: string,
  start: { readonly deadline: number; readonly unknown: boolean },
  attempt: Attempt,
): Promise<CommitResult> {
  let { unknown } = start;
  let pause_ms = 20;
  for (;;) {
    try {
      return await writeOrRead(commit, where, unknown, attempt);
    } catch (error) {
      const failure = classify(error);
      if (failure === 'lost') unknown = true;
      else if (failure !== 'contention' && !(failure === 'refused' && unknown)) return asError(error, where);
      if (Date.now() + pause_ms > start.deadline) return unknown ? outcomeUnknown(commit, where, error) : asError(error, where);
    }
    await sleep(pause_ms * (0.5 + Math.random()));
    pause_ms = Math.min(pause_ms * 2, LONGEST_PAUSE_MS);
  }
}

async function writeOrRead(commit: Marked, where: string, unknown: boolean, attempt: Attempt): Promise<CommitResult> {
  if (await attempt.write()) return true;
  if (!unknown) return false;
  const outcome = outcomeOf(commit, await attempt.read());
  return outcome === 'unknown' ? outcomeUnknown(commit, where) : outcome === 'won';
}

/** The caller's own caller may repeat its request: what was stored by it, if it was, is known by its key. */
export function outcomeUnknown(commit: Marked, where: string, cause?: unknown): FlowError {
  return unavailable(
    'DATABASE_UNAVAILABLE',
    `database ${where}: it is not known whether revision ${commit.revision} of activeflow ${commit.id} was stored`,
    cause === undefined ? undefined : { cause },
  );
}

function asError(error: unknown, where: string): FlowError {
  return toFlowError(toStoreError(error, where));
}
