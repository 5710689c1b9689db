import { type TSchema, Type } from 'typebox';

/**
 * The fields that options are made of. Every field may be absent: siblings leave out what is zero, and what
 * they send as null counts as absent (an empty list or map is written so by them).
 */

/** A UUID in either case, the nil UUID or an empty text: the last two mean none. */
export const ID_PATTERN = '^$|^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';

export const field = {
  id: (description: string) => Type.Optional(Type.String({ pattern: ID_PATTERN, description })),
  text: (description: string) => Type.Optional(Type.String({ description })),
  texts: (description: string) => Type.Optional(Type.Array(Type.String(), { description })),
  flag: (description: string) => Type.Optional(Type.Boolean({ description })),
  /** A length of time, a number of things: whole, never below 0. */
  count: (description: string) => Type.Optional(Type.Integer({ minimum: 0, description })),
  integer: (description: string) => Type.Optional(Type.Integer({ description })),
  number: (description: string) => Type.Optional(Type.Number({ description })),
  any: (description: string) => Type.Optional(Type.Unknown({ description })),
  /** One of a closed list, or an empty text, which means absent. */
  oneOf: <const Values extends readonly string[]>(values: Values, description: string) =>
    Type.Optional(Type.Enum(['', ...values] as ['', ...Values], { description })),
};

/** Option of an action that takes none. */
export const NO_OPTION = Type.Object({});

/** The parts of JSON Schema that options use, as they stand in a schema made by typebox. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: { readonly [name: string]: SchemaNode };
  readonly required?: readonly string[];
  readonly patternProperties?: { readonly [pattern: string]: SchemaNode };
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

export function schemaNode(schema: TSchema): SchemaNode {
  return schema as SchemaNode;
}

/** The alternatives of a schema: itself unless it is a union. */
export function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf ? node.anyOf.flatMap(alternatives) : [node];
}

/** True when the schema says nothing about what a value is. */
export function takesAnything(node: SchemaNode): boolean {
  return node.anyOf ? alternatives(node).some(saysNothing) : saysNothing(node);
}

function saysNothing({ type, enum: values, const: value }: SchemaNode): boolean {
  return type === undefined && values === undefined && value === undefined;
}

/** The schema of what stands under `key`: a property, a value of a map, an item of a list; undefined when unknown. */
export function childNode(node: SchemaNode, key: string): SchemaNode | undefined {
  if (!node.anyOf) return ownChild(node, key);
  for (const one of alternatives(node)) {
    const child = ownChild(one, key);
    if (child) return child;
  }
  return undefined;
}

function ownChild({ properties, items, patternProperties }: SchemaNode, key: string): SchemaNode | undefined {
  if (properties && Object.hasOwn(properties, key)) return properties[key];
  if (items && /^\d+$/.test(key)) return items;
  return patternProperties && Object.values(patternProperties)[0];
}

/** What a schema wants, in plain words, for an error and for the documentation. */
export function describeNode(node: SchemaNode): string {
  if (node.anyOf) return [...new Set(alternatives(node).map(describeNode))].join(' or ');
  if (node.enum) return `one of ${node.enum.filter((value) => value !== '').join(', ')}`;
  if (node.const !== undefined) return String(node.const);
  if (node.pattern === ID_PATTERN) return 'an id (UUID)';
  if (node.type === 'integer') return `a whole number${range(node)}`;
  if (node.type === 'number') return `a number${range(node)}`;
  if (node.type === 'boolean') return 'true or false';
  if (node.type === 'string') return node.pattern === undefined ? 'text' : `text that matches ${node.pattern}`;
  if (node.type === 'array') return node.items ? `a list, each item ${describeNode(node.items)}` : 'a list';
  if (node.type === 'null') return 'null';
  if (node.type !== 'object') return 'any value';
  const values = node.patternProperties && Object.values(node.patternProperties)[0];
  return values ? `an object, each value ${describeNode(values)}` : 'an object';
}

function range(node: SchemaNode): string {
  if (node.minimum === undefined) return node.maximum === undefined ? '' : ` of at most ${node.maximum}`;
  return node.maximum === undefined ? ` of at least ${node.minimum}` : ` from ${node.minimum} to ${node.maximum}`;
}
