import type { FastifyReply, FastifyRequest } from 'fastify';
import { unavailable } from '../error/index.ts';
import type { Meter } from '../service/ports.ts';

/** Requests under way: how many there may be, and what is told of them by the metrics. */
export class Traffic {
  readonly #capacity: number;
  readonly #meter: Meter;
  readonly #underWay = new Set<FastifyRequest>();

  /** @param capacity how many at the same time, streams not counted */
  constructor(capacity: number, meter: Meter) {
    this.#capacity = capacity;
    this.#meter = meter;
  }

  /** Throws UNAVAILABLE when there are too many. */
  enter(request: FastifyRequest): void {
    const { size } = this.#underWay;
    if (size >= this.#capacity) throw unavailable('OVERLOADED', `${size} requests are under way`);
    this.#underWay.add(request);
  }

  /** It has become a stream, which may live for hours: counted now, and not timed. */
  becomesStream(request: FastifyRequest, status: number): void {
    this.#underWay.delete(request);
    this.#count(request, status);
    streams.add(request);
  }

  done(request: FastifyRequest, reply: FastifyReply): void {
    this.#underWay.delete(request);
    if (streams.has(request)) return;
    const labels = this.#count(request, reply.raw.statusCode);
    this.#meter.observe('http_gateway_request_seconds', labels, reply.elapsedTime / 1_000);
  }

  /** The route's pattern and known methods only: callers must not be able to make labels. */
  #count(request: FastifyRequest, status: number): { route: string; method: string } {
    const { pattern, methods } = request.routeOptions.config;
    const labels = { route: pattern ?? 'unknown', method: pattern === undefined || methods ? 'other' : request.method };
    this.#meter.add('http_gateway_request_total', { ...labels, status: String(status) });
    return labels;
  }
}

const streams = new WeakSet<FastifyRequest>();
