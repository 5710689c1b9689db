import { invalid } from '../error/index.ts';
import type { Variables } from '../model/action.ts';
import { isUuid, NIL } from '../model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import type { Page } from '../service/ports.ts';

/**
 * Reads the fields of a request's data, each with what it is when it is absent. A field of the wrong type is a 400
 * that names the field, the value and what was expected. Fields that nobody reads are left alone: siblings
 * send whole resources back.
 */
export class Reader {
  readonly #data: JsonObject;

  constructor(data: JsonObject) {
    this.#data = data;
  }

  raw(name: string): Json | undefined {
    return Object.hasOwn(this.#data, name) ? this.#data[name] : undefined;
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }

  text(name: string, otherwise = ''): string {
    const value = this.raw(name) ?? otherwise;
    if (typeof value !== 'string') throw invalid('BAD_FIELD', `/${name}`, value, 'text');
    // SQLite ends a text at its first NUL, and nobody can see one.
    if (value.includes('\0')) throw invalid('BAD_FIELD', `/${name}`, value, 'text without NUL characters');
    return value;
  }

  flag(name: string): boolean {
    const value = this.raw(name) ?? false;
    if (typeof value !== 'boolean') throw invalid('BAD_FIELD', `/${name}`, value, 'true or false');
    return value;
  }

  /** A whole number from 0 on. */
  count(name: string, otherwise = 0): number {
    const value = this.raw(name) ?? otherwise;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw invalid('BAD_FIELD', `/${name}`, value, 'a whole number from 0 on');
    }
    return value;
  }

  /** A UUID in lower case; nil when absent or empty. */
  id(name: string): string {
    const value = this.raw(name) ?? NIL;
    const id = typeof value === 'string' ? value.toLowerCase() : value;
    if (id === '') return NIL;
    if (!isUuid(id)) throw invalid('BAD_FIELD', `/${name}`, value, 'a UUID');
    return id;
  }

  requiredId(name: string): string {
    if (!this.has(name)) throw invalid('MISSING_FIELD', `/${name}`, undefined, 'a UUID');
    return this.id(name);
  }

  oneOf<T extends string>(name: string, values: readonly T[], otherwise: T): T {
    const value = this.raw(name) ?? otherwise;
    const found = values.find((known) => known === value);
    if (found !== undefined) return found;
    if (value === '') return otherwise;
    throw invalid('BAD_FIELD', `/${name}`, value, `one of ${values.map((known) => known || '""').join(', ')}`);
  }

  variables(name: string, required: boolean): Variables {
    const value = this.raw(name);
    if (value === undefined && !required) return {};
    if (!isJsonObject(value)) throw invalid('BAD_FIELD', `/${name}`, value, 'an object of names and values');
    return value;
  }

  /** A filter: undefined when it is not asked for, or asked for with its empty value. */
  filterId(name: string): string | undefined {
    return this.has(name) && this.raw(name) !== '' ? this.id(name) : undefined;
  }

  filterText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  /** Older siblings send filters as text: "true" and "false". */
  filterFlag(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value === undefined || value === '') return undefined;
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw invalid('BAD_FIELD', `/${name}`, value, 'true or false');
  }
}

const MAX_PAGE = 1_000;
const DEFAULT_PAGE = 100;
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?Z?$/;

/** `page_size` and `page_token`: tm_create of the last item seen, and its id behind a `~` where times may tie. */
export function readPage(query: URLSearchParams): Page {
  const size = readSize(query.get('page_size') ?? '');
  const token = query.get('page_token') ?? '';
  if (token === '') return { size };
  const [time = '', id] = token.split('~');
  if (!TIME.test(time) || Number.isNaN(Date.parse(asRfc3339(time))) || (id !== undefined && !isUuid(id))) {
    throw invalid('BAD_FIELD', 'page_token', token, 'tm_create of the last item seen, such as 2026-11-21T08:45:10.947195Z');
  }
  return { size, after: { tm_create: asRfc3339(time), ...(id === undefined ? {} : { id }) } };
}

function asRfc3339(time: string): string {
  const [whole = '', fraction = ''] = time.replace(' ', 'T').replace('Z', '').split('.');
  return `${whole}.${fraction.padEnd(6, '0')}Z`;
}

function readSize(text: string): number {
  if (text === '') return DEFAULT_PAGE;
  const size = Number(text);
  if (!/^\d+$/.test(text) || size < 1) throw invalid('BAD_FIELD', 'page_size', text, `a whole number from 1 to ${MAX_PAGE}`);
  return Math.min(size, MAX_PAGE);
}
