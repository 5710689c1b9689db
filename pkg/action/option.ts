import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import type { Warning } from '../model/flow.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import { actionType } from './catalogue.ts';
import { numberOf } from './compare.ts';
import { nearest } from './nearest.ts';
import { pointer, pointerKeys, valueAt } from './pointer.ts';
import { isTemplate, type Leaf, lowerIds, rewrite, sample, takesScalar } from './rewrite.ts';
import { alternatives, childNode, describeNode, type SchemaNode, schemaNode, takesAnything } from './schema.ts';

export interface OptionError {
  /** JSON Pointer into the option; empty: the option itself. */
  readonly path: string;
  readonly value: unknown;
  /** In plain words: `a whole number of at least 0`. */
  readonly expected: string;
}

export interface OptionCheck {
  readonly errors: readonly OptionError[];
  /** Keys that the type does not know; they are kept. */
  readonly warnings: readonly Warning[];
}

/** Nobody reads more, and a hostile option could have as many as fit into a message. */
const MOST_WARNINGS = 100;

const compiled = new WeakMap<TSchema, Validator>();

/** Compiling takes about a millisecond, so it is done when a type is first met, once. */
function validator(schema: TSchema): Validator {
  const known = compiled.get(schema);
  if (known) return known;
  const made = Compile(schema) as Validator;
  compiled.set(schema, made);
  return made;
}

/**
 * Checks an option of a type of action. `templates`: a text with `${` passes for anything without parts, because
 * nobody knows yet what it will be. An unknown type has no schema: nothing is wrong with its option.
 * The value must not be nested without end (see `deeperThan`).
 */
export function checkOption(type: string, option: unknown, options: { readonly templates: boolean }): OptionCheck {
  const schema = actionType(type)?.option;
  return schema ? checkValue(schema, option, options) : { errors: [], warnings: [] };
}

/** What is wrong with an option that is substituted; the same list where nothing is. */
export function optionErrors(type: string, option: unknown): readonly OptionError[] {
  const schema = actionType(type)?.option;
  return schema ? findErrors(schema, option, false) : NO_ERRORS;
}

const NO_ERRORS: readonly OptionError[] = [];

/** The same against any schema. */
export function checkValue(schema: TSchema, value: unknown, { templates }: { readonly templates: boolean }): OptionCheck {
  return {
    errors: findErrors(schema, value, templates),
    // Asked for when a flow is made, never when it runs.
    get warnings() {
      const warnings: Warning[] = [];
      if (isJsonObject(value)) findUnknown(schemaNode(schema), value, '', warnings);
      return warnings;
    },
  };
}

function findErrors(schema: TSchema, value: unknown, templates: boolean): readonly OptionError[] {
  const check = validator(schema);
  if (check.Check(value)) return NO_ERRORS;
  // Only what does not fit as it is may hold templates and nulls that have to be looked away from.
  const node = schemaNode(schema);
  const checked = isJsonObject(value) ? rewrite(node, value, undefined, templates ? withoutTemplates : asItIs) : value;
  return check.Check(checked) ? NO_ERRORS : plainErrors(node, value, check.Errors(checked));
}

const asItIs: Leaf = (_, value) => value;

const withoutTemplates: Leaf = (node, value, _, required) => {
  if (!isTemplate(value) || !takesScalar(node)) return value;
  return required ? sample(node) : undefined;
};

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/** One error a place, in the words of this service. */
function plainErrors(node: SchemaNode, root: unknown, found: readonly SchemaError[]): OptionError[] {
  const errors = new Map<string, OptionError>();
  for (const error of found) {
    for (const path of placesOf(error)) {
      if (errors.has(path)) continue;
      const value = valueAt(root, path);
      errors.set(path, { path, value, expected: error.keyword === '~refine' ? error.message : wanted(node, path, error) });
    }
  }
  return [...errors.values()];
}

function placesOf({ keyword, instancePath, params }: SchemaError): string[] {
  if (keyword !== 'required' || !('requiredProperties' in params)) return [instancePath];
  return (params.requiredProperties as readonly string[]).map((name) => pointer(instancePath, name));
}

function wanted(node: SchemaNode, path: string, error: SchemaError): string {
  let at: SchemaNode | undefined = node;
  for (const key of pointerKeys(path)) at = at && childNode(at, key);
  return at ? describeNode(at) : error.message;
}

function findUnknown(node: SchemaNode, value: Json, path: string, warnings: Warning[]): void {
  if (Array.isArray(value)) {
    value.forEach((item, at) => {
      const child = childNode(node, String(at));
      if (child) findUnknown(child, item, pointer(path, at), warnings);
    });
    return;
  }
  if (!isJsonObject(value)) return;
  const names = knownNames(node);
  for (const [key, item] of Object.entries(value)) {
    if (warnings.length >= MOST_WARNINGS) return;
    const child = childNode(node, key);
    if (child) findUnknown(child, item, pointer(path, key), warnings);
    else if (names) warnings.push(unknownKey(pointer(path, key), key, names));
  }
}

/** The keys that an object may have; undefined where it may have any. */
function knownNames(node: SchemaNode): readonly string[] | undefined {
  const objects = alternatives(node).filter((one) => one.type === 'object');
  if (objects.length === 0 || takesAnything(node)) return undefined;
  if (objects.some((one) => !one.properties)) return undefined;
  return objects.flatMap((one) => Object.keys(one.properties ?? {}));
}

function unknownKey(path: string, key: string, names: readonly string[]): Warning {
  return { path, message: `unknown key, kept as it is${meant(nearest(key, names))}` };
}

/** A suggestion in brackets, or nothing. */
export function meant(word: string | undefined): string {
  return word === undefined ? '' : ` (did you mean ${word}?)`;
}

/** An option as it is stored: without fields that are null, ids in lower case. Unknown types stay as they are. */
export function normaliseOption(type: string, option: JsonObject): JsonObject {
  const schema = actionType(type)?.option;
  return schema ? (rewrite(schemaNode(schema), option, undefined, lowerIds) as JsonObject) : option;
}

/**
 * After substitution every value that held `${` is text. Where the schema wants a number or true or false, text
 * that is one becomes one; what the author wrote as text stays text. Ids are put in lower case.
 */
export function coerceOption(type: string, option: JsonObject, original: JsonObject | undefined): JsonObject {
  const schema = actionType(type)?.option;
  return schema ? (rewrite(schemaNode(schema), option, original, coerce) as JsonObject) : option;
}

const coerce: Leaf = (node, value, original, required) => {
  if (typeof value !== 'string' || !isTemplate(original)) return lowerIds(node, value, original, required);
  const kinds = alternatives(node).map((one) => one.type);
  if (kinds.includes('string')) return lowerIds(node, value, original, required);
  const text = value.trim();
  if (kinds.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (kinds.includes('integer') || kinds.includes('number')) return numberOf(text) ?? value;
  return value;
};
