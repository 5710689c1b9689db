import { type HistoryRecord, type PendingHistory, RECORDS_TOGETHER } from '../model/history.ts';
import type { HistoryStore, Log } from '../service/ports.ts';
import type { Remembered } from './remembered.ts';

/** How long they may be before. */
const BYTES = 32 * 1024;

/** Moves histories from their rows to rows of their own, and takes away those that nobody wants after a good end. */
export class HistoryMover {
  readonly #histories: HistoryStore;
  readonly #log: Log;
  readonly #remembered: Remembered;

  constructor(histories: HistoryStore, log: Log, remembered: Remembered) {
    this.#histories = histories;
    this.#log = log;
    this.#remembered = remembered;
  }

  async move(id: string, { records, state }: PendingHistory): Promise<void> {
    const moved = this.#remembered.of(id).history_revision;
    const left = records.filter(({ revision }) => revision > moved);
    const last = left.at(-1);
    try {
      if (state === 'dropped') await this.#histories.remove([id]);
      if (!last || !isMuch(left)) return;
      await this.#histories.add(id, left);
      this.#remembered.note(id).history_revision = last.revision;
    } catch (error) {
      // It stays in the row and moves after the next commit; what was to be dropped goes with its activeflow.
      this.#log.warn({ activeflow_id: id, error: String(error) }, 'a history could not be moved to its own rows, or dropped');
    }
  }
}

function isMuch(records: readonly HistoryRecord[]): boolean {
  return records.length >= RECORDS_TOGETHER || JSON.stringify(records).length >= BYTES;
}
