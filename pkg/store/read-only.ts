import { isReadOnly } from './errors.ts';

/**
 * Notices that the server takes no writes any more, as one does that a failover has made a replica: reads go on there
 * and grow old. Connections belong to a turn; with the first such error of a turn the next one begins, and connections
 * of turns before are given up by whoever holds them, so that new ones go to where the address leads by then.
 */
export class ReadOnlyWatch {
  readonly #onNoticed: () => void;
  #turn = 0;

  constructor(onNoticed: () => void) {
    this.#onNoticed = onNoticed;
  }

  /** What a connection that is opened now belongs to. */
  get turn(): number {
    return this.#turn;
  }

  /** An error that a connection of `turn` has met. */
  met(error: unknown, turn: number): void {
    if (turn !== this.#turn || !isReadOnly(error)) return;
    this.#turn += 1;
    this.#onNoticed();
  }
}
