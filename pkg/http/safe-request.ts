/** What a customer asks of the web, checked and made ready to go out. Values of headers and queries are in no error. */
import { type ErrorDetail, FlowError, invalid } from '../error/index.ts';
import type { HttpRequest } from '../model/http.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;
type Method = (typeof METHODS)[number];

/**
 * Those of one connection (RFC 9110, 7.6.1), and those by which a request would say that it is another one than it is:
 * where it goes and how long it is are not the customer's to say. Compressed answers are not asked for.
 */
const REFUSED = new Set([
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'],
  ...['proxy-connection', 'proxy-authorization', 'proxy-authenticate'],
  ...['host', 'content-length', 'expect', 'accept-encoding'],
]);
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
/** Visible characters, spaces and tabs. What is beyond Latin-1 has no place in a header. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]{0,8192}$/;
const MOST_HEADERS = 50;

/** A request as it goes out. */
export interface Prepared {
  readonly url: URL;
  readonly method: Method;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Throws FlowError INVALID_ARGUMENT that names what is wrong. */
export function prepare(asked: HttpRequest, maxBytes: number): Prepared {
  const url = parseUrl(asked.url);
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw invalid('HTTP_URL_INVALID', 'url', url?.protocol ?? 'another text', 'an absolute URL with http or https');
  }
  for (const [name, value] of asked.query ?? []) url.searchParams.append(name, value);
  const method = METHODS.find((one) => one === asked.method.toUpperCase());
  if (method === undefined) throw invalid('HTTP_METHOD_INVALID', 'method', asked.method, `one of ${METHODS.join(', ')}`);
  const body = asked.text ?? (asked.body === undefined ? null : JSON.stringify(asked.body));
  if (body !== null && Buffer.byteLength(body) > maxBytes) {
    throw invalid('HTTP_BODY_TOO_LARGE', 'body', `${Buffer.byteLength(body)} bytes`, `at most ${maxBytes} bytes`);
  }
  return { url, method, headers: { ...ownHeaders(url, asked), ...givenHeaders(asked.headers ?? {}) }, body };
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/**
 * Credentials of the URL go in a header, as every browser sends them; what undici sends of a URL and what errors show
 * of it is without them.
 */
function ownHeaders(url: URL, { body, text }: HttpRequest): Record<string, string> {
  const headers: Record<string, string> = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'flow-manager',
  };
  if (text !== undefined) headers['content-type'] = 'text/plain; charset=utf-8';
  else if (body !== undefined) headers['content-type'] = 'application/json';
  if (url.username === '' && url.password === '') return headers;
  const credentials = `${decode(url.username)}:${decode(url.password)}`;
  return { ...headers, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function givenHeaders(given: Readonly<Record<string, string>>): Record<string, string> {
  const names = Object.keys(given);
  if (names.length > MOST_HEADERS) throw wrong('headers', `${names.length} headers`, `at most ${MOST_HEADERS} headers`);
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [headerName(name), headerValue(name, value)]));
}

function headerName(name: string): string {
  const lower = name.toLowerCase();
  if (!NAME.test(lower)) throw wrong('headers', name.slice(0, 60), 'the name of a header');
  if (REFUSED.has(lower)) throw wrong(`headers/${lower}`, lower, 'a header that a request may choose itself');
  return lower;
}

function headerValue(name: string, value: string): string {
  if (VALUE.test(value)) return value;
  throw wrong(`headers/${name.toLowerCase()}`, `${value.length} characters`, 'at most 8,192 characters of one line');
}

function wrong(field: string, value: string, expected: string): FlowError {
  const details: ErrorDetail[] = [{ field, value, expected }];
  return new FlowError('INVALID_ARGUMENT', 'HTTP_HEADER_INVALID', `${field}: expected ${expected}, got ${value}`, details);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
