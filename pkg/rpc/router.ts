import { FlowError, invalid } from '../error/index.ts';
import { isUuid } from '../model/id.ts';
import type { Json } from '../model/json.ts';
import type { Request } from './envelope.ts';

/** What a route's handler gets: the request, the ids of its path, and the key by which a repeat is known. */
export interface Call {
  readonly request: Request;
  /** The parts of the path that the route names; `{…_id}` and `{id}` are UUIDs in lower case. */
  readonly params: Readonly<Record<string, string>>;
  /** Empty: the caller gave nothing by which a repeat can be told. */
  readonly key: string;
}

export type Handler = (call: Call) => Promise<Json | undefined>;

export interface Route {
  readonly method: string;
  /** Such as `/v1/flows/{id}/actions/{action_id}`; also the name under which it is measured. */
  readonly path: string;
  readonly handler: Handler;
  /** Of the answer when all went well. */
  readonly status_code: number;
}

export function route(method: string, path: string, handler: Handler, status_code = 200): Route {
  return { method, path, handler, status_code };
}

interface Compiled extends Route {
  /** Of the path; undefined: any. */
  readonly parts: readonly (string | undefined)[];
  readonly params: readonly Param[];
}

interface Param {
  readonly name: string;
  /** Of its part in the path. */
  readonly index: number;
  readonly isId: boolean;
}

/** Finds the route of a request in a table. */
export class Router {
  readonly #byLength = new Map<number, Compiled[]>();

  constructor(routes: readonly Route[]) {
    for (const one of routes) {
      const compiled = compile(one);
      const { length } = compiled.parts;
      this.#byLength.set(length, [...(this.#byLength.get(length) ?? []), compiled]);
    }
  }

  /** Throws NOT_FOUND for an unknown path, METHOD_NOT_ALLOWED for a wrong method, INVALID_ARGUMENT for a bad id. */
  find(method: string, path: string): { route: Route; params: Readonly<Record<string, string>> } {
    const parts = path.replace(/\/+$/, '').split('/');
    parts.shift();
    // An old spelling of siblings that have not moved on.
    if (parts[1] === 'active-flows') parts[1] = 'activeflows';
    const known = this.#byLength.get(parts.length) ?? [];
    for (const one of known) {
      if (one.method === method && fits(one, parts)) return { route: one, params: paramsOf(one, parts) };
    }
    throw notFound(
      method,
      path,
      known.filter((one) => fits(one, parts)),
    );
  }
}

function notFound(method: string, path: string, fitting: readonly Compiled[]): FlowError {
  if (fitting.length === 0)
    return new FlowError('NOT_FOUND', 'ROUTE_NOT_FOUND', `no route ${method} ${path}`, [{ field: 'uri', value: path }]);
  const allowed = fitting.map((known) => known.method).join(', ');
  return new FlowError('METHOD_NOT_ALLOWED', 'METHOD_NOT_ALLOWED', `${path} takes ${allowed}, not ${method}`, [
    { field: 'method', value: method, expected: allowed },
  ]);
}

function compile(one: Route): Compiled {
  const names = one.path.split('/').slice(1);
  const parts = names.map((part) => (part.startsWith('{') ? undefined : part));
  const params = names.flatMap((part, index): Param[] => {
    const name = part.slice(1, -1);
    return parts[index] === undefined ? [{ name, index, isId: /(^|_)id$/.test(name) }] : [];
  });
  return { ...one, parts, params };
}

/** A loop, as these two run for every request: a closure for each route was a thirtieth of what a `next` allocates. */
function fits({ parts: pattern }: Compiled, parts: readonly string[]): boolean {
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] !== undefined && pattern[at] !== parts[at]) return false;
  }
  return true;
}

function paramsOf(known: Compiled, parts: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const param of known.params) params[param.name] = readParam(param, parts[param.index] ?? '');
  return params;
}

function readParam({ name, isId }: Param, raw: string): string {
  const value = raw.includes('%') ? decode(raw) : raw;
  if (!isId) return value;
  const id = value.toLowerCase();
  if (!isUuid(id)) throw invalid('BAD_ID', name, value, 'a UUID such as 7afadc1a-64c7-46f0-95f8-ccd9b4a1daa5');
  return id;
}

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw invalid('BAD_URI', 'uri', raw, 'percent-encoded UTF-8');
  }
}
