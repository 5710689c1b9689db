/** How many requests are worked on side by side: enough to fill a group commit, few enough that the next turn comes soon. */
const PLACES = 32;
/** Who is at it for longer waits for somebody else, another service say, and keeps nobody from working. */
const HOLD_MS = 20;

/** Taken by one that is at work. */
interface Place {
  readonly since: number;
}

type Begin = (place: Place) => void;

export interface FairTurnsOptions {
  readonly places?: number;
  readonly hold_ms?: number;
  /** ms that never go back; default the process's own. */
  readonly now?: () => number;
}

/**
 * Lets requests work in turns of their customers, one of each, however many of one wait: a customer's flood lengthens
 * its own queue only. While there are free places nobody waits, and nothing is asked of anybody.
 */
export class FairTurns {
  readonly #places: number;
  readonly #hold_ms: number;
  readonly #now: () => number;
  /** At work, the one that began first in front. */
  readonly #working = new Set<Place>();
  /** By customer, the one whose turn comes next in front. */
  readonly #waiting = new Map<string, Begin[]>();
  #clock: NodeJS.Timeout | undefined;

  constructor({ places = PLACES, hold_ms = HOLD_MS, now = () => performance.now() }: FairTurnsOptions = {}) {
    this.#places = places;
    this.#hold_ms = hold_ms;
    this.#now = now;
  }

  /** Runs some work when it is its customer's turn. */
  async run<T>(customer: string, work: () => Promise<T>): Promise<T> {
    const place = this.#free() > 0 ? this.#take() : await this.#turn(customer);
    try {
      return await work();
    } finally {
      this.#working.delete(place);
      this.#next();
    }
  }

  #free(): number {
    if (this.#working.size >= this.#places) this.#freeHeld();
    return this.#places - this.#working.size;
  }

  #take(): Place {
    const place = { since: this.#now() };
    this.#working.add(place);
    return place;
  }

  #turn(customer: string): Promise<Place> {
    this.#clock ??= setTimeout(() => this.#check(), this.#hold_ms).unref();
    return new Promise((begin) => {
      const queue = this.#waiting.get(customer);
      if (queue) queue.push(begin);
      else this.#waiting.set(customer, [begin]);
    });
  }

  #check(): void {
    this.#clock = undefined;
    this.#next();
    if (this.#waiting.size > 0) this.#clock = setTimeout(() => this.#check(), this.#hold_ms).unref();
  }

  #freeHeld(): void {
    const until = this.#now() - this.#hold_ms;
    for (const place of this.#working) {
      if (place.since > until) return;
      this.#working.delete(place);
    }
  }

  /** Fills the free places, a place for each customer in turn. */
  #next(): void {
    for (let free = this.#free(); free > 0; free--) {
      const [first] = this.#waiting;
      if (!first) return;
      const [customer, queue] = first;
      this.#waiting.delete(customer);
      const begin = queue.shift();
      if (queue.length > 0) this.#waiting.set(customer, queue);
      begin?.(this.#take());
    }
  }
}
