import { type Static, Type } from 'typebox';
import type { Variables } from '../../model/action.ts';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts';
import { ask, defineAction, type Effect } from '../definition.ts';
import { failure } from '../fail.ts';
import { valueAt } from '../pointer.ts';
import { field } from '../schema.ts';
import { isOwnVariable } from '../text.ts';

const MASK = '***';
const scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);
const values = (description: string) => Type.Optional(Type.Record(Type.String(), scalar, { description }));

const OPTION = Type.Object({
  method: field.text('GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS; default GET.'),
  url: field.text('The address: http or https, reachable by everybody unless the operator allows others.'),
  headers: values('Headers. Those of the connection and Host are refused. Idempotency-Key is set unless given.'),
  query: values('Added to the query of the address.'),
  body: field.any('A text is sent as it is, any other JSON as JSON.'),
  timeout: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 60_000, description: 'For the whole answer, in ms; default 10,000.' }),
  ),
  expect: Type.Optional(
    Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), {
      description: 'Statuses that are no failure; default all of 2xx.',
    }),
  ),
  extract: Type.Optional(
    Type.Record(Type.String(), Type.String({ pattern: '^$|^/' }), {
      description: 'Variables to set, each with the JSON Pointer of its value in the body of the answer.',
    }),
  ),
});
type Option = Static<typeof OPTION>;

export const httpRequestAction = defineAction({
  type: 'http_request',
  medium: 'any',
  by: 'manager',
  option: OPTION,
  doc: 'Sends an HTTP request, and sets variables from the answer.',
  mask,
  *decide({ option }) {
    const extract = option.extract ?? {};
    const reserved = Object.keys(extract).find(isOwnVariable);
    if (reserved !== undefined) {
      throw failure('INVALID_ARGUMENT', 'VARIABLE_RESERVED', `http_request: ${reserved} is set by the service itself`);
    }
    const asked = requestOf(option);
    const said = `${asked.method} ${hostOf(asked.url)}`;
    const { status, body } = answerOf(yield* ask(asked));
    checkStatus(status, option.expect ?? [], said);
    const set = extracted(body, extract, said);
    const names = Object.keys(set);
    return { kind: 'next', set, reason: `${said}: ${status}${names.length === 0 ? '' : `; sets ${names.join(', ')}`}` };
  },
});

function requestOf({ method, url, headers, query, body, timeout }: Option): Extract<Effect, { kind: 'fetch' }> {
  if (url === undefined || url === '') throw failure('INVALID_ARGUMENT', 'NO_URL', 'http_request: no url is given');
  return {
    kind: 'fetch',
    method: (method || 'GET').toUpperCase(),
    url,
    headers: Object.fromEntries(texts(headers)),
    query: texts(query),
    ...(typeof body === 'string' ? { text: body } : body === undefined || body === null ? {} : { body: body as Json }),
    ...(timeout === undefined ? {} : { timeout_ms: timeout }),
    keyed: true,
  };
}

function texts(map: Option['headers']): [string, string][] {
  return Object.entries(map ?? {}).map(([name, value]) => [name, String(value)]);
}

function answerOf(answer: Json): { status: number; body: Json } {
  const { status, body } = isJsonObject(answer) ? answer : {};
  return { status: typeof status === 'number' ? status : 0, body: body ?? null };
}

/** The same request may succeed later when the other side says that it is its own fault, or that it has no time. */
function checkStatus(status: number, expected: readonly number[], said: string): void {
  if (expected.length === 0 ? status >= 200 && status <= 299 : expected.includes(status)) return;
  const wanted = expected.length === 0 ? '2xx' : expected.join(' or ');
  const later = status >= 500 || status === 408 || status === 429;
  const redirect = status >= 300 && status <= 399 ? '; redirects are not followed' : '';
  const message = `${said}: answered with status ${status}, expected ${wanted}${redirect}`;
  throw failure(later ? 'UNAVAILABLE' : 'FAILED_PRECONDITION', 'HTTP_STATUS_UNEXPECTED', message);
}

function extracted(body: Json, extract: Readonly<Record<string, string>>, said: string): Variables {
  return Object.fromEntries(
    Object.entries(extract).map(([name, path]) => {
      const value = valueAt(body, path) as Json | undefined;
      if (value !== undefined) return [name, value];
      const message = `${said}: the answer has nothing at "${path}", expected a value for ${name}`;
      throw failure('FAILED_PRECONDITION', 'HTTP_VALUE_MISSING', message);
    }),
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'no address';
}

/** Keys are often in headers, in the query and before the @ of an address: what stands there is nobody else's to read. */
function mask(option: JsonObject): JsonObject {
  return {
    ...option,
    ...(option.url === undefined ? {} : { url: maskUrl(option.url) }),
    ...(option.headers === undefined ? {} : { headers: maskValues(option.headers) }),
    ...(option.query === undefined ? {} : { query: maskValues(option.query) }),
  };
}

function maskValues(map: Json): Json {
  return isJsonObject(map) ? Object.fromEntries(Object.keys(map).map((name) => [name, MASK])) : MASK;
}

function maskUrl(url: Json): Json {
  if (typeof url !== 'string' || !URL.canParse(url)) return MASK;
  const { protocol, username, password, host, pathname, search } = new URL(url);
  const user = username === '' && password === '' ? '' : `${MASK}@`;
  const query = search.replace(/([?&])(?:([^=&]*=)[^&]*|[^&]+)/g, `$1$2${MASK}`);
  return `${protocol}//${user}${host}${pathname}${query}`;
}
