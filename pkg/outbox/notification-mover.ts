import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { toFlowError } from '../error/index.ts';
import type { Activeflow } from '../model/activeflow.ts';
import type { Log } from '../service/ports.ts';
import { PassingMap } from './passing-map.ts';
import type { Remembered } from './remembered.ts';

/** Puts what rows have caused before those who listen; again the same: nothing. */
export interface Notifier {
  rows(rows: readonly Activeflow[]): Promise<void>;
}

interface Waiting {
  readonly row: Activeflow;
  readonly done: () => void;
}

/** Rows of one round. */
const MOST = 200;
/** Between two rounds, so that many rows share their questions. */
const COLLECT_MS = 30;
const RETRY_MS = 500;

/**
 * Tells those who listen what rows have caused, many rows at a time. What of a row has been told may leave it; what has
 * not stays in it, and its row stays unsettled, until the sweep of some process has told it.
 */
export class NotificationMover {
  readonly #notifier: Notifier;
  readonly #log: Log;
  readonly #remembered: Remembered;
  #waiting: Waiting[] = [];
  readonly #onTheWay = new PassingMap<Activeflow, Promise<void>>();
  #busy = false;
  #closing = false;

  constructor(notifier: Notifier, log: Log, remembered: Remembered) {
    this.#notifier = notifier;
    this.#log = log;
    this.#remembered = remembered;
  }

  /** Resolves when all of the row is told, or when this gives up because the process ends. Never rejects. */
  move(row: Activeflow): Promise<void> {
    const { told_seq, told_status } = this.#remembered.of(row.id);
    if (this.#closing || (told_seq >= row.state.trace_seq && told_status === row.status)) return Promise.resolve();
    const known = this.#onTheWay.get(row);
    if (known) return known;
    const moving = new Promise<void>((done) => this.#waiting.push({ row, done }));
    this.#onTheWay.set(row, moving);
    if (!this.#busy) void this.#run();
    return moving;
  }

  giveUp(): void {
    this.#closing = true;
    this.#finish(this.#waiting.splice(0));
  }

  async #run(): Promise<void> {
    this.#busy = true;
    // The answer that was waited for with the commit goes out first.
    await turn();
    while (this.#waiting.length > 0) {
      await this.#tellRound();
      await sleep(COLLECT_MS, undefined, { ref: false });
    }
    this.#busy = false;
  }

  /** By itself: what a function has in hand it keeps while it sleeps, and the rows would be among what is old by then. */
  async #tellRound(): Promise<void> {
    const round = this.#waiting.splice(0, MOST);
    await this.#tell(round);
    this.#finish(round);
  }

  #finish(round: readonly Waiting[]): void {
    for (const { row, done } of round) {
      this.#onTheWay.delete(row);
      done();
    }
  }

  async #tell(round: readonly Waiting[]): Promise<void> {
    while (!this.#closing) {
      try {
        await this.#notifier.rows(round.map(({ row }) => row));
        for (const { row } of round) this.#remember(row);
        return;
      } catch (thrown) {
        const error = toFlowError(thrown);
        if (!error.retryable) return this.#tellEach(round, error.message);
        this.#log.warn({ rows: round.length, error: error.message }, 'notifications wait to be stored');
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /** One row that can never be told must not keep the others. */
  async #tellEach(round: readonly Waiting[], error: string): Promise<void> {
    const [first] = round;
    if (round.length > 1) for (const one of round) await this.#tell([one]);
    else if (first) {
      this.#remember(first.row);
      this.#log.error({ activeflow_id: first.row.id, error }, 'notifications of an activeflow cannot be stored and are lost');
    }
  }

  #remember({ id, state, status }: Activeflow): void {
    const moved = this.#remembered.note(id);
    // A sweep may have read the row before its newest commit was told.
    if (state.trace_seq < moved.told_seq) return;
    moved.told_seq = state.trace_seq;
    moved.told_status = status;
  }
}
