import { exhausted } from '../error/index.ts';

export interface AdmissionOptions {
  /** Requests under way at the same time in this process: the broker gives it no more. */
  readonly capacity: number;
  /** How much of the capacity one customer may take, from 0 to 1. */
  readonly customer_share: number;
  /** From this part of the capacity on, no new activeflows are taken, so that those that run can go on. */
  readonly shed_creates_at: number;
}

/** Below this part of the capacity nothing waits in the queue, nobody is in anybody's way, and nobody is refused. */
const CONTENDED = 0.9;

/**
 * Keeps one customer's flood from making others wait. A request that is over its customer's share is refused at
 * once, which costs next to nothing, so that the queue behind it keeps moving; it can be repeated as it is.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #byCustomer = new Map<string, number>();
  #underWay = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /**
   * Lets a request in, and returns what to call when it is done. `customer`: empty when it is not known.
   * Throws RESOURCE_EXHAUSTED.
   */
  enter(customer: string, creates: boolean): () => void {
    const { capacity, customer_share, shed_creates_at } = this.#options;
    if (creates && this.#underWay >= capacity * shed_creates_at) {
      throw exhausted('OVERLOADED', `no new activeflows while ${this.#underWay} requests are under way`);
    }
    const mine = this.#byCustomer.get(customer) ?? 0;
    if (customer !== '' && this.#underWay >= capacity * CONTENDED && mine >= capacity * customer_share) {
      throw exhausted('CUSTOMER_OVER_SHARE', `customer ${customer} has ${mine} requests under way, and that is its share`, [
        {
          field: 'customer_id',
          value: customer,
          expected: `at most ${Math.floor(capacity * customer_share)} requests at the same time`,
        },
      ]);
    }
    this.#underWay += 1;
    if (customer !== '') this.#byCustomer.set(customer, mine + 1);
    return () => this.#leave(customer);
  }

  #leave(customer: string): void {
    this.#underWay -= 1;
    if (customer === '') return;
    const left = (this.#byCustomer.get(customer) ?? 1) - 1;
    if (left > 0) this.#byCustomer.set(customer, left);
    else this.#byCustomer.delete(customer);
  }
}
