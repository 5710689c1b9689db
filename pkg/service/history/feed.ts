import type { World } from '../../engine/world.ts';
import type { HistoryRecord, HistoryTurn } from '../../model/history.ts';

/**
 * Gives a decision again what it was given when it was made. Each turn has its own times and ids, so that a build
 * which looks at the clock more often, or less, does not shift what comes after.
 */
export class Feed {
  #turns: readonly HistoryTurn[] = [];
  #at = 0;
  #read = { now: 0, ids: 0 };
  #last = 0;
  #invented = 0;
  #slack = 0;

  begin(record: HistoryRecord): void {
    this.#turns = record.turns;
    this.#at = 0;
    this.#read = { now: 0, ids: 0 };
    this.#slack = 0;
  }

  /** What was asked and answered at the end of this turn; undefined: the decision was made in it. */
  get asked(): HistoryTurn['asked'] {
    return this.#turns[this.#at]?.asked;
  }

  /** The answer was given: what follows belongs to the next turn. */
  turn(): void {
    this.#measure();
    this.#at += 1;
    this.#read = { now: 0, ids: 0 };
  }

  /**
   * By how many ms a time may differ because the clock was looked at another number of times: no more than it
   * moved on within such a turn, and not at all where it was looked at as often.
   */
  get slack(): number {
    this.#measure();
    return this.#slack;
  }

  readonly now: World['now'] = () => {
    const times = this.#turns[this.#at]?.now ?? [];
    this.#last = times[this.#read.now] ?? times.at(-1) ?? this.#last;
    this.#read.now += 1;
    return this.#last;
  };

  /** One that was never given out, when more are asked for than then. */
  readonly newId: World['newId'] = () => {
    const id = this.#turns[this.#at]?.ids?.[this.#read.ids];
    this.#read.ids += 1;
    if (id !== undefined) return id;
    this.#invented += 1;
    return `ffffffff-0000-4000-8000-${String(this.#invented).padStart(12, '0')}`;
  };

  #measure(): void {
    const times = this.#turns[this.#at]?.now ?? [];
    if (this.#read.now === times.length) return;
    this.#slack = Math.max(this.#slack, (times.at(-1) ?? 0) - (times[0] ?? 0));
  }
}
