import { exhausted } from '../error/index.ts';

export interface CustomerLimitsOptions {
  /** Requests of one customer under way at the same time in this process. */
  readonly concurrency: number;
  /** Requests of one customer that may begin in a second, as many of them at once. */
  readonly per_second: number;
  /** ms that never go back; default the process's own. */
  readonly now?: () => number;
  /** Calls `run` after so many ms; default a timer that keeps no process alive. */
  readonly after?: (ms: number, run: () => void) => void;
}

interface Waiter {
  readonly start: () => void;
}

interface Customer {
  underWay: number;
  readonly waiting: Set<Waiter>;
  /** When its requests would be back within the rate, were there no burst. */
  even_at: number;
  timed: boolean;
}

/** Waiting requests a customer, as a multiple of those that may be under way: whatever grows has a limit. */
const MOST_WAITING = 10;
const SECOND_MS = 1_000;

/**
 * How much of the outside one customer may ask for. What is over a limit waits in the customer's own line for as long
 * as the request has time, because a burst (a campaign that begins, branches side by side) is no error; a line that is
 * too long, or a wait that takes all the time there is, is refused as RESOURCE_EXHAUSTED, which may be tried again.
 * No line ever stands in front of another customer's.
 */
export class CustomerLimits {
  readonly #options: CustomerLimitsOptions;
  readonly #now: () => number;
  readonly #after: (ms: number, run: () => void) => void;
  readonly #customers = new Map<string, Customer>();

  constructor(options: CustomerLimitsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#after = options.after ?? ((ms, run) => void setTimeout(run, ms).unref());
  }

  /** Customers that are remembered. */
  get size(): number {
    return this.#customers.size;
  }

  /** Resolves with what to call when the request is over. Throws RESOURCE_EXHAUSTED, at the latest when `signal` aborts. */
  async enter(id: string, signal: AbortSignal): Promise<() => void> {
    const customer = this.#customers.get(id) ?? { underWay: 0, waiting: new Set(), even_at: 0, timed: false };
    this.#customers.set(id, customer);
    const leave = (): void => {
      customer.underWay -= 1;
      this.#serve(id, customer);
    };
    if (customer.waiting.size >= this.#options.concurrency * MOST_WAITING) throw overLimit(id, 'too many requests wait');
    await new Promise<void>((resolve, reject) => {
      const waiter = { start: resolve };
      const giveUp = (): void => {
        if (!customer.waiting.delete(waiter)) return;
        reject(overLimit(id, 'its requests have waited for as long as this one had time'));
        this.#serve(id, customer);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      customer.waiting.add(waiter);
      this.#serve(id, customer);
    });
    return leave;
  }

  /** Starts who may start, and forgets a customer who has nothing left. */
  #serve(id: string, customer: Customer): void {
    const { concurrency, per_second } = this.#options;
    const now = this.#now();
    for (const waiter of customer.waiting) {
      if (customer.underWay >= concurrency) return;
      const even_at = Math.max(customer.even_at, now) + SECOND_MS / per_second;
      // A second's worth may begin at once.
      const wait = even_at - now - Math.max(SECOND_MS, SECOND_MS / per_second);
      if (wait > 0) {
        this.#later(id, customer, wait);
        return;
      }
      customer.even_at = even_at;
      customer.underWay += 1;
      customer.waiting.delete(waiter);
      waiter.start();
    }
    if (customer.underWay > 0 || customer.waiting.size > 0) return;
    if (customer.even_at > now) this.#later(id, customer, customer.even_at - now);
    else if (this.#customers.get(id) === customer) this.#customers.delete(id);
  }

  #later(id: string, customer: Customer, ms: number): void {
    if (customer.timed) return;
    customer.timed = true;
    this.#after(ms, () => {
      customer.timed = false;
      this.#serve(id, customer);
    });
  }
}

function overLimit(id: string, why: string) {
  return exhausted('HTTP_CUSTOMER_OVER_LIMIT', `too many requests of customer ${id}: ${why}`, [
    { field: 'customer_id', value: id, expected: 'fewer requests: --http_customer_rate, --http_customer_concurrency' },
  ]);
}
