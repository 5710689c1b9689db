import type { Clock } from './ports.ts';

/** The smallest step that RFC 3339 with microseconds can show, in ms. */
const MICROSECOND_MS = 0.001;

/**
 * Time by the database's clock, so that all replicas agree on what is due. Strictly rising within this process:
 * things made one after another sort in that order.
 */
export class AlignedClock implements Clock {
  #offset = 0;
  #last = 0;

  /** @param offset_ms the database's time minus this process's */
  align(offset_ms: number): void {
    this.#offset = offset_ms;
  }

  now(): number {
    this.#last = Math.max(this.#last + MICROSECOND_MS, Date.now() + this.#offset);
    return this.#last;
  }
}
