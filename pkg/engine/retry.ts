import { DEFAULT_RETRY, RETRY_BOUNDS, type Retry } from '../model/action.ts';
import type { ErrorData, Retrying } from '../model/activeflow.ts';
import type { Draft } from './draft.ts';
import { bounded } from './error-data.ts';
import { formatTime, type World } from './world.ts';

/** Reasons of failures after which nobody knows whether the request was done, or which say that it was never sent. */
const UNANSWERED: ReadonlySet<string> = new Set([
  'SIBLING_TIMEOUT',
  'SIBLING_UNREACHABLE',
  'SIBLING_BREAKER_OPEN',
  'BUS_CLOSED',
  'DATABASE_UNAVAILABLE',
]);

/** The number that the requests of the current action carry in their ids; none at the first attempt. */
export function attemptOf(draft: Draft): { readonly attempt?: number } {
  const { attempt = 0 } = draft.run?.retry ?? {};
  return attempt === 0 ? {} : { attempt };
}

/**
 * Lets an action that has failed be tried again, when its `retry` says so. The walk then lets go: what it leaves in
 * the row says when the next try is due, and whoever is there at that time goes on, in any process. False: that was
 * the last try.
 */
export function tryAgain(draft: Draft, error: ErrorData, world: World, since: number): boolean {
  const { run, current } = draft;
  const { retry } = current;
  const before = run?.retry ?? { failed: 0, attempt: 0, due: null };
  if (!run || !retry || before.failed >= Math.min(retry.attempts, RETRY_BOUNDS.attempts)) return false;
  const pause = pauseMs(retry, before.failed);
  draft.run = { ...run, retry: after(before, error, formatTime(Math.ceil(world.now() + pause))) };
  const count = `try ${before.failed + 1} of ${retry.attempts + 1}`;
  draft.note('retried', `${error.reason}: ${bounded(error).message}; ${count}, again in ${pause} ms`, world, { since });
  return true;
}

function after({ failed, attempt }: Retrying, error: ErrorData, due: string): Retrying {
  return { failed: failed + 1, attempt: UNANSWERED.has(error.reason) ? attempt : attempt + 1, due };
}

/** Grows by the factor from the first pause on. Not spread at random: the same row always gives the same decision. */
export function pauseMs(retry: Retry, failed: number): number {
  const { initial_ms, max_ms, factor } = { ...DEFAULT_RETRY, ...retry };
  return Math.round(Math.min(initial_ms * factor ** failed, max_ms, RETRY_BOUNDS.ms));
}

/** True while a walk has let go until the next try of its action. */
export function isPaused(draft: Draft): boolean {
  return draft.run?.retry?.due != null;
}
