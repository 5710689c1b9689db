/** How many requests are worked on side by side: enough to fill group commits. */
const PLACES = 256;
/** How many of these one customer may have while others work or wait: so few that their turn comes soon. */
const OWN = 32;
/** Who is at it for longer waits for somebody else, another service say, and keeps nobody from working. */
const HOLD_MS = 20;

/** Taken by one that is at work. */
interface Place {
  readonly customer: string;
  readonly since: number;
}

type Begin = (place: Place) => void;

export interface FairTurnsOptions {
  readonly places?: number;
  readonly own?: number;
  readonly hold_ms?: number;
  /** ms that never go back; default the process's own. */
  readonly now?: () => number;
}

/**
 * Lets requests work in turns of their customers, one of each, however many of one wait: a customer's flood lengthens
 * its own queue only. A customer that is alone may have every place; while there are free ones nobody waits.
 */
export class FairTurns {
  readonly #places: number;
  readonly #own: number;
  readonly #hold_ms: number;
  readonly #now: () => number;
  /** At work, the one that began first in front. */
  readonly #working = new Set<Place>();
  /** How many of these each customer has. */
  readonly #have = new Map<string, number>();
  /** By customer, the one whose turn comes next in front. */
  readonly #waiting = new Map<string, Begin[]>();
  #clock: NodeJS.Timeout | undefined;

  constructor({ places = PLACES, own = OWN, hold_ms = HOLD_MS, now = () => performance.now() }: FairTurnsOptions = {}) {
    this.#places = places;
    this.#own = own;
    this.#hold_ms = hold_ms;
    this.#now = now;
  }

  /** Runs some work when it is its customer's turn. */
  async run<T>(customer: string, work: () => Promise<T>): Promise<T> {
    const free = !this.#waiting.has(customer) && (this.#mayBegin(customer) || this.#mayBeginAfterAll(customer));
    const place = free ? this.#take(customer) : await this.#turn(customer);
    try {
      return await work();
    } finally {
      this.#leave(place);
      this.#next();
    }
  }

  #mayBegin(customer: string): boolean {
    if (this.#working.size >= this.#places) return false;
    const have = this.#have.get(customer) ?? 0;
    if (have < this.#own) return true;
    const others = this.#working.size > have || this.#waiting.size > (this.#waiting.has(customer) ? 1 : 0);
    return !others;
  }

  /** Some places may be held by those who wait for somebody else. */
  #mayBeginAfterAll(customer: string): boolean {
    this.#freeHeld();
    return this.#mayBegin(customer);
  }

  #take(customer: string): Place {
    const place = { customer, since: this.#now() };
    this.#working.add(place);
    this.#have.set(customer, (this.#have.get(customer) ?? 0) + 1);
    return place;
  }

  #leave(place: Place): void {
    if (!this.#working.delete(place)) return;
    const left = (this.#have.get(place.customer) ?? 1) - 1;
    if (left > 0) this.#have.set(place.customer, left);
    else this.#have.delete(place.customer);
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
    this.#freeHeld();
    this.#next();
    if (this.#waiting.size > 0) this.#clock = setTimeout(() => this.#check(), this.#hold_ms).unref();
  }

  #freeHeld(): void {
    const until = this.#now() - this.#hold_ms;
    for (const place of this.#working) {
      if (place.since > until) return;
      this.#leave(place);
    }
  }

  /** Fills the free places, a place for each customer in turn, until none may begin. */
  #next(): void {
    for (let refused = 0; refused < this.#waiting.size; ) {
      const [first] = this.#waiting;
      if (!first) return;
      const [customer, queue] = first;
      const may = this.#mayBegin(customer);
      if (!may && this.#working.size >= this.#places) return;
      // To the end of the line, whether it begins one or may not yet.
      this.#waiting.delete(customer);
      const begin = may ? queue.shift() : undefined;
      if (queue.length > 0) this.#waiting.set(customer, queue);
      refused = may ? 0 : refused + 1;
      begin?.(this.#take(customer));
    }
  }
}
