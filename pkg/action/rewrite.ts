import { isJsonObject, type Json } from '../model/json.ts';
import { alternatives, childNode, ID_PATTERN, type SchemaNode, takesAnything } from './schema.ts';

/**
 * What to put in place of a value that has no parts: `original` is the same place in the option as the author
 * wrote it. Undefined: take it away.
 */
export type Leaf = (node: SchemaNode, value: Json, original: Json | undefined, required: boolean) => Json | undefined;

/**
 * Walks a value along its schema and returns it with its leaves replaced: the same object where nothing changed,
 * never a changed one. A field that may be absent and is null is taken away: siblings write what they lack so.
 * What the schema does not know stays as it is. Recursion is bounded by the depth of the schema.
 */
export function rewrite(node: SchemaNode, value: Json, original: Json | undefined, leaf: Leaf): Json {
  return rewriteNode(node, value, original, true, leaf) ?? value;
}

function rewriteNode(node: SchemaNode, value: Json, original: Json | undefined, required: boolean, leaf: Leaf): Json | undefined {
  if (takesAnything(node)) return value;
  if (value === null) return required ? value : undefined;
  if (Array.isArray(value)) return rewriteList(node, value, Array.isArray(original) ? original : [], leaf);
  if (isJsonObject(value)) return rewriteObject(node, value, isJsonObject(original) ? original : {}, leaf);
  return leaf(node, value, original, required);
}

function rewriteList(node: SchemaNode, list: readonly Json[], original: readonly Json[], leaf: Leaf): Json {
  const items = alternatives(node).find((one) => one.items)?.items;
  if (!items) return list;
  const next = list.map((item, at) => rewriteNode(items, item, original[at], true, leaf) ?? item);
  return next.some((item, at) => item !== list[at]) ? next : list;
}

function rewriteObject(
  node: SchemaNode,
  object: { readonly [key: string]: Json },
  original: { readonly [key: string]: Json },
  leaf: Leaf,
): Json {
  const keys = Object.keys(object);
  /** Absent as long as nothing has changed, as is usual. */
  let entries: [string, Json][] | undefined;
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at] ?? '';
    const value = object[key] ?? null;
    const child = childNode(node, key);
    const next = child ? rewriteNode(child, value, own(original, key), isRequired(node, key), leaf) : value;
    if (next !== value) entries ??= keys.slice(0, at).map((before) => [before, object[before] ?? null]);
    if (next !== undefined) entries?.push([key, next]);
  }
  // fromEntries defines keys where assignment would call the setter of `__proto__`.
  return entries ? Object.fromEntries(entries) : object;
}

function own(object: { readonly [key: string]: Json }, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isRequired(node: SchemaNode, key: string): boolean {
  if (!node.anyOf) return node.required?.includes(key) ?? false;
  return alternatives(node).some((one) => one.required?.includes(key));
}

/** True for a text that is still to be substituted. */
export function isTemplate(value: unknown): boolean {
  return typeof value === 'string' && value.includes('${');
}

/** True when the schema has room for a value without parts, so that a template may stand there. */
export function takesScalar(node: SchemaNode): boolean {
  return alternatives(node).some((one) => one.type !== 'array' && one.type !== 'object');
}

/** Some value that fits, for a template in a place that must not be empty. */
export function sample(node: SchemaNode): Json {
  const one = alternatives(node).find(takesScalar) ?? {};
  if (one.enum) return one.enum[0] as Json;
  if (one.const !== undefined) return one.const as Json;
  if (one.type === 'integer' || one.type === 'number') return one.minimum ?? one.maximum ?? 0;
  if (one.type === 'boolean') return true;
  return one.type === 'null' ? null : '';
}

/** Ids are compared as text, so they are kept in lower case. */
export const lowerIds: Leaf = (node, value) => {
  const isId = node.pattern === ID_PATTERN && typeof value === 'string' && !isTemplate(value);
  return isId ? value.toLowerCase() : value;
};
