/**
 * Start-up opens things in an order; `stop` closes them in the reverse one, each after the one before is closed,
 * within a deadline for all of them together.
 *
 *   running ──stop──▶ stopping ──all closed──────▶ stopped (true)
 *                        └──────deadline passed──▶ stopped (false: what was left is named in the log)
 *
 * What is opened while it stops (start-up was under way when the signal came) is closed at once.
 */
import type { Log } from '../service/ports.ts';

/** `deadline` is aborted when no more time is left: what still waits should then let go. */
export type Release = (deadline: AbortSignal) => Promise<unknown> | unknown;

interface Opened {
  readonly name: string;
  readonly release: Release;
}

export class Lifecycle {
  readonly #log: Log;
  readonly #drain_ms: number;
  readonly #opened: Opened[] = [];
  readonly #stopping = new AbortController();
  readonly #deadline = new AbortController();
  #stopped: Promise<boolean> | undefined;

  /** @param drain_ms how long everything together may take to close */
  constructor(log: Log, drain_ms: number) {
    this.#log = log;
    this.#drain_ms = drain_ms;
  }

  /** Aborted as soon as `stop` is called. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Says how to close what was just opened. */
  onStop(name: string, release: Release): void {
    this.#opened.push({ name, release });
    // The loop of `stop` takes it when it has not come to its end; after that there is nobody but this line.
    if (this.#stopped !== undefined) void this.#stopped.then(() => this.#releaseAll());
  }

  /**
   * Closes everything, last opened first. One that fails is logged and does not keep the others open. Resolves
   * with whether all were closed in time; called again, gives the same promise.
   */
  stop(reason: string): Promise<boolean> {
    this.#stopped ??= this.#stop(reason);
    return this.#stopped;
  }

  async #stop(reason: string): Promise<boolean> {
    this.#log.info({ reason, drain_ms: this.#drain_ms }, 'stopping');
    this.#stopping.abort(new Error(`stopping: ${reason}`));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => {
        this.#deadline.abort(new Error('the time to drain is over'));
        resolve(false);
      }, this.#drain_ms);
    });
    const inTime = await Promise.race([this.#releaseAll().then(() => true), late]);
    clearTimeout(timer);
    if (inTime) this.#log.info({}, 'stopped');
    else this.#log.error({ left: [this.#current, ...this.#opened.map(({ name }) => name).reverse()] }, 'not stopped in time');
    return inTime;
  }

  #current = '';

  async #releaseAll(): Promise<void> {
    for (let last = this.#opened.pop(); last !== undefined; last = this.#opened.pop()) {
      this.#current = last.name;
      try {
        await last.release(this.#deadline.signal);
      } catch (error) {
        this.#log.error({ closing: last.name, error }, `closing ${last.name} failed`);
      }
    }
  }
}
