import { unavailable } from '../error/index.ts';
import type { CommitRow } from './activeflow-row.ts';

/** true: won; false: lost the race, nothing written; an error: neither is known, or the row cannot be written. */
export type CommitResult = boolean | Error;

/** Writes a batch of commits of different activeflows. Never rejects. */
export interface CommitLane {
  write(batch: readonly CommitRow[]): Promise<readonly CommitResult[]>;
  close(): Promise<void>;
}

export interface BatchLimits {
  readonly rows: number;
  readonly bytes: number;
  /** How long a commit waits for the one that is under way, in ms; default PATIENCE_MS. */
  readonly patience_ms?: number;
}

/**
 * How long a commit waits for the one that is under way before it goes beside it: longer than a commit takes when all is
 * well. Taken side by side all the time, two connections make two small batches of one large one: a fifth fewer commits.
 */
const PATIENCE_MS = 25;

interface Waiting {
  readonly id: string;
  readonly write: () => CommitRow;
  /** Once it was written. */
  row?: CommitRow;
  /** When it came, in ms of performance.now(). */
  readonly since: number;
  readonly settle: (result: CommitResult) => void;
}

interface Written {
  readonly row: CommitRow;
  readonly settle: (result: CommitResult) => void;
}

/**
 * Commits that arrive while a commit is under way share the next statement, and with it one flush of the log.
 *
 * A commit waits in the queue until no lane is busy, or until it has waited for long: another lane then goes beside the
 * one that is held up, by a lock say. The lane takes what waits, oldest first, up to the limits; it
 * passes over commits of an activeflow that is in a batch already, its own or another lane's: two commits of one
 * activeflow are never under way together, so that one statement never meets a row twice. What was passed over stays
 * in its place. When the batch is written each of its commits gets its own result, and the lane takes the next batch.
 * Nothing waits for a batch to fill: a commit that finds all lanes idle goes out by itself. A commit is written out when
 * its batch is put together: by then less is left to be written, and no long texts wait in the queue.
 */
export class GroupCommit {
  readonly #limits: BatchLimits;
  readonly #lanes: readonly CommitLane[];
  readonly #idle: CommitLane[];
  readonly #underWay = new Set<string>();
  #queue: Waiting[] = [];
  #closing = false;
  #drained: (() => void) | undefined;
  #pumpPlanned = false;
  #patience: NodeJS.Timeout | undefined;

  constructor(lanes: readonly CommitLane[], limits: BatchLimits) {
    this.#lanes = lanes;
    this.#idle = [...lanes];
    this.#limits = limits;
  }

  /** `write`: makes what is written of this activeflow; throws when it cannot be. */
  commit(id: string, write: () => CommitRow): Promise<boolean> {
    if (this.#closing) return Promise.reject(unavailable('DATABASE_UNAVAILABLE', 'the store is closing'));
    return new Promise((resolve, reject) => {
      const settle = (result: CommitResult): void => {
        if (typeof result === 'boolean') resolve(result);
        else reject(result);
      };
      this.#queue.push({ id, write, settle, since: performance.now() });
      this.#planPump();
    });
  }

  /** Takes no more, writes what waits, then closes the lanes. */
  async close(): Promise<void> {
    this.#closing = true;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#whenDrained();
    });
    clearTimeout(this.#patience);
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }

  /** When those who ask in one turn have all asked: what one delivery of answers sets off goes together. */
  #planPump(): void {
    if (this.#pumpPlanned || this.#idle.length === 0) return;
    this.#pumpPlanned = true;
    queueMicrotask(() => {
      this.#pumpPlanned = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#queue.length > 0) {
      if (!this.#mayGo()) return;
      const lane = this.#idle.pop();
      if (!lane) return;
      const batch = this.#take();
      if (batch.length === 0) {
        this.#idle.push(lane);
        this.#whenDrained();
        return;
      }
      void this.#write(lane, batch);
    }
  }

  #mayGo(): boolean {
    if (this.#idle.length === this.#lanes.length) return true;
    const waits = performance.now() - (this.#queue[0]?.since ?? 0);
    const patience = this.#limits.patience_ms ?? PATIENCE_MS;
    if (waits >= patience) return true;
    this.#patience ??= setTimeout(() => {
      this.#patience = undefined;
      this.#pump();
    }, patience - waits);
    return false;
  }

  #take(): Written[] {
    const batch: Written[] = [];
    const left: Waiting[] = [];
    let bytes = 0;
    for (const waiting of this.#queue) {
      const taken = batch.length < this.#limits.rows && !this.#underWay.has(waiting.id);
      const row = taken ? writtenOut(waiting) : undefined;
      if (row instanceof Error) waiting.settle(row);
      else if (row && (batch.length === 0 || bytes + row.bytes <= this.#limits.bytes)) {
        this.#underWay.add(waiting.id);
        bytes += row.bytes;
        batch.push({ row, settle: waiting.settle });
      } else {
        left.push(waiting);
      }
    }
    this.#queue = left;
    // In one order everywhere, so that batches of several processes cannot lock rows crosswise.
    return batch.sort((a, b) => (a.row.id < b.row.id ? -1 : 1));
  }

  async #write(lane: CommitLane, batch: readonly Written[]): Promise<void> {
    const results = await lane.write(batch.map(({ row }) => row));
    for (const { row } of batch) this.#underWay.delete(row.id);
    this.#idle.push(lane);
    for (const [index, { settle }] of batch.entries()) {
      settle(results[index] ?? unavailable('DATABASE_UNAVAILABLE', 'a commit was left without a result'));
    }
    this.#planPump();
    this.#whenDrained();
  }

  #whenDrained(): void {
    if (this.#queue.length === 0 && this.#idle.length === this.#lanes.length) this.#drained?.();
  }
}

function writtenOut(waiting: Waiting): CommitRow | Error {
  try {
    waiting.row ??= waiting.write();
    return waiting.row;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
