/** Requests against the schemas of their route, and what ajv finds in the words of the service's errors. */
import { Ajv2020, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { TSchema } from 'typebox';
import { describeNode, type SchemaNode } from '../action/schema.ts';
import { type ErrorDetail, FlowError, shorten } from '../error/index.ts';
import { isUuid } from '../model/id.ts';

/** Where a part of a request stands, for the names of its fields: a body's are JSON Pointers. */
export type Part = 'params' | 'query' | 'headers' | 'body';

export type Check = (value: unknown) => void;

const SHOWN = 20;
const OPTIONS = {
  allErrors: true,
  verbose: true,
  strict: false,
  formats: { uuid: (text: string) => isUuid(text.toLowerCase()) },
} as const;

const bodies = new Ajv2020(OPTIONS);
/** Paths, queries and headers are text: numbers and flags are read from it. */
const texts = new Ajv2020({ ...OPTIONS, coerceTypes: 'array', useDefaults: true });

/** Throws FlowError INVALID_ARGUMENT with everything that is wrong; puts numbers, flags and defaults in place of text. */
export function compile(schema: TSchema, part: Part): Check {
  const validate: ValidateFunction = (part === 'body' ? bodies : texts).compile(schema as AnySchema);
  return (value) => {
    if (!validate(value)) throw problem(validate.errors ?? [], part);
  };
}

function problem(errors: readonly ErrorObject[], part: Part): FlowError {
  const details = errors.filter((error) => !isBranch(error, errors)).map((error) => detailOf(error, part));
  const [first] = details;
  const more = details.length > 1 ? ` (and ${details.length - 1} more)` : '';
  const message = first ? `${first.field}: expected ${first.expected}, got ${String(first.value)}${more}` : 'not as expected';
  return new FlowError('INVALID_ARGUMENT', 'BAD_FIELD', message, details.slice(0, SHOWN));
}

/** What one alternative of a union says about a value that the union as a whole refuses. */
function isBranch(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  return errors.some(({ keyword, schemaPath }) => isUnion(keyword) && error.schemaPath.startsWith(`${schemaPath}/`));
}

function isUnion(keyword: string): boolean {
  return keyword === 'anyOf' || keyword === 'oneOf';
}

function detailOf(error: ErrorObject, part: Part): ErrorDetail {
  const { instancePath, params, keyword, data } = error;
  const node = (error.parentSchema ?? {}) as SchemaNode;
  if (keyword === 'required') {
    const missing = String(params.missingProperty);
    const wanted = node.properties?.[missing] ?? {};
    return { field: fieldOf(`${instancePath}/${missing}`, part), value: shorten(undefined), expected: describe(wanted) };
  }
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') {
    const surplus = String(params.additionalProperty ?? params.unevaluatedProperty);
    const known = Object.keys(node.properties ?? {}).join(', ');
    return {
      field: fieldOf(`${instancePath}/${surplus}`, part),
      value: shorten(surplus),
      expected: `one of ${known || 'no fields'}`,
    };
  }
  return { field: fieldOf(instancePath, part), value: shorten(data), expected: expectedOf(error, node) };
}

const BOUNDS: Readonly<Record<string, string>> = {
  minLength: 'text of at least # characters',
  maxLength: 'text of at most # characters',
  minItems: 'at least # items',
  maxItems: 'at most # items',
  minProperties: 'at least # fields',
  maxProperties: 'at most # fields',
};

function expectedOf({ keyword, params, message }: ErrorObject, node: SchemaNode): string {
  const bound = BOUNDS[keyword];
  if (bound !== undefined) return bound.replace('#', String(params.limit));
  if (keyword === 'uniqueItems') return 'items that differ';
  const told = ['type', 'enum', 'const', 'pattern', 'format', 'minimum', 'maximum', 'anyOf', 'oneOf'].includes(keyword);
  return told ? describe(node) : (message ?? keyword);
}

function describe(node: SchemaNode & { readonly format?: string }): string {
  return node.format === 'uuid' ? 'a UUID such as 7afadc1a-64c7-46f0-95f8-ccd9b4a1daa5' : describeNode(node);
}

/** A body's field as a JSON Pointer, one of a path, a query or a header by its name. */
function fieldOf(path: string, part: Part): string {
  if (part === 'body') return path === '' ? 'body' : path;
  return path.slice(1) || part;
}
