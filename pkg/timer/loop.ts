import type { Log } from '../service/ports.ts';

/**
 * Does something again and again: `every_ms` after it was last done, at once when it says that there is more, or after as
 * many ms as it says.
 * What fails is logged and tried again at the next turn; a server that is away is no reason to end.
 */
export class Loop {
  readonly #name: string;
  readonly #work: () => Promise<boolean | number>;
  readonly #every_ms: number;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #working = false;
  #again = false;
  #closed = false;

  /** `work` resolves with true when there is more to do right away, or with how many ms to wait. */
  constructor(name: string, every_ms: number, work: () => Promise<boolean | number>, log: Log) {
    this.#name = name;
    this.#every_ms = every_ms;
    this.#work = work;
    this.#log = log;
  }

  start(): this {
    this.#schedule(0);
    return this;
  }

  /** Its next turn begins now, or when the one that is under way is done. */
  soon(): void {
    if (this.#working) this.#again = true;
    else this.#schedule(0);
  }

  /** Resolves when the turn that is under way is done. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#turn = this.#run();
    }, ms);
  }

  async #run(): Promise<void> {
    let more: boolean | number = false;
    this.#working = true;
    this.#again = false;
    try {
      more = await this.#work();
    } catch (error) {
      this.#log.warn({ loop: this.#name, error: String(error) }, `${this.#name} failed and is tried again`);
    }
    this.#working = false;
    if (this.#again) more = true;
    this.#schedule(typeof more === 'number' ? more : more ? 0 : this.#every_ms);
  }
}
