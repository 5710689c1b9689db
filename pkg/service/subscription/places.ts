import { LRUCache } from 'lru-cache';
import type { Subscription } from '../../model/subscription.ts';
import type { Attempted } from './sender.ts';

export interface PlaceOptions {
  /** Lanes that this process delivers side by side. */
  readonly lanes: number;
  /** Of these, lanes of one subscription: one that is slow holds no more. */
  readonly lanes_of_one: number;
  /** Connections that this process has to one host. */
  readonly host_connections: number;
}

interface Standing {
  /** Scheme, host and port: what connections are bounded by. */
  readonly origin: string;
  /** It was waited for in vain the last time: whoever is silent holds a connection for as long as its timeout. */
  readonly silent: boolean;
}

/** Subscriptions that it is remembered of how they do. */
const REMEMBERED = 10_000;

/**
 * Who may have how many lanes at a time, so that endpoints that are silent keep nobody else waiting: one subscription has
 * half of a host's connections at most; one that is silent has one lane; and all that are silent together have half of the
 * connections of their host, and half of all lanes. One answer, whatever it says, and it is silent no more.
 */
export class Places {
  readonly #options: PlaceOptions;
  readonly #most: number;
  readonly #known = new LRUCache<string, Standing>({ max: REMEMBERED });
  /** Lanes under way, by subscription. */
  readonly #held = new Map<string, number>();
  #total = 0;

  constructor(options: PlaceOptions) {
    this.#options = options;
    this.#most = Math.min(options.lanes_of_one, atLeastOne(options.host_connections / 2));
  }

  /** Lanes that may be taken in all. */
  get room(): number {
    return this.#options.lanes - this.#total;
  }

  /** Lanes of a subscription that may be taken; what is not known of is well. */
  roomOf(id: string): number {
    const held = this.#held.get(id) ?? 0;
    const known = this.#known.get(id);
    if (!known?.silent) return Math.min(this.room, this.#most - held);
    const [here, everywhere] = this.#silentLanes(known.origin);
    const { host_connections, lanes } = this.#options;
    return Math.min(this.room, 1 - held, atLeastOne(host_connections / 2) - here, atLeastOne(lanes / 2) - everywhere);
  }

  /** Subscriptions that have lanes under way and may have no more. */
  full(): string[] {
    return [...this.#held.keys()].filter((id) => this.roomOf(id) <= 0);
  }

  /** False: it may have no more. */
  enter({ id, config, failing_since }: Subscription): boolean {
    // What another process has noticed, or this one before it was started anew, holds until there is an answer.
    const { silent } = this.#known.get(id) ?? { silent: failing_since !== null };
    this.#known.set(id, { origin: new URL(config.callback_url).origin, silent });
    if (this.roomOf(id) <= 0) return false;
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
    this.#total += 1;
    return true;
  }

  leave(id: string): void {
    const left = (this.#held.get(id) ?? 1) - 1;
    if (left > 0) this.#held.set(id, left);
    else this.#held.delete(id);
    this.#total -= 1;
  }

  /** `timeout_ms`: how long an answer was to be waited for. */
  note(id: string, { response_code, latency_ms }: Attempted, timeout_ms: number): void {
    const known = this.#known.get(id);
    // A connection that is refused at once holds nothing up.
    const silent = response_code === null && latency_ms >= timeout_ms / 2;
    if (known && known.silent !== silent) this.#known.set(id, { ...known, silent });
  }

  /** Lanes under way of those that are silent: at this origin, and in all. */
  #silentLanes(origin: string): [here: number, everywhere: number] {
    let [here, everywhere] = [0, 0];
    for (const [id, held] of this.#held) {
      const known = this.#known.get(id);
      if (!known?.silent) continue;
      everywhere += held;
      if (known.origin === origin) here += held;
    }
    return [here, everywhere];
  }
}

function atLeastOne(count: number): number {
  return Math.max(1, Math.floor(count));
}
