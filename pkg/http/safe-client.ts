import { Agent, request } from 'undici';
import { FlowError, invalid, unavailable } from '../error/index.ts';
import type { Json } from '../model/json.ts';
import type { HttpAnswer, HttpClient } from '../service/ports.ts';
import { AddressRules } from './address-rules.ts';
import { type Resolve, safeConnector } from './safe-connector.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;
type Method = (typeof METHODS)[number];

export interface SafeHttpClientOptions {
  /** Comma list of addresses, CIDRs and host names that may be reached although they are not public. */
  readonly allowPrivate?: string;
  /** From asking to the last byte of the answer, in ms. */
  readonly timeout_ms?: number;
  /** The most that a body may have, in bytes, in either direction. */
  readonly max_bytes?: number;
  /** How host names are looked up; default: as the system does. */
  readonly resolve?: Resolve;
}

/** A request as it goes out. */
interface Prepared {
  readonly url: URL;
  readonly method: Method;
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

/**
 * The one client for addresses that customers choose: http and https, public addresses only, no redirects (a 3xx
 * is an answer like any other), bounded time and size. Names of hosts are all that it tells of a URL: paths and
 * queries may hold secrets.
 *
 * Throws FlowError: HTTP_URL_INVALID, HTTP_METHOD_INVALID, HTTP_BODY_TOO_LARGE (INVALID_ARGUMENT),
 * HTTP_ADDRESS_NOT_ALLOWED (PERMISSION_DENIED), HTTP_TIMEOUT, HTTP_ANSWER_TOO_LARGE, HTTP_FAILED (UNAVAILABLE).
 */
export class SafeHttpClient implements HttpClient {
  readonly #agent: Agent;
  readonly #timeout: number;
  readonly #maxBytes: number;

  constructor(options: SafeHttpClientOptions = {}) {
    this.#timeout = options.timeout_ms ?? 10_000;
    this.#maxBytes = options.max_bytes ?? 1024 * 1024;
    this.#agent = new Agent({
      connect: safeConnector({
        rules: AddressRules.parse(options.allowPrivate ?? ''),
        timeout_ms: this.#timeout,
        ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
      }),
    });
  }

  async request(asked: { readonly method: string; readonly url: string; readonly body?: Json }): Promise<HttpAnswer> {
    const prepared = prepare(asked, this.#maxBytes);
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.#timeout);
    try {
      return await this.#exchange(prepared, limit.signal);
    } catch (error) {
      const host = prepared.url.host;
      if (error instanceof FlowError) throw error;
      if (limit.signal.aborted) throw unavailable('HTTP_TIMEOUT', `${host}: no complete answer within ${this.#timeout} ms`);
      throw unavailable('HTTP_FAILED', `${host}: ${causeOf(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
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
    return { status: answer.statusCode, body: parse(Buffer.concat(chunks).toString('utf8')) };
  }
}

function prepare(asked: { method: string; url: string; body?: Json }, maxBytes: number): Prepared {
  const url = URL.canParse(asked.url) ? new URL(asked.url) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw invalid('HTTP_URL_INVALID', 'url', url?.protocol ?? 'another text', 'an absolute URL with http or https');
  }
  const method = METHODS.find((one) => one === asked.method.toUpperCase());
  if (method === undefined) throw invalid('HTTP_METHOD_INVALID', 'method', asked.method, `one of ${METHODS.join(', ')}`);
  const body = asked.body === undefined ? null : JSON.stringify(asked.body);
  if (body !== null && Buffer.byteLength(body) > maxBytes) {
    throw invalid('HTTP_BODY_TOO_LARGE', 'body', `${Buffer.byteLength(body)} bytes`, `at most ${maxBytes} bytes`);
  }
  return { url, method, headers: headersOf(url, body), body };
}

/**
 * Compressed answers are not asked for: a small one may unpack to anything. Credentials of the URL go in a header,
 * as every browser sends them; what undici sends of a URL and what errors show of it is without them.
 */
function headersOf(url: URL, body: string | null): Record<string, string> {
  const headers: Record<string, string> = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'flow-manager',
  };
  if (body !== null) headers['content-type'] = 'application/json';
  if (url.username === '' && url.password === '') return headers;
  const credentials = `${decode(url.username)}:${decode(url.password)}`;
  return { ...headers, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
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
