import { LRUCache } from 'lru-cache';
import type { Activeflow, Outbox } from '../model/activeflow.ts';
import { countLines, type TraceLines, traceAfter } from '../model/trace.ts';
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
  readonly #activeflows: Pick<ActiveflowStore, 'addTrace' | 'lastTraced'>;
  readonly #log: Log;
  /** How many steps stay in a row before they move. */
  readonly #keep: number;
  /** The last step of each activeflow that has been moved. */
  readonly #moved = new LRUCache<string, number>({ max: REMEMBERED });
  /** The last step that is on its way. */
  readonly #onTheWay = new Map<string, number>();
  #collected: TracePiece[] = [];
  #planned = false;

  constructor(activeflows: Pick<ActiveflowStore, 'addTrace' | 'lastTraced'>, log: Log, keep: number) {
    this.#activeflows = activeflows;
    this.#log = log;
    this.#keep = keep;
  }

  /** Number of the last step that has been moved; 0: none. */
  moved(id: string): number {
    return this.#moved.get(id) ?? 0;
  }

  /** What has moved is known afterwards, where the row still holds so much that it may have. */
  found({ id, outbox }: Activeflow): Promise<void> | undefined {
    if (outbox.trace.length === 0 || countLines(this.#left(id, outbox)) < this.#keep) return undefined;
    return this.#activeflows.lastTraced(id).then((last) => this.#remember(id, last));
  }

  committed({ id, outbox }: Activeflow): void {
    const trace = this.#left(id, outbox);
    const last = trace.at(-1);
    if (!last || countLines(trace) < this.#keep) return;
    this.#onTheWay.set(id, last.last);
    this.#collected.push({ id, trace });
    if (this.#planned) return;
    this.#planned = true;
    setTimeout(() => void this.#move(), COLLECT_MS).unref();
  }

  /** What has not moved, and is not on its way. */
  #left(id: string, { trace }: Outbox): readonly TraceLines[] {
    return traceAfter(trace, Math.max(this.moved(id), this.#onTheWay.get(id) ?? 0));
  }

  #remember(id: string, last: number): void {
    if (last > this.moved(id)) this.#moved.set(id, last);
  }

  /** Never rejects. */
  async #move(): Promise<void> {
    const pieces = this.#collected;
    this.#collected = [];
    this.#planned = false;
    const stored = await this.#store(pieces);
    for (const { id, trace } of pieces) {
      const last = trace.at(-1)?.last ?? 0;
      if (stored) this.#remember(id, last);
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
