import { FloodShare, type FloodShareOptions, LOOK_MS } from './flood-share.ts';

/** How many requests are worked on side by side: 100 callers do 5 to 20 % more when none of them waits for a place (performance.md, 31). */
const PLACES = 100;
/** The most of these that one customer may have: who comes after a flood that was alone waits for all of them. */
const EACH = 64;
/** How long others count as there after the last request of one: between two requests of theirs a flood is alone. */
const LINGER_MS = 1_000;
/** Who is at it for longer, and has not said that it waits, keeps nobody from working either. */
const HOLD_MS = 1_000;

/** Taken by one that is at work. */
interface Place {
  readonly customer: string;
  /** What the work is on; empty: nothing that it could wait for. */
  readonly on: string;
  readonly since: number;
}

interface Waiting {
  readonly on: string;
  readonly begin: (place: Place) => void;
}

export interface FairTurnsOptions extends Partial<FloodShareOptions> {
  readonly places?: number;
  readonly hold_ms?: number;
  /** ms that never go back; default the process's own. */
  readonly now?: () => number;
}

/**
 * Lets requests work side by side, customers in turns, none with more than its most. Further than that nobody is held back
 * while the process keeps up, or a customer has been alone for a while; when it does not, who asks most is (flood-share.ts).
 */
export class FairTurns {
  readonly #places: number;
  readonly #share: FloodShare;
  readonly #hold_ms: number;
  readonly #now: () => number;
  /** At work, the one that began first in front. */
  readonly #working = new Set<Place>();
  /** How many of these each customer has. */
  readonly #held = new Map<string, number>();
  /** By customer, the one whose turn comes next in front. */
  readonly #waiting = new Map<string, Waiting[]>();
  /** By what they work on, the newest of each. */
  readonly #byWork = new Map<string, Place>();
  #clock: NodeJS.Timeout | undefined;

  constructor(options: FairTurnsOptions = {}) {
    const { places = PLACES, each = EACH, linger_ms = LINGER_MS, hold_ms = HOLD_MS } = options;
    this.#places = places;
    this.#hold_ms = hold_ms;
    this.#now = options.now ?? (() => performance.now());
    this.#share = new FloodShare({ each, linger_ms, ...(options.busy && { busy: options.busy }) });
  }

  /** Runs some work when it is its customer's turn. `on`: what it is work on, by which its place can be released. */
  async run<T>(customer: string, work: () => Promise<T>, on = ''): Promise<T> {
    const now = this.#now();
    this.#share.came(customer, now);
    this.#look(now);
    const place = this.#mayBegin(customer, now) ? this.#take(customer, on, now) : await this.#turn(customer, on);
    try {
      return await work();
    } finally {
      this.#leave(place);
      if (this.#waiting.size > 0) this.#next();
    }
  }

  /** Who works on this waits for somebody else now: its place is for others. */
  release(on: string): void {
    const place = this.#byWork.get(on);
    if (!place) return;
    this.#leave(place);
    if (this.#waiting.size > 0) this.#next();
  }

  #look(now: number): void {
    if (!this.#share.isDue(now)) return;
    const asking = new Set([...this.#held.keys(), ...this.#waiting.keys()]);
    this.#share.look(
      now,
      [...asking].map((customer) => [customer, (this.#held.get(customer) ?? 0) + (this.#waiting.get(customer)?.length ?? 0)]),
    );
    if (this.#waiting.size > 0) this.#next();
  }

  #mayBegin(customer: string, now: number): boolean {
    if (this.#waiting.has(customer)) return false;
    if (this.#hasRoom(customer, now)) return true;
    this.#freeHeld(now);
    return this.#hasRoom(customer, now);
  }

  #hasRoom(customer: string, now: number): boolean {
    return this.#working.size < this.#places && this.#share.allows(customer, this.#held.get(customer) ?? 0, now);
  }

  #take(customer: string, on: string, since: number): Place {
    const place = { customer, on, since };
    this.#working.add(place);
    if (on !== '') this.#byWork.set(on, place);
    this.#held.set(customer, (this.#held.get(customer) ?? 0) + 1);
    this.#share.began(customer);
    return place;
  }

  #leave(place: Place): void {
    // Who waited for others, or held it for too long, has left it already.
    if (!this.#working.delete(place)) return;
    if (this.#byWork.get(place.on) === place) this.#byWork.delete(place.on);
    const left = (this.#held.get(place.customer) ?? 1) - 1;
    if (left > 0) this.#held.set(place.customer, left);
    else this.#held.delete(place.customer);
  }

  #turn(customer: string, on: string): Promise<Place> {
    this.#plan();
    return new Promise((begin) => {
      const queue = this.#waiting.get(customer);
      if (queue) queue.push({ on, begin });
      else this.#waiting.set(customer, [{ on, begin }]);
    });
  }

  /** While somebody waits: a look may let more begin though nothing comes or ends. */
  #plan(): void {
    this.#clock ??= setTimeout(() => this.#check(), Math.min(this.#hold_ms, LOOK_MS)).unref();
  }

  #check(): void {
    this.#clock = undefined;
    const now = this.#now();
    this.#freeHeld(now);
    this.#look(now);
    this.#next();
    if (this.#waiting.size > 0) this.#plan();
  }

  #freeHeld(now: number): void {
    for (const place of this.#working) {
      if (place.since > now - this.#hold_ms) return;
      this.#leave(place);
    }
  }

  /** Fills the free places, a place for each customer in turn; who may have no more is passed over. */
  #next(): void {
    const now = this.#now();
    let passed = 0;
    while (passed < this.#waiting.size && this.#working.size < this.#places) {
      const [first] = this.#waiting;
      if (!first) return;
      const [customer, queue] = first;
      const next = this.#hasRoom(customer, now) ? queue.shift() : undefined;
      this.#waiting.delete(customer);
      if (queue.length > 0) this.#waiting.set(customer, queue);
      passed = next ? 0 : passed + 1;
      next?.begin(this.#take(customer, next.on, now));
    }
  }
}
