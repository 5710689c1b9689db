import type { Log } from '../service/ports.ts';

/** After a failure nobody asks Redis for so long, so that a silent one costs one timeout a second and not each call. */
const SKIP_MS = 1_000;

/** Whether Redis is worth asking, and one log line for the begin and the end of an outage. */
export class Outage {
  readonly #addr: string;
  readonly #log: Log;
  #down = false;
  #skip_until = 0;

  constructor(addr: string, log: Log) {
    this.#addr = addr;
    this.#log = log;
  }

  skip(): boolean {
    return performance.now() < this.#skip_until;
  }

  failed(error: unknown): void {
    this.#skip_until = performance.now() + SKIP_MS;
    if (this.#down) return;
    this.#down = true;
    this.#log.warn({ address: this.#addr, error: describe(error) }, 'Redis is away, going on without it');
  }

  over(): void {
    this.#skip_until = 0;
    if (!this.#down) return;
    this.#down = false;
    this.#log.info({ address: this.#addr }, 'Redis is back');
  }
}

/** A refused connection to a name of two addresses has an empty message of its own. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}
