/**
 * A breaker per sibling. Closed: requests go out. After so many silences in a row it opens: requests fail at once,
 * so that callers do not each wait out a timeout and hold their place in the queue. When it has been open for a
 * while, one request tries; its success closes the breaker, its silence opens it again.
 */
import { type CircuitBreakerPolicy, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import { BusError, type Log, type Meter } from '../service/ports.ts';

export interface BreakerOptions {
  /** Silences in a row that open it. */
  readonly failures: number;
  /** How long it stays open before one request tries, in ms. */
  readonly half_open_after_ms: number;
}

export const BREAKER_DEFAULTS: BreakerOptions = { failures: 5, half_open_after_ms: 5_000 };

/** Thrown instead of sending. */
export class BreakerOpen extends Error {}

/** A lost connection of our own says nothing about the sibling; any answer, an error too, says that it is there. */
const silence = handleWhen((error) => error instanceof BusError && (error.code === 'timeout' || error.code === 'unroutable'));

export class Breakers {
  readonly #options: BreakerOptions;
  readonly #meter: Meter;
  readonly #log: Log;
  readonly #bySibling = new Map<string, CircuitBreakerPolicy>();

  constructor(options: BreakerOptions, meter: Meter, log: Log) {
    this.#options = options;
    this.#meter = meter;
    this.#log = log;
  }

  /** Runs `send` unless the sibling's breaker is open; then throws BreakerOpen. */
  async run<Answer>(sibling: string, send: () => Promise<Answer>): Promise<Answer> {
    const breaker = this.#breaker(sibling);
    // Left to itself the library lets everybody wait for the one request that tries: up to a minute here.
    if (breaker.state === CircuitState.HalfOpen) throw new BreakerOpen();
    let sent = false;
    try {
      return await breaker.execute(() => {
        sent = true;
        return send();
      });
    } catch (error) {
      if (!sent) throw new BreakerOpen();
      throw error;
    }
  }

  #breaker(sibling: string): CircuitBreakerPolicy {
    const known = this.#bySibling.get(sibling);
    if (known !== undefined) return known;
    const made = circuitBreaker(silence, {
      breaker: new ConsecutiveBreaker(this.#options.failures),
      halfOpenAfter: this.#options.half_open_after_ms,
    });
    made.onStateChange((state) => this.#changed(sibling, state));
    this.#bySibling.set(sibling, made);
    this.#meter.set('sibling_breaker_state', { sibling: `${sibling}-manager` }, 0);
    return made;
  }

  #changed(sibling: string, state: CircuitState): void {
    const value = state === CircuitState.Closed ? 0 : state === CircuitState.HalfOpen ? 1 : 2;
    this.#meter.set('sibling_breaker_state', { sibling: `${sibling}-manager` }, value);
    if (value === 2) this.#log.warn({ sibling }, 'a sibling is silent: requests to it fail at once for a while');
    if (value === 0) this.#log.info({ sibling }, 'a sibling answers again');
  }
}
