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
  readonly parts: readonly string[];
}

/** Finds the route of a request in a table. */
export class Router {
  readonly #byLength = new Map<number, Compiled[]>();

  constructor(routes: readonly Route[]) {
    for (const one of routes) {
      const parts = one.path.split('/').slice(1);
      const same = this.#byLength.get(parts.length) ?? [];
      this.#byLength.set(parts.length, [...same, { ...one, parts }]);
    }
  }

  /** Throws NOT_FOUND for an unknown path, METHOD_NOT_ALLOWED for a wrong method, INVALID_ARGUMENT for a bad id. */
  find(method: string, path: string): { route: Route; params: Readonly<Record<string, string>> } {
    const parts = path.replace(/\/+$/, '').split('/').slice(1);
    // An old spelling of siblings that have not moved on.
    if (parts[1] === 'active-flows') parts[1] = 'activeflows';
    const fitting = (this.#byLength.get(parts.length) ?? []).filter((known) => fits(known.parts, parts));
    const found = fitting.find((known) => known.method === method);
    if (found) return { route: found, params: paramsOf(found.parts, parts) };
    if (fitting.length === 0)
      throw new FlowError('NOT_FOUND', 'ROUTE_NOT_FOUND', `no route ${method} ${path}`, [{ field: 'uri', value: path }]);
    const allowed = fitting.map((known) => known.method).join(', ');
    throw new FlowError('METHOD_NOT_ALLOWED', 'METHOD_NOT_ALLOWED', `${path} takes ${allowed}, not ${method}`, [
      { field: 'method', value: method, expected: allowed },
    ]);
  }
}

function isParam(part: string): boolean {
  return part.startsWith('{');
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  return pattern.every((part, index) => isParam(part) || part === parts[index]);
}

function paramsOf(pattern: readonly string[], parts: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  pattern.forEach((part, index) => {
    if (isParam(part)) params[part.slice(1, -1)] = readParam(part.slice(1, -1), parts[index] ?? '');
  });
  return params;
}

function readParam(name: string, raw: string): string {
  const value = decode(raw);
  if (!/(^|_)id$/.test(name)) return value;
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
