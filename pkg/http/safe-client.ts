import { Agent } from 'undici';
import { FlowError, unavailable } from '../error/index.ts';
import type { Json } from '../model/json.ts';
import type { HttpAnswer, HttpClient, HttpRequestOf, Meter } from '../service/ports.ts';
import { AddressRules } from './address-rules.ts';
import type { CustomerLimits } from './customer-limits.ts';
import { exchange, timedOut } from './exchange.ts';
import { type Resolve, safeConnector } from './safe-connector.ts';
import { prepare } from './safe-request.ts';

const MAX_HEADER_BYTES = 16 * 1024;
/** How failures are counted, by their reason. */
const OUTCOMES: Readonly<Record<string, string>> = {
  HTTP_ADDRESS_NOT_ALLOWED: 'not_allowed',
  HTTP_CUSTOMER_OVER_LIMIT: 'over_limit',
  HTTP_TIMEOUT: 'timeout',
  HTTP_ANSWER_TOO_LARGE: 'too_large',
  HTTP_URL_INVALID: 'invalid',
  HTTP_METHOD_INVALID: 'invalid',
  HTTP_HEADER_INVALID: 'invalid',
  HTTP_BODY_TOO_LARGE: 'invalid',
};

export interface SafeHttpClientOptions {
  /** Comma list of addresses, CIDRs and host names that may be reached although they are not public. */
  readonly allowPrivate?: string;
  /** From asking to the last byte of the answer, in ms, waiting for its turn included, unless the request says. */
  readonly timeout_ms?: number;
  /** The most that a body may have, in bytes, in either direction. */
  readonly max_bytes?: number;
  /** Connections to one host at the same time; absent: as many as are asked for. */
  readonly connections?: number;
  /** Of each customer; absent: none. */
  readonly limits?: CustomerLimits;
  readonly meter?: Meter;
  /** How host names are looked up; default: as the system does. */
  readonly resolve?: Resolve;
}

/**
 * The one client for addresses that customers choose: http and https, public addresses only, no redirects (a 3xx
 * is an answer like any other), bounded time and size. Names of hosts are all that it tells of a URL: paths and
 * queries may hold secrets.
 *
 * Throws FlowError: HTTP_URL_INVALID, HTTP_METHOD_INVALID, HTTP_HEADER_INVALID, HTTP_BODY_TOO_LARGE
 * (INVALID_ARGUMENT), HTTP_ADDRESS_NOT_ALLOWED (PERMISSION_DENIED), HTTP_CUSTOMER_OVER_LIMIT (RESOURCE_EXHAUSTED), HTTP_TIMEOUT, HTTP_ANSWER_TOO_LARGE, HTTP_FAILED (UNAVAILABLE).
 */
export class SafeHttpClient implements HttpClient {
  readonly #agent: Agent;
  readonly #timeout: number;
  readonly #maxBytes: number;
  readonly #limits: CustomerLimits | undefined;
  readonly #meter: Meter | undefined;

  constructor(options: SafeHttpClientOptions = {}) {
    this.#timeout = options.timeout_ms ?? 10_000;
    this.#maxBytes = options.max_bytes ?? 1024 * 1024;
    this.#limits = options.limits;
    this.#meter = options.meter;
    this.#agent = new Agent({
      connections: options.connections ?? null,
      // One after another: of those that stand behind each other when a connection breaks, undici sends all but the first
      // again, and nobody knows which of them were done. So a request goes out once; the next try is its asker's to make.
      pipelining: 1,
      maxHeaderSize: MAX_HEADER_BYTES,
      // Each exchange has its own time, which bounds both.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: safeConnector({
        rules: AddressRules.parse(options.allowPrivate ?? ''),
        timeout_ms: this.#timeout,
        ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
      }),
    });
  }

  async request(asked: HttpRequestOf): Promise<HttpAnswer> {
    const timeout_ms = asked.timeout_ms ?? this.#timeout;
    const max_bytes = this.#maxBytes;
    let outcome = 'failed';
    let host = '';
    let leave: (() => void) | undefined;
    try {
      const prepared = prepare(asked, max_bytes);
      host = prepared.target.host;
      let left_ms = timeout_ms;
      if (this.#limits && asked.customer_id !== undefined) {
        const since = performance.now();
        leave = await enter(this.#limits, asked.customer_id, timeout_ms);
        left_ms = Math.max(1, timeout_ms - (performance.now() - since));
      }
      const bounds = { timeout_ms: left_ms, max_bytes, discard: asked.discard ?? false };
      const { status, headers, body } = await exchange(this.#agent, prepared, bounds);
      outcome = 'answered';
      return { status, headers: headersOf(headers), body: body === '' ? '' : parse(body) };
    } catch (error) {
      if (!(error instanceof FlowError)) throw unavailable('HTTP_FAILED', `${host}: ${causeOf(error)}`, { cause: error });
      outcome = OUTCOMES[error.reason] ?? 'failed';
      throw error.reason === 'HTTP_TIMEOUT' ? timedOut(host, timeout_ms) : error;
    } finally {
      leave?.();
      this.#meter?.add('http_client_request_total', { outcome });
    }
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }
}

/** Waits for its turn. What to call when the request is over. */
async function enter(limits: CustomerLimits, customer_id: string, timeout_ms: number): Promise<() => void> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), timeout_ms);
  try {
    return await limits.enter(customer_id, limit.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Those that came several times are joined. */
function headersOf(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  if (hasOneOfEach(headers)) return headers;
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) joined[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  return joined;
}

function hasOneOfEach(headers: Readonly<Record<string, unknown>>): headers is Record<string, string> {
  for (const name in headers) if (typeof headers[name] !== 'string') return false;
  return true;
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** What went wrong, without addresses: `ECONNREFUSED`. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const { code } = error as NodeJS.ErrnoException;
  return `failed (${code ?? error.name})`;
}
