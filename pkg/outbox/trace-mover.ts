import type { Activeflow } from '../model/activeflow.ts';
import { countLines, traceAfter } from '../model/trace.ts';
import type { ActiveflowStore, Log, TracePiece } from '../service/ports.ts';
import type { Remembered } from './remembered.ts';

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
  readonly #remembered: Remembered;
  /** Of which lines are on their way. Those that follow wait for them: moved first, they would say that these have moved. */
  readonly #onTheWay = new Set<string>();
  #collected: TracePiece[] = [];
  #planned = false;

  constructor(activeflows: Pick<ActiveflowStore, 'addTrace'>, log: Log, keep: number, remembered: Remembered) {
    this.#activeflows = activeflows;
    this.#log = log;
    this.#keep = keep;
    this.#remembered = remembered;
  }

  committed({ id, outbox }: Activeflow): void {
    if (this.#onTheWay.has(id)) return;
    const trace = traceAfter(outbox.trace, this.#remembered.of(id).trace_seq);
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
      const last = trace.at(-1)?.last;
      if (stored && last !== undefined) this.#remembered.note(id).trace_seq = last;
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
