import { deeperThan } from '../../action/pointer.ts';
import type { Json, JsonObject } from '../../model/json.ts';

/** A request to the address of a callback, as it came. */
export interface CallbackRequest {
  readonly id: string;
  readonly token: string;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array;
}

/** The proof of who sends is nothing that a flow needs, and nothing that it should show. */
const HIDDEN: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-callback-signature']);
/** All names and values of the headers that a flow sees, in characters; the body has its own limit. */
const HEADERS_LENGTH = 4_096;
/** What reads a value recurses. */
const DEEPEST = 64;

/** What the flow gets: one object. */
export function payloadOf({ method, headers, query, body }: CallbackRequest, received_at: string): JsonObject {
  return { method, headers: shownHeaders(headers), query: query as JsonObject, body: parsed(body), received_at };
}

export function header({ headers }: CallbackRequest, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}

function shownHeaders(headers: CallbackRequest['headers']): JsonObject {
  let left = HEADERS_LENGTH;
  const shown = Object.entries(headers).flatMap(([name, value]): [string, string][] => {
    const text = typeof value === 'object' ? value.join(', ') : value;
    if (text === undefined || HIDDEN.has(name)) return [];
    left -= name.length + text.length;
    return left < 0 ? [] : [[name, text]];
  });
  return Object.fromEntries(shown);
}

/** JSON as a value, anything else as text. */
function parsed(body: Uint8Array): Json {
  const text = new TextDecoder().decode(body);
  try {
    const value = JSON.parse(text) as Json;
    return deeperThan(value, DEEPEST) ? text : value;
  } catch {
    return text;
  }
}
