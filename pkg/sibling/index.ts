import { FlowError, unavailable } from '../error/index.ts';
import type { Json } from '../model/json.ts';
import type { LabelsOf } from '../model/metric.ts';
import { type Bus, BusError, type Log, type Meter, type SiblingRequest, type Siblings } from '../service/ports.ts';
import { BREAKER_DEFAULTS, BreakerOpen, type BreakerOptions, Breakers } from './breaker.ts';
import { decodeAnswer, describe, encodeRequest, queueOf } from './envelope.ts';
import { resourceOf } from './resource.ts';

export type { BreakerOptions } from './breaker.ts';

/**
 * How long a request that nobody waits for may lie in its queue, in ms. Longer than an answer would be waited
 * for: a sibling that restarts shall still find it.
 */
const UNWAITED_EXPIRATION_MS = 60_000;
/** How long a request goes on being asked again when connections of our own are lost under it, in ms. */
const LOST_PATIENCE_MS = 60_000;
const LOST_PAUSE_MS = 100;

type Outcome = LabelsOf<'sibling_request_total'>['outcome'];

export interface SiblingsOptions {
  readonly bus: Bus;
  readonly meter: Meter;
  readonly log: Log;
  readonly breaker?: BreakerOptions;
  /** How long a request is asked again, with the same request_id, while the broker is away, in ms; default 60,000. */
  readonly lost_patience_ms?: number;
}

/**
 * Requests to the other managers over the bus.
 *
 * Every failure is a FlowError with status UNAVAILABLE. Reasons: SIBLING_TIMEOUT, SIBLING_UNREACHABLE (no such
 * queue), SIBLING_BREAKER_OPEN (not sent), BUS_CLOSED (and not back in time), SIBLING_ANSWER_INVALID (not understood), SIBLING_FAILED (it
 * answered with an error; its own status, reason and message are the value of `details[0]`).
 */
export class BusSiblings implements Siblings {
  readonly #bus: Bus;
  readonly #meter: Meter;
  readonly #breakers: Breakers;
  readonly #lostPatience: number;

  constructor(options: SiblingsOptions) {
    this.#bus = options.bus;
    this.#lostPatience = options.lost_patience_ms ?? LOST_PATIENCE_MS;
    this.#meter = options.meter;
    this.#breakers = new Breakers(options.breaker ?? BREAKER_DEFAULTS, options.meter, options.log);
  }

  async request(request: SiblingRequest): Promise<Json> {
    const began = performance.now();
    try {
      const body = await this.#overLosses(() =>
        this.#breakers.run(request.to, () =>
          this.#bus.request(queueOf(request.to), encodeRequest(request), {
            timeout_ms: request.timeout_ms,
            message_id: request.request_id,
          }),
        ),
      );
      const data = decodeAnswer(request, body);
      this.#measure(request, 'ok', began);
      return data;
    } catch (error) {
      const [outcome, failure] = explain(request, error);
      this.#measure(request, outcome, began);
      throw failure;
    }
  }

  async send(request: SiblingRequest): Promise<void> {
    try {
      const message = {
        exchange: '',
        routing_key: queueOf(request.to),
        body: encodeRequest(request),
        message_id: request.request_id,
        expiration_ms: Math.max(request.timeout_ms, UNWAITED_EXPIRATION_MS),
      };
      await this.#overLosses(() => this.#bus.publish([message]));
      this.#count(request, 'ok');
    } catch (error) {
      const [outcome, failure] = explain(request, error);
      this.#count(request, outcome);
      throw failure;
    }
  }

  /**
   * A connection that is lost says nothing about the sibling, and must not end the flow that asks: the same goes out
   * again when the broker is back. Whether the first one arrived is not known; its request_id tells the sibling.
   */
  async #overLosses<T>(ask: () => Promise<T>): Promise<T> {
    const end = performance.now() + this.#lostPatience;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof BusError && error.code === 'closed') || performance.now() >= end) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, LOST_PAUSE_MS));
    }
  }

  #measure(request: SiblingRequest, outcome: Outcome, began: number): void {
    this.#count(request, outcome);
    // What was not sent took no time; counted as 0 ms it would hide how slow the others were.
    if (outcome === 'refused') return;
    const ms = performance.now() - began;
    const target = `${request.to}-manager`;
    this.#meter.observe('sibling_request_time', { sibling: target }, ms);
    this.#meter.observe('request_process_time', { target, resource: resourceOf(request.uri), method: request.method }, ms);
  }

  #count(request: SiblingRequest, outcome: Outcome): void {
    this.#meter.add('sibling_request_total', { sibling: `${request.to}-manager`, outcome });
  }
}

/** What an error means, for the metrics and for the caller. */
function explain(request: SiblingRequest, error: unknown): readonly [Outcome, FlowError | unknown] {
  if (error instanceof FlowError) return ['failed', error];
  if (error instanceof BreakerOpen) {
    return ['refused', unavailable('SIBLING_BREAKER_OPEN', `${describe(request)} was not asked: it has been silent lately`)];
  }
  // Anything else is a fault of this program and keeps its stack.
  if (!(error instanceof BusError)) return ['failed', error];
  switch (error.code) {
    case 'timeout':
      return ['silent', unavailable('SIBLING_TIMEOUT', `${describe(request)} did not answer within ${request.timeout_ms} ms`)];
    case 'unroutable': {
      const message = `${describe(request)}: there is no queue ${queueOf(request.to)}`;
      return ['unroutable', unavailable('SIBLING_UNREACHABLE', message)];
    }
    case 'closed':
      return ['closed', unavailable('BUS_CLOSED', `${describe(request)}: ${error.message}`, { cause: error })];
  }
}
