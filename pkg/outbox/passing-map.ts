/** How many entries come before the table is made anew, when fewer are there. */
const LEAST = 64;

/**
 * A map for what comes and soon goes again. V8 keeps entries in a table that points to the next one when it is full of gaps;
 * a table that has grown old keeps the next one, and all that was in it at the time, from being collected with what is young.
 * With activeflows as values that was half of what a `next` left to grow old, measured without servers. A table that is made anew
 * before it is full has no such pointer.
 */
export class PassingMap<K, V> {
  #map = new Map<K, V>();
  #came = 0;

  get size(): number {
    return this.#map.size;
  }

  has(key: K): boolean {
    return this.#map.has(key);
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  set(key: K, value: V): void {
    this.#came += 1;
    if (this.#came >= Math.max(LEAST, this.#map.size)) {
      this.#map = new Map(this.#map);
      this.#came = 0;
    }
    this.#map.set(key, value);
  }

  delete(key: K): void {
    this.#map.delete(key);
  }

  clear(): void {
    this.#map = new Map();
  }
}
