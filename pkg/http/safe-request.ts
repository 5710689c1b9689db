/** What a customer asks of the web, checked and made ready to go out. Values of headers and queries are in no error. */
import { LRUCache } from 'lru-cache';
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

/** Where a request goes. */
export interface Target {
  readonly origin: string;
  readonly path: string;
  /** What is told of it. */
  readonly host: string;
  /** From its credentials, as every browser sends them: what undici sends of a URL, and what errors show, is without them. */
  readonly authorization?: string;
}

/** A request as it goes out. */
export interface Prepared {
  readonly target: Target;
  readonly method: Method;
  /** Names and values in turns, as undici takes them fastest. */
  readonly headers: string[];
  readonly body: string | null;
}

/** Callback URLs are asked again and again: to read one takes as long as a tenth of a request. */
const targets = new LRUCache<string, Target>({ max: 1_000 });

/** Throws FlowError INVALID_ARGUMENT that names what is wrong. */
export function prepare(asked: HttpRequest, maxBytes: number): Prepared {
  const target = readTarget(asked);
  const method = METHODS.find((one) => one === asked.method.toUpperCase());
  if (method === undefined) throw invalid('HTTP_METHOD_INVALID', 'method', asked.method, `one of ${METHODS.join(', ')}`);
  const body = asked.text ?? (asked.body === undefined ? null : JSON.stringify(asked.body));
  if (body !== null && Buffer.byteLength(body) > maxBytes) {
    throw invalid('HTTP_BODY_TOO_LARGE', 'body', `${Buffer.byteLength(body)} bytes`, `at most ${maxBytes} bytes`);
  }
  return { target, method, headers: headersOf(target, asked), body };
}

function readTarget({ url: text, query = [] }: HttpRequest): Target {
  const known = query.length === 0 ? targets.get(text) : undefined;
  if (known) return known;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw invalid('HTTP_URL_INVALID', 'url', url?.protocol ?? 'another text', 'an absolute URL with http or https');
  }
  for (const [name, value] of query) url.searchParams.append(name, value);
  const { origin, host, username, password } = url;
  const credentials = `${decode(username)}:${decode(password)}`;
  const target: Target = {
    origin,
    path: url.pathname + url.search,
    host,
    ...(username + password !== '' && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
  };
  if (query.length === 0) targets.set(text, target);
  return target;
}

/** Those that are asked for, and our own where they are not. */
function headersOf({ authorization }: Target, { body, text, headers: given = {} }: HttpRequest): string[] {
  const asked = Object.keys(given);
  if (asked.length > MOST_HEADERS) throw wrong('headers', `${asked.length} headers`, `at most ${MOST_HEADERS} headers`);
  const names = asked.map(headerName);
  const headers: string[] = [];
  const unlessAsked = (name: string, value: string): void => {
    if (!names.includes(name)) headers.push(name, value);
  };
  unlessAsked('accept', 'application/json');
  unlessAsked('accept-encoding', 'identity');
  unlessAsked('user-agent', 'flow-manager');
  if (text !== undefined) unlessAsked('content-type', 'text/plain; charset=utf-8');
  else if (body !== undefined) unlessAsked('content-type', 'application/json');
  if (authorization !== undefined) unlessAsked('authorization', authorization);
  for (const [at, name] of names.entries()) {
    const spelled = asked[at] ?? '';
    const value = headerValue(spelled, given[spelled] ?? '');
    // Of several spellings of one name the last counts.
    if (names.lastIndexOf(name) === at) headers.push(name, value);
  }
  return headers;
}

/** Names that are good, in lower case, by how they were spelled: they are the same again and again. */
const goodNames = new LRUCache<string, string>({ max: 1_000 });

function headerName(name: string): string {
  const known = goodNames.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (!NAME.test(lower)) throw wrong('headers', name.slice(0, 60), 'the name of a header');
  if (REFUSED.has(lower)) throw wrong(`headers/${lower}`, lower, 'a header that a request may choose itself');
  goodNames.set(name, lower);
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
