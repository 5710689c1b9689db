import { LRUCache } from 'lru-cache';
import type { Activeflow } from '../model/activeflow.ts';
import type { ActiveflowStore, Log, TracePiece } from '../service/ports.ts';
import { REMEMBERED } from './remembered.ts';

/** How long pieces of several activeflows are collected for one INSERT. */
const COLLECT_MS = 20;

/**
 * Moves the steps of traces from the rows of their activeflows to rows of their own, those of many activeflows in one
 * statement: one each took as long as the commits themselves. What was not moved stays in the row that was committed,
 * and comes again with its next commit.
 */
export class TraceMover {
  readonly #activeflows: Pick<ActiveflowStore, 'addTrace'>;
  readonly #log: Log;
  /** How many steps stay in a row before they move. */
  readonly #keep: number;
  /** The last step of each activeflow that has been moved. */
  readonly #moved = new LRUCache<string, number>({ max: REMEMBERED });
  /** The last step that is on its way. */
  readonly #onTheWay = new Map<string, number>();
  #collected: TracePiece[] = [];
  #planned = false;

  constructor(activeflows: Pick<ActiveflowStore, 'addTrace'>, log: Log, keep: number) {
    this.#activeflows = activeflows;
    this.#log = log;
    this.#keep = keep;
  }

  /** Number of the last step that has been moved; 0: none. */
  moved(id: string): number {
    return this.#moved.get(id) ?? 0;
  }

  committed({ id, outbox }: Activeflow): void {
    const from = Math.max(this.moved(id), this.#onTheWay.get(id) ?? 0);
    const trace = outbox.trace.filter((lines) => lines.last > from);
    const last = trace.at(-1);
    if (!last || trace.reduce((sum, lines) => sum + lines.length, 0) < this.#keep) return;
    this.#onTheWay.set(id, last.last);
    this.#collected.push({ id, trace });
    if (this.#planned) return;
    this.#planned = true;
    setTimeout(() => void this.#move(), COLLECT_MS).unref();
  }

  /** Never rejects. */
  async #move(): Promise<void> {
    const pieces = this.#collected;
    this.#collected = [];
    this.#planned = false;
    const stored = await this.#store(pieces);
    for (const { id, trace } of pieces) {
      const last = trace.at(-1)?.last ?? 0;
      if (stored && last > this.moved(id)) this.#moved.set(id, last);
      if (this.#onTheWay.get(id) === last) this.#onTheWay.delete(id);
    }
  }

  async #store(pieces: readonly TracePiece[]): Promise<boolean> {
    try {
      await this.#activeflows.addTrace(pieces);
      return true;
    } catch (error) {
      this.#log.warn(
        { activeflows: pieces.length, error: String(error) },
        'traces could not be moved to their own rows yet; they stay where they are',
      );
      return false;
    }
  }
}
