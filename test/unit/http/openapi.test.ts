import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { Type } from 'typebox';
import { openApiDocument } from '../../../pkg/http/openapi.ts';
import { gatewayRoute, uuid } from '../../../pkg/http/route.ts';
import { startGateway } from '../../support/gateway.ts';

/**
 * The OpenAPI Initiative's own schema of such documents. What it leaves to a dialect of JSON Schema is JSON Schema's
 * own here: ajv looks for that dynamic anchor in the wrong place.
 */
const SPECIFICATION = JSON.parse(
  readFileSync(new URL('../../support/schemas/openapi-3.1.json', import.meta.url), 'utf8').replaceAll(
    '"$dynamicRef": "#meta"',
    '"$ref": "https://json-schema.org/draft/2020-12/schema"',
  ),
);

const ROUTES = [
  gatewayRoute({
    method: 'POST',
    path: '/v1/things/{id}/{name}',
    summary: 'Makes one',
    access: { roles: ['maker'], permissions: ['thing.create'] },
    params: Type.Object({ id: uuid('Id of the thing.') }),
    query: Type.Object({ size: Type.Optional(Type.Integer({ minimum: 1, description: 'How big.' })) }),
    headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String()) }),
    body: Type.Object({ name: Type.String() }),
    answers: { 202: { description: 'taken', body: Type.Object({ id: Type.String() }) } },
    handler: async () => ({ status: 202 }),
  }),
  gatewayRoute({
    method: 'PUT',
    path: '/v1/raw',
    summary: 'Takes anything',
    access: 'public',
    raw_body: 'Anything.',
    answers: { 204: { description: 'taken' } },
    handler: async () => ({ status: 204 }),
  }),
];

function problems(document: unknown): unknown {
  const check = new Ajv2020({ strict: false, validateFormats: false }).compile(SPECIFICATION);
  return check(document) ? null : check.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`);
}

describe('the OpenAPI document', () => {
  it('is what the specification wants, with and without routes', () => {
    expect(problems(openApiDocument(ROUTES, 'https://flow.example.com'))).to.equal(null);
    expect(problems(openApiDocument([], ''))).to.equal(null);
    expect(problems({ openapi: '3.1.0' })).not.to.equal(null);
  });

  it('shows what a route reads, who may call it, and what it answers', () => {
    const { paths } = openApiDocument(ROUTES, '') as { paths: Record<string, Record<string, Record<string, never>>> };
    const made = paths['/v1/things/{id}/{name}']?.post ?? {};
    expect(made).to.deep.include({
      operationId: 'post_v1_things_id_name',
      security: [{ bearer: [] }],
      description: 'Needs one of: role maker, permission thing.create.',
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } },
        },
      },
    });
    const parameters = made.parameters as unknown as { name: string; in: string; required: boolean }[];
    expect(parameters.map((one) => `${one.in} ${one.name} ${one.required}`)).to.deep.equal([
      'path id true',
      'path name true',
      'query size false',
      'header idempotency-key false',
    ]);
    expect(Object.keys(made.responses ?? {})).to.have.members(['202', '401', '403', '503', 'default']);
    expect(paths['/v1/raw']?.put).to.deep.include({ security: [] }).and.to.have.nested.property('requestBody.description');
  });

  it('is served, itself among the routes', async () => {
    const gateway = await startGateway(ROUTES, { public_url: 'https://flow.example.com' });
    try {
      const answer = await fetch(`${gateway.url}/openapi.json`);
      const document = (await answer.json()) as { servers: unknown; paths: object };
      expect(answer.status).to.equal(200);
      expect(document.servers).to.deep.equal([{ url: 'https://flow.example.com' }]);
      expect(Object.keys(document.paths)).to.deep.equal(['/v1/things/{id}/{name}', '/v1/raw', '/openapi.json']);
      expect(problems(document)).to.equal(null);
    } finally {
      await gateway.close();
    }
  });
});
