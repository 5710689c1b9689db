import { setTimeout as pause } from 'node:timers/promises';
import type { Subscription, WaitingDelivery } from '../../model/subscription.ts';
import type { DeliveryOutcome, Store } from '../ports.ts';
import { READ, READ_OF_ONE, readQueues } from './queues.ts';

/** A lane that is still held, after an outcome of it was stored. */
export interface StillHeld {
  /** What its next delivery goes by: read after the one before was sent. */
  readonly subscription: Subscription;
  /** What comes next in it, where that was asked for: nothing, or not all of it, when it has been added just now. */
  readonly queue: readonly WaitingDelivery[];
}

interface Waiting {
  readonly outcome: DeliveryOutcome;
  readonly reads: boolean;
  readonly resolve: (held: StillHeld | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Outcomes that share a transaction at most. */
const MOST = 800;
/** After a round of so many more are on their way: for so long, in ms, the next one waits for them. */
const MANY = 50;
const COLLECT_MS = 5;

/**
 * Stores outcomes of deliveries, those that come together in one transaction: a flush each would take longer than sending.
 * What their lanes need next is read beside it, for all of them at once.
 */
export class Recorder {
  readonly #store: Pick<Store, 'deliveries' | 'subscriptions'>;
  readonly #holder: string;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(store: Pick<Store, 'deliveries' | 'subscriptions'>, holder: string) {
    this.#store = store;
    this.#holder = holder;
  }

  /**
   * What comes next in the lane of an outcome; undefined: it was let go, because nothing is to be done in it now, or it is
   * another's. `reads`: nothing more of it is known.
   */
  record(outcome: DeliveryOutcome, reads: boolean): Promise<StillHeld | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ outcome, reads, resolve, reject });
      if (!this.#busy) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const round = this.#waiting.splice(0, MOST);
      try {
        await this.#keep(round);
      } catch (error) {
        for (const { reject } of round) reject(error);
      }
      if (round.length >= MANY) await pause(COLLECT_MS);
    }
    this.#busy = false;
  }

  async #keep(round: readonly Waiting[]): Promise<void> {
    const outcomes = round.map(({ outcome }) => outcome);
    const { deliveries, subscriptions } = this.#store;
    const empty = round.flatMap(({ outcome, reads }) =>
      reads && outcome.status !== 'pending' ? [{ ...outcome.lane, done_position: outcome.delivery.position }] : [],
    );
    // Read beside it: a change that was answered before these were sent is seen, and that is what counts.
    const [held, found, queues] = await Promise.all([
      deliveries.record(this.#holder, outcomes),
      subscriptions.some([...new Set(outcomes.map(({ lane }) => lane.subscription_id))]),
      readQueues(deliveries, empty, Math.min(READ, READ_OF_ONE * empty.length)),
    ]);
    const known = new Map(found.map((one) => [one.id, one]));
    for (const { outcome, reads, resolve } of round) {
      const { id, subscription_id } = outcome.lane;
      // Of one that was deleted meanwhile, the lane has gone with it.
      const subscription = held.has(id) ? known.get(subscription_id) : undefined;
      resolve(subscription && { subscription, queue: (reads && queues.get(id)) || [] });
    }
  }
}
