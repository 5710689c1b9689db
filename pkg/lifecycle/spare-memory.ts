import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Beyond that part of its time a process has made what is worth clearing away; up to that it has nothing to do. */
const IDLE = 0.05;
/**
 * At how many looks in a row it must have had nothing to do, which are 20 s (cmd/daemon/run.ts): with little memory left, the
 * first seconds of the next load are slow (476 instead of 336 µs a `next` of ten callers when this came after 5 s).
 */
const LOOKS = 4;

/**
 * Gives memory back when a load is over. V8 does so at its next collection, which a process with nothing to do never comes
 * to: with 100,000 running activeflows it kept 210 MB for as long as nobody asked, or 128, as chance would have it.
 * Collected once, in 50 ms for which whoever comes just then waits, it gives the rest back within ten seconds.
 */
export class SpareMemory {
  readonly #busy: () => number;
  readonly #collect: () => Promise<void>;
  /** Looks since the end of a load that is still to be cleared away. */
  #idle: number | undefined;

  /** `busy`: the part of the time since it was last asked in which the process was busy, 0 to 1. */
  constructor(busy: () => number, collect: () => Promise<void> = collectAll) {
    this.#busy = busy;
    this.#collect = collect;
  }

  /** To be asked every five seconds. Resolves when what was to be collected is. */
  async look(): Promise<void> {
    if (this.#busy() > IDLE) this.#idle = 0;
    else if (this.#idle !== undefined) this.#idle += 1;
    if (this.#idle !== LOOKS) return;
    this.#idle = undefined;
    await this.#collect();
  }
}

/** Node has it only for who starts it with --expose-gc; a context that is made under that flag has it all the same. */
async function collectAll(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (options: { type: 'major'; execution: 'async' }) => Promise<void>;
  setFlagsFromString('--no-expose-gc');
  await gc({ type: 'major', execution: 'async' });
}
