import { LRUCache } from 'lru-cache';
import type { Activeflow } from '../model/activeflow.ts';
import { countLines, traceAfter } from '../model/trace.ts';
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
  /** Of which lines are on their way. Those that follow wait for them: moved first, they would say that these have moved. */
  readonly #onTheWay = new Set<string>();
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
    if (this.#onTheWay.has(id)) return;
    const trace = traceAfter(outbox.trace, this.moved(id));
    if (countLines(trace) < this.#keep) return;
    this.#onTheWay.add(id);
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
      this.#onTheWay.delete(id);
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
