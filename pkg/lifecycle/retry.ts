import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../service/ports.ts';

/** Delays between tries, in ms: the first, doubled up to the last. */
export interface Backoff {
  readonly first_ms: number;
  readonly max_ms: number;
}

const BACKOFF: Backoff = { first_ms: 200, max_ms: 5_000 };

/**
 * Tries until it succeeds, saying each time for what it waits and why. Rejects with the signal's reason once that
 * is aborted. Wrong credentials are waited for too: whoever provisions the servers may not be done yet.
 *
 * @example
 * const bus = await retryUntilUp('rabbitmq', () => connectBus(url), log, lifecycle.stopping);
 */
export async function retryUntilUp<T>(
  name: string,
  attempt: () => Promise<T>,
  log: Log,
  signal: AbortSignal,
  backoff: Backoff = BACKOFF,
): Promise<T> {
  for (let tries = 1, delay = backoff.first_ms; ; tries++, delay = Math.min(delay * 2, backoff.max_ms)) {
    signal.throwIfAborted();
    try {
      const value = await attempt();
      if (tries > 1) log.info({ server: name, tries }, `${name} is up`);
      return value;
    } catch (error) {
      signal.throwIfAborted();
      // Its stack once is enough: this may go on for hours.
      const why = tries === 1 ? { error } : { reason: error instanceof Error ? error.message : String(error) };
      log.warn({ server: name, tries, retry_ms: delay, ...why }, `waiting for ${name}`);
    }
    // The sleep rejects with an error of its own; ours is to reject with the signal's reason.
    await sleep(delay, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
