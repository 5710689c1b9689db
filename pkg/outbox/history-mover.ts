import { LRUCache } from 'lru-cache';
import type { HistoryRecord, PendingHistory } from '../model/history.ts';
import type { HistoryStore, Log } from '../service/ports.ts';
import { REMEMBERED } from './remembered.ts';

/** How many records, or how long ones, stay in a row: it is written whole at each commit. */
const RECORDS = 8;
const BYTES = 32 * 1024;

/** Moves histories from their rows to rows of their own, and takes away those that nobody wants after a good end. */
export class HistoryMover {
  readonly #histories: HistoryStore;
  readonly #log: Log;
  /** Revision of the last record of each activeflow that has moved. */
  readonly #moved = new LRUCache<string, number>({ max: REMEMBERED });

  constructor(histories: HistoryStore, log: Log) {
    this.#histories = histories;
    this.#log = log;
  }

  moved(id: string): number {
    return this.#moved.get(id) ?? 0;
  }

  async move(id: string, { records, state }: PendingHistory): Promise<void> {
    const left = records.filter(({ revision }) => revision > this.moved(id));
    const last = left.at(-1);
    try {
      if (state === 'dropped') await this.#histories.remove([id]);
      if (!last || !isMuch(left)) return;
      await this.#histories.add(id, left);
      this.#moved.set(id, last.revision);
    } catch (error) {
      // It stays in the row and moves after the next commit; what was to be dropped goes with its activeflow.
      this.#log.warn({ activeflow_id: id, error: String(error) }, 'a history could not be moved to its own rows, or dropped');
    }
  }
}

function isMuch(records: readonly HistoryRecord[]): boolean {
  return records.length >= RECORDS || JSON.stringify(records).length >= BYTES;
}
