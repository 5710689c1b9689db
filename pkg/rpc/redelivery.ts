import { createHash } from 'node:crypto';
import type { Delivery, Log, RedeliveryStore, Verdict } from '../service/ports.ts';

/** Whoever is at it for longer ends no process by it, and does not keep the others from working either. */
const PATIENCE_MS = 1_000;

interface RedeliveriesOptions {
  readonly store: RedeliveryStore;
  /** How often a message may come again before it is set aside. */
  readonly max: number;
  readonly log: Log;
  readonly patience_ms?: number;
}

/**
 * Counts how often messages come again because nobody has worked on them to their end, and sets those aside that do so too
 * often. What ends the process that works on it takes its neighbours with it, and they come again as often as it does: so
 * a message that comes again for a second time is worked on alone, and is counted when its turn comes, not before.
 */
export class Redeliveries {
  readonly #options: RedeliveriesOptions;
  /** Resolves when the turn of the last one in the line is over. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: RedeliveriesOptions) {
    this.#options = options;
  }

  /** The verdict of `work`, or of `aside` with the reason why it is not worked on any more. */
  async run(delivery: Delivery, work: () => Promise<Verdict>, aside: (reason: string) => Verdict): Promise<Verdict> {
    const { store, max } = this.#options;
    if (!delivery.redelivered) return work();
    const id = idOf(delivery);
    if (max > 0 && (await this.#known(() => store.first(id), true))) return work();
    const leave = await this.#turn();
    try {
      const times = await this.#known(() => store.count(id), 0);
      return times > max ? aside(`delivered again ${times} times, and never worked on to its end`) : await work();
    } finally {
      leave();
    }
  }

  /** What to call when it is over. Counted before it is worked on: the next process must know what has ended this one. */
  async #turn(): Promise<() => void> {
    const before = this.#last;
    let leave = (): void => undefined;
    this.#last = new Promise((resolve) => {
      leave = resolve;
    });
    await before;
    const clock = setTimeout(leave, this.#options.patience_ms ?? PATIENCE_MS);
    return () => {
      clearTimeout(clock);
      leave();
    };
  }

  async #known<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      this.#options.log.warn({ error: String(error) }, 'a redelivery could not be counted');
      return otherwise;
    }
  }
}

function idOf({ message_id, correlation_id, body }: Delivery): string {
  return createHash('sha256').update(message_id).update(correlation_id).update(body).digest('hex');
}
