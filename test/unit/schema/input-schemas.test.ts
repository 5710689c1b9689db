import { expect } from 'chai';
import { FlowError } from '../../../pkg/error/index.ts';
import type { JsonObject } from '../../../pkg/model/json.ts';
import { CompiledSchemas } from '../../../pkg/schema/input-schemas.ts';

const schemas = new CompiledSchemas();

function refusal(work: () => void): FlowError {
  try {
    work();
  } catch (error) {
    if (error instanceof FlowError) return error;
    throw error;
  }
  throw new Error('not refused');
}

function badSchema(schema: JsonObject): FlowError {
  return refusal(() => schemas.checkSchema(schema, '/input_schema'));
}

function badInputs(schema: JsonObject, value: JsonObject): FlowError {
  schemas.checkSchema(schema, '/input_schema');
  return refusal(() => schemas.check(schema, value, '/inputs'));
}

describe('schemas of inputs', () => {
  it('take what JSON Schema 2020-12 can say without reaching outside', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { id: { type: 'string' }, at: { $ref: '#/$defs/place' }, kind: { enum: ['$ref', { $id: 'x' }] } },
      patternProperties: { '^x-[a-z]+$': { type: 'number' } },
      $defs: { place: { type: 'array', prefixItems: [{ type: 'number' }], items: false } },
    };
    schemas.checkSchema(schema, '/input_schema');
    schemas.check(schema, { id: 'a', at: [1], 'x-a': 2 }, '/inputs');
    expect(badInputs(schema, { at: [1, 2], 'x-a': 'b' }).details.map((detail) => detail.field)).to.have.members([
      '/inputs/at',
      '/inputs/x-a',
    ]);
  });

  it('name each path that does not fit, and what was expected there', () => {
    const schema = { required: ['a', 'b/c'], properties: { n: { type: 'number', maximum: 3 } }, additionalProperties: false };
    const error = badInputs(schema, { n: 5, z: 1 });
    expect(error.details).to.deep.equal([
      { field: '/inputs/a', value: 'nothing', expected: 'a value' },
      { field: '/inputs/b~1c', value: 'nothing', expected: 'a value' },
      { field: '/inputs/z', value: '"z"', expected: 'no such field' },
      { field: '/inputs/n', value: '5', expected: '<= 3' },
    ]);
    expect(error).to.include({ status: 'INVALID_ARGUMENT', reason: 'BAD_INPUTS' });
  });

  const REFUSED: readonly (readonly [string, JsonObject, string])[] = [
    ['no schema', { type: 'strng' }, '/input_schema/type'],
    ['a remote reference', { properties: { a: { $ref: 'https://example.com/s.json' } } }, '/input_schema/properties/a/$ref'],
    ['a file', { $ref: 'file:///etc/passwd' }, '/input_schema/$ref'],
    ['an unknown place', { $ref: '#/$defs/none' }, '/input_schema/$ref'],
    ['the whole of itself', { properties: { a: { $ref: '#' } } }, '/input_schema/properties/a/$ref'],
    ['a circle', { $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }, '/input_schema/$defs/a/$ref/$ref'],
    ['a name of its own', { $id: 'https://example.com/mine' }, '/input_schema/$id'],
    ['a dynamic reference', { $dynamicRef: '#x' }, '/input_schema/$dynamicRef'],
    ['an asynchronous schema', { $async: true }, '/input_schema/$async'],
    ['another draft', { $schema: 'http://json-schema.org/draft-04/schema#' }, '/input_schema/$schema'],
    ['a nested repetition', { properties: { a: { pattern: '^(a+)+$' } } }, '/input_schema/properties/a/pattern'],
    ['repeated alternatives', { patternProperties: { '^(a|a)*$': {} } }, '/input_schema/patternProperties/^(a|a)*$'],
    ['a back reference', { pattern: '(a)\\1' }, '/input_schema/pattern'],
    ['no pattern', { pattern: '(' }, '/input_schema'],
    ['a long pattern', { pattern: 'a'.repeat(201) }, '/input_schema/pattern'],
  ];
  for (const [what, schema, field] of REFUSED) {
    it(`refuse ${what}`, () => {
      const error = badSchema(schema);
      expect(error.status).to.equal('INVALID_ARGUMENT');
      expect(error.details[0]?.field.startsWith(field), error.message).to.equal(true);
    });
  }

  it('refuse what is too large, too deep, or grows by its references', () => {
    expect(badSchema({ description: 'x'.repeat(40_000) }).reason).to.equal('SCHEMA_TOO_LARGE');
    let deep: JsonObject = {};
    for (let n = 0; n < 5_000; n += 1) deep = { not: deep };
    expect(['TOO_DEEP', 'SCHEMA_TOO_LARGE']).to.include(badSchema(deep).reason);
    const $defs: Record<string, JsonObject> = { d0: {} };
    for (let n = 1; n < 40; n += 1) {
      const $ref = `#/$defs/d${n - 1}`;
      $defs[`d${n}`] = { allOf: [{ $ref }, { $ref }] };
    }
    expect(badSchema({ $ref: '#/$defs/d39', $defs }).message).to.include('references counted in full');
  });

  it('bound values by number and depth', () => {
    expect(badInputs({}, { list: Array(5_001).fill(0) }).reason).to.equal('INPUTS_TOO_LARGE');
    let deep: JsonObject = {};
    for (let n = 0; n < 40; n += 1) deep = { deep };
    expect(badInputs({}, deep).reason).to.equal('TOO_DEEP');
  });

  it('let no check run on: one that takes too long is refused, and the next one works', () => {
    // Polynomial, so that no rule about its form refuses it.
    const schema = { properties: { a: { type: 'string', pattern: `^${'a*'.repeat(30)}$` } } };
    const error = badInputs(schema, { a: `${'a'.repeat(200)}b` });
    expect(error.reason).to.equal('INPUTS_TOO_COSTLY');
    schemas.check(schema, { a: 'aaa' }, '/inputs');
    expect(refusal(() => schemas.check(schema, { a: 7 }, '/inputs')).reason).to.equal('BAD_INPUTS');
  });
});
