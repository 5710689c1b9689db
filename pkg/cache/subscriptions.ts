import type { Log } from '../service/ports.ts';

export type Listener = (message: string) => void;

/** Who listens to which channel. A listener that throws is its own misfortune, not that of the next one. */
export class Subscriptions {
  readonly #log: Log;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(log: Log) {
    this.#log = log;
  }

  get channels(): string[] {
    return [...this.#listeners.keys()];
  }

  /** True: the first one of its channel. */
  add(channel: string, listener: Listener): boolean {
    const listeners = this.#listeners.get(channel);
    if (listeners) {
      listeners.add(listener);
      return false;
    }
    this.#listeners.set(channel, new Set([listener]));
    return true;
  }

  /** True: the last one of its channel. */
  remove(channel: string, listener: Listener): boolean {
    const listeners = this.#listeners.get(channel);
    if (!listeners?.delete(listener) || listeners.size > 0) return false;
    return this.#listeners.delete(channel);
  }

  clear(): void {
    this.#listeners.clear();
  }

  emit(channel: string, message: string): void {
    for (const listener of [...(this.#listeners.get(channel) ?? [])]) {
      try {
        listener(message);
      } catch (error) {
        this.#log.error({ channel, error: error instanceof Error ? error.message : String(error) }, 'a listener failed');
      }
    }
  }
}
