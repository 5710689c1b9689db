import { Agent, request } from 'undici';
import { FlowError, unavailable } from '../error/index.ts';
import type { Json } from '../model/json.ts';
import type { HttpAnswer, HttpClient, HttpRequest, Meter } from '../service/ports.ts';
import { AddressRules } from './address-rules.ts';
import type { CustomerLimits } from './customer-limits.ts';
import { type Resolve, safeConnector } from './safe-connector.ts';
import { type Prepared, prepare } from './safe-request.ts';

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
      maxHeaderSize: MAX_HEADER_BYTES,
      connect: safeConnector({
        rules: AddressRules.parse(options.allowPrivate ?? ''),
        timeout_ms: this.#timeout,
        ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
      }),
    });
  }

  async request(asked: HttpRequest): Promise<HttpAnswer> {
    let outcome = 'failed';
    try {
      const answer = await this.#request(asked);
      outcome = 'answered';
      return answer;
    } catch (error) {
      if (error instanceof FlowError) outcome = OUTCOMES[error.reason] ?? 'failed';
      throw error;
    } finally {
      this.#meter?.add('http_client_request_total', { outcome });
    }
  }

  async #request(asked: HttpRequest): Promise<HttpAnswer> {
    const prepared = prepare(asked, this.#maxBytes);
    const timeout = asked.timeout_ms ?? this.#timeout;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), timeout);
    let leave: (() => void) | undefined;
    try {
      if (asked.customer_id !== undefined) leave = await this.#limits?.enter(asked.customer_id, limit.signal);
      return await this.#exchange(prepared, limit.signal);
    } catch (error) {
      const host = prepared.url.host;
      if (error instanceof FlowError) throw error;
      if (limit.signal.aborted) throw unavailable('HTTP_TIMEOUT', `${host}: no complete answer within ${timeout} ms`);
      throw unavailable('HTTP_FAILED', `${host}: ${causeOf(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
      leave?.();
    }
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #exchange({ url, method, headers, body }: Prepared, signal: AbortSignal): Promise<HttpAnswer> {
    const answer = await request(url, { dispatcher: this.#agent, method, headers, body, signal });
    const chunks: Uint8Array[] = [];
    let size = 0;
    // Leaving the loop early destroys the body, and with it the connection.
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > this.#maxBytes) {
        throw unavailable('HTTP_ANSWER_TOO_LARGE', `${url.host}: answered with more than ${this.#maxBytes} bytes`);
      }
      chunks.push(chunk);
    }
    return { status: answer.statusCode, headers: headersOf(answer.headers), body: parse(Buffer.concat(chunks).toString('utf8')) };
  }
}

/** undici has bounded them: 16 KiB in all. */
function headersOf(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]));
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
