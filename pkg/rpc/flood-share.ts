import { busySince } from './busy.ts';

/** How many one customer may always have at work, and begin between two looks. */
const LEAST = 4;
/**
 * How busy the process may be, of its time, before the customer that asks most is held back: beside the broker and the database
 * on the same processors it is at its end before it is busy all the time (docs/performance.md, 29 and 38).
 */
const BUSY = 0.65;
/** How often it is looked how things stand. */
export const LOOK_MS = 50;

export interface FloodShareOptions {
  /** How many requests one customer may have at work when all is well. */
  readonly each: number;
  /** How long others count as there after the last request of one: between two requests of theirs a flood is alone. */
  readonly linger_ms: number;
  /** The part of the time since it was last asked in which the process was busy, 0 to 1; default of this process. */
  readonly busy?: () => number;
}

/**
 * What the customer that asks most may have while others are there and the process cannot keep up: less and less at work, and
 * fewer and fewer begun, down to what the next one has of either. A flood then lengthens its own queue only, and leaves the
 * broker and the database to the others. Few at work alone do not do that: who always has the next one at hand gets more
 * from four places than others, whose requests are on their way most of the time, from ten.
 */
export class FloodShare {
  readonly #each: number;
  readonly #linger_ms: number;
  readonly #busy: () => number;
  #looked_at = Number.NEGATIVE_INFINITY;
  /** Who asks most, and for how much whoever asks next to most. */
  #most = '';
  #next_to_most = 0;
  /** How many requests of each customer have begun since the last look. */
  readonly #begun = new Map<string, number>();
  /** How many of these the busiest of the others has, about. */
  #others_begin = 0;
  /** What who asks most may have at work, and begin between two looks. */
  #at_work: number;
  #beginning = Number.POSITIVE_INFINITY;
  /** Whose the last request was and when, and until when others than it count as there. */
  #last = '';
  #last_at = 0;
  #shared_until = Number.NEGATIVE_INFINITY;

  constructor({ each, linger_ms, busy = busySince() }: FloodShareOptions) {
    this.#each = each;
    this.#linger_ms = linger_ms;
    this.#busy = busy;
    this.#at_work = each;
  }

  /** A request of this customer has come. */
  came(customer: string, now: number): void {
    if (customer !== this.#last) {
      if (this.#last !== '') this.#shared_until = this.#last_at + this.#linger_ms;
      this.#last = customer;
    }
    this.#last_at = now;
  }

  began(customer: string): void {
    this.#begun.set(customer, (this.#begun.get(customer) ?? 0) + 1);
  }

  /** Whether one more may begin of a customer that has so many at work. */
  allows(customer: string, held: number, now: number): boolean {
    if (customer !== this.#most || now >= this.#shared_until) return held < this.#each;
    if (held >= Math.min(this.#each, Math.max(this.#at_work, this.#next_to_most))) return false;
    return (this.#begun.get(customer) ?? 0) < this.#beginning;
  }

  /** True: it is time to look. */
  isDue(now: number): boolean {
    return now - this.#looked_at >= LOOK_MS;
  }

  /** Looks how things stand. `asks`: how many requests of each customer are at work or wait. */
  look(now: number, asks: Iterable<readonly [customer: string, requests: number]>): void {
    this.#looked_at = now;
    this.#rank(asks);
    const begun = this.#begun.get(this.#most) ?? 0;
    let others = 0;
    for (const [customer, count] of this.#begun) if (customer !== this.#most) others = Math.max(others, count);
    this.#begun.clear();
    this.#others_begin = (this.#others_begin + others) / 2;
    if (this.#busy() > BUSY) {
      this.#at_work = Math.max(LEAST, Math.floor(this.#at_work / 2));
      this.#beginning = Math.max(LEAST, this.#others_begin, Math.min(this.#beginning, begun) / 2);
    } else {
      this.#at_work = Math.min(this.#each, this.#at_work + LEAST);
      this.#beginning = (this.#beginning * 5) / 4;
    }
  }

  #rank(asks: Iterable<readonly [customer: string, requests: number]>): void {
    let most = 0;
    this.#next_to_most = 0;
    for (const [customer, requests] of asks) {
      this.#next_to_most = Math.max(this.#next_to_most, Math.min(requests, most));
      if (requests <= most) continue;
      most = requests;
      this.#most = customer;
    }
  }
}
