import { deeperThan } from '../action/pointer.ts';
import { type FlowError, invalid } from '../error/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';

const SCHEMA_BYTES = 32 * 1024;
const SCHEMA_DEPTH = 24;
/** Nodes of a schema with all that its references stand for. */
const SCHEMA_NODES = 1_000;
const PATTERN_LENGTH = 200;
const VALUE_DEPTH = 32;
/** Objects, lists and values of one value: comparing all with all is still little work. */
const VALUE_NODES = 5_000;

/** Names by which one schema could reach another, or become something else than a plain check. */
const REFUSED: ReadonlySet<string> = new Set([
  '$id',
  'id',
  '$anchor',
  '$dynamicRef',
  '$dynamicAnchor',
  '$recursiveRef',
  '$recursiveAnchor',
  '$vocabulary',
  '$async',
]);
const MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);
/** What stands below these is a value to compare with, not a schema. */
const VALUES: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples']);
const DRAFTS = /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;

/** Throws FlowError INVALID_ARGUMENT that says where and why. */
export function boundSchema(schema: JsonObject, at: string): void {
  // First, so that what follows may go as deep as the schema does.
  if (deeperThan(schema, SCHEMA_DEPTH)) throw tooDeep(at, SCHEMA_DEPTH);
  const bytes = Buffer.byteLength(JSON.stringify(schema));
  if (bytes > SCHEMA_BYTES) throw invalid('SCHEMA_TOO_LARGE', at, `${bytes} bytes`, `at most ${SCHEMA_BYTES} bytes`);
  new Walk(schema, at).node(schema, '', []);
}

export function boundValue(value: JsonObject, at: string): void {
  let left = VALUE_NODES;
  const visit = (node: Json, depth: number): void => {
    left -= 1;
    if (left < 0) throw invalid('INPUTS_TOO_LARGE', at, `more than ${VALUE_NODES} values`, `at most ${VALUE_NODES} values`);
    if (depth > VALUE_DEPTH) throw tooDeep(at, VALUE_DEPTH);
    if (typeof node === 'object' && node !== null) for (const item of Object.values(node)) visit(item, depth + 1);
  };
  visit(value, 0);
}

/** Visits a schema and what its references stand for, as often as it would be applied. */
class Walk {
  readonly #root: JsonObject;
  readonly #at: string;
  #left = SCHEMA_NODES;

  constructor(root: JsonObject, at: string) {
    this.#root = root;
    this.#at = at;
  }

  /** `within`: the references that led here. */
  node(node: Json, path: string, within: readonly string[]): void {
    this.#left -= 1;
    if (this.#left < 0)
      throw this.#wrong('', `more than ${SCHEMA_NODES} parts`, `at most ${SCHEMA_NODES} parts, references counted in full`);
    if (Array.isArray(node)) for (const [index, item] of node.entries()) this.node(item, `${path}/${index}`, within);
    if (!isJsonObject(node)) return;
    for (const [name, value] of Object.entries(node)) this.#keyword(name, value, `${path}/${name}`, within);
  }

  #keyword(name: string, value: Json, path: string, within: readonly string[]): void {
    if (REFUSED.has(name)) throw this.#wrong(path, value, 'no such keyword: a schema stands for itself');
    if (name === '$schema') this.#draft(value, path);
    else if (name === '$ref') this.#reference(value, path, within);
    else if (name === 'pattern') this.#pattern(value, path);
    else if (MAPS.has(name) && isJsonObject(value)) this.#map(name, value, path, within);
    else if (!VALUES.has(name)) this.node(value, path, within);
  }

  #map(name: string, value: JsonObject, path: string, within: readonly string[]): void {
    for (const [key, item] of Object.entries(value)) {
      if (name === 'patternProperties') this.#pattern(key, `${path}/${key}`);
      this.node(item, `${path}/${key}`, within);
    }
  }

  #draft(value: Json, path: string): void {
    if (typeof value === 'string' && DRAFTS.test(value)) return;
    throw this.#wrong(path, value, 'https://json-schema.org/draft/2020-12/schema, or nothing');
  }

  /** Only to a place in this schema, and never in a circle: a circle can ask for work without end. */
  #reference(value: Json, path: string, within: readonly string[]): void {
    const target = typeof value === 'string' ? this.#find(value) : undefined;
    if (target === undefined) throw this.#wrong(path, value, 'a place in this schema, such as #/$defs/address');
    if (within.includes(String(value))) throw this.#wrong(path, value, 'a schema that does not contain itself');
    this.node(target, path, [...within, String(value)]);
  }

  #find(reference: string): Json | undefined {
    if (!reference.startsWith('#/') || /%/.test(reference)) return undefined;
    let at: Json | undefined = this.#root;
    for (const part of reference.slice(2).split('/')) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (Array.isArray(at)) at = /^\d+$/.test(key) ? (at as readonly Json[])[Number(key)] : undefined;
      else at = isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    }
    return at;
  }

  /** The usual ways to write one that takes for ever. What passes is bounded by the time of a check. */
  #pattern(value: Json, path: string): void {
    if (typeof value !== 'string') throw this.#wrong(path, value, 'a pattern');
    if (value.length > PATTERN_LENGTH) throw this.#wrong(path, value, `a pattern of at most ${PATTERN_LENGTH} characters`);
    if (repeatsARepetition(value))
      throw this.#wrong(path, value, 'a pattern that repeats no group with a repetition or alternatives in it');
    if (/\\[1-9k]/.test(value)) throw this.#wrong(path, value, 'a pattern without back references');
  }

  #wrong(path: string, value: unknown, expected: string): FlowError {
    return invalid('BAD_SCHEMA', `${this.#at}${path}`, value, expected);
  }
}

/** True for `(a+)+`, `(a|b)*` and the like: a repeated group whose content can match the same text in several ways. */
function repeatsARepetition(pattern: string): boolean {
  const plain = pattern.replace(/\\./gs, 'x').replace(/\[[^\]]*\]/g, 'x');
  const risky: boolean[] = [];
  for (let at = 0; at < plain.length; at += 1) {
    const char = plain[at] ?? '';
    if (char === '(') risky.push(false);
    else if (char === ')') {
      const inner = risky.pop() ?? false;
      const repeated = /^(?:[*+]|\{\d+,\d*\})/.test(plain.slice(at + 1));
      if (repeated && inner) return true;
      if (risky.length > 0 && (inner || repeated)) risky[risky.length - 1] = true;
    } else if (risky.length > 0 && (/[*+|]/.test(char) || /^\{\d+,\d*\}/.test(plain.slice(at)))) {
      risky[risky.length - 1] = true;
    }
  }
  return false;
}

function tooDeep(at: string, depth: number): FlowError {
  return invalid('TOO_DEEP', at, `deeper than ${depth}`, `at most ${depth} levels`);
}
