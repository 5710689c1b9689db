import { LRUCache } from 'lru-cache';
import type { ActiveflowStatus } from '../model/activeflow.ts';

/**
 * Of how many activeflows it is remembered what has been moved on: of more than are read again before the database
 * knows it too. Who is forgotten too early is told the same again.
 */
const REMEMBERED = 20_000;

/** What of an activeflow has been moved on, by its numbers; 0: nothing. */
export interface MovedOn {
  /** The last event that is published. */
  event_seq: number;
  /** The last line of the trace that has a row of its own. */
  trace_seq: number;
  /** The last line of the trace that listeners were told of, and the status that they know. */
  told_seq: number;
  told_status: ActiveflowStatus | undefined;
  /** Revision of the last record of a history that has a row of its own. */
  history_revision: number;
}

const NOTHING: Readonly<MovedOn> = { event_seq: 0, trace_seq: 0, told_seq: 0, told_status: undefined, history_revision: 0 };

/** What this process has moved on. */
export class Remembered {
  readonly #of = new LRUCache<string, MovedOn>({ max: REMEMBERED });

  of(id: string): Readonly<MovedOn> {
    return this.#of.get(id) ?? NOTHING;
  }

  /** To be changed where it stands. */
  note(id: string): MovedOn {
    const known = this.#of.get(id);
    if (known) return known;
    const made = { ...NOTHING };
    this.#of.set(id, made);
    return made;
  }
}
