import type { Subscription } from '../../model/subscription.ts';
import type { DeliveryOutcome, HeldLane, Store } from '../ports.ts';

/** What the next delivery of a lane goes by: read after the one before was sent. */
export interface StillHeld {
  readonly lane: HeldLane;
  readonly subscription: Subscription;
}

interface Waiting {
  readonly outcome: DeliveryOutcome;
  readonly resolve: (held: StillHeld | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Outcomes that share a transaction at most. */
const MOST = 100;

/** Stores outcomes of deliveries, those that come together in one transaction: a flush each would take longer than sending. */
export class Recorder {
  readonly #store: Pick<Store, 'deliveries' | 'subscriptions'>;
  readonly #holder: string;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(store: Pick<Store, 'deliveries' | 'subscriptions'>, holder: string) {
    this.#store = store;
    this.#holder = holder;
  }

  /** The lane, still held; undefined: it was let go, because nothing is to be done in it now, or it is another's. */
  record(outcome: DeliveryOutcome): Promise<StillHeld | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ outcome, resolve, reject });
      if (!this.#busy) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const round = this.#waiting.splice(0, MOST);
      try {
        const ids = [...new Set(round.map(({ outcome }) => outcome.lane.subscription_id))];
        // Read beside it: a change that was answered before these were sent is seen, and that is what counts.
        const [held, found] = await Promise.all([
          this.#store.deliveries.record(
            this.#holder,
            round.map(({ outcome }) => outcome),
          ),
          this.#store.subscriptions.some(ids),
        ]);
        const subscriptions = new Map(found.map((one) => [one.id, one]));
        const lanes = new Map(held.map((lane) => [lane.id, lane]));
        for (const { outcome, resolve } of round) {
          const lane = lanes.get(outcome.lane.id);
          const subscription = subscriptions.get(outcome.lane.subscription_id);
          // Of one that was deleted meanwhile, the lane has gone with it.
          resolve(lane && subscription && { lane, subscription });
        }
      } catch (error) {
        for (const { reject } of round) reject(error);
      }
    }
    this.#busy = false;
  }
}
