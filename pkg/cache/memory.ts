import { LRUCache } from 'lru-cache';
import type { Cache, Log } from '../service/ports.ts';
import { type Listener, Subscriptions } from './subscriptions.ts';

export interface MemoryCacheOptions {
  readonly log: Log;
  /** Bytes of keys and values, about; default 64 MiB. */
  readonly maxBytes?: number;
}

/** The cache within one process, for `--embedded`. */
export class MemoryCache implements Cache {
  readonly #entries: LRUCache<string, string>;
  readonly #subscriptions: Subscriptions;
  #closed = false;

  constructor(options: MemoryCacheOptions) {
    this.#entries = new LRUCache({
      maxSize: options.maxBytes ?? 64 * 1024 * 1024,
      // Strings take up to two bytes a character; the rest is what an entry costs by itself.
      sizeCalculation: (value, key) => 2 * (value.length + key.length) + 100,
    });
    this.#subscriptions = new Subscriptions(options.log);
  }

  async get(key: string): Promise<string | undefined> {
    return this.#entries.get(key);
  }

  async set(key: string, value: string, ttl_ms: number): Promise<void> {
    if (this.#closed) return;
    if (ttl_ms <= 0) this.#entries.delete(key);
    else this.#entries.set(key, value, { ttl: ttl_ms });
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(key);
  }

  /** Listeners run after the caller's own turn, as they would with a server between. */
  async publish(channel: string, message: string): Promise<void> {
    setImmediate(() => this.#subscriptions.emit(channel, message));
  }

  async subscribe(channel: string, listener: Listener): Promise<() => Promise<void>> {
    // A function of its own for each subscription, so that one listener may subscribe twice and leave once.
    const own: Listener = (message) => listener(message);
    if (!this.#closed) this.#subscriptions.add(channel, own);
    return async () => {
      this.#subscriptions.remove(channel, own);
    };
  }

  async check(): Promise<void> {
    if (this.#closed) throw new Error('the cache is closed');
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#entries.clear();
    this.#subscriptions.clear();
  }
}
