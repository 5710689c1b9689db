/** The OpenAPI 3.1 document of the gateway, from the same schemas that requests are checked with. */
import { type TSchema, Type } from 'typebox';
import type { Json, JsonObject } from '../model/json.ts';
import { type Access, type GatewayRoute, gatewayRoute } from './route.ts';

const ERROR_SCHEMA = Type.Object({
  status: Type.String({ description: 'What kind of error, such as INVALID_ARGUMENT.' }),
  reason: Type.String({ description: 'What happened, for programs, such as BAD_FIELD.' }),
  domain: Type.Literal('flow-manager'),
  message: Type.String(),
  details: Type.Optional(
    Type.Array(
      Type.Object({
        field: Type.String({ description: 'JSON Pointer into the body, or the name of a part of the path, query or headers.' }),
        value: Type.Optional(Type.Unknown({ description: 'What was given, shortened.' })),
        expected: Type.Optional(Type.String()),
      }),
    ),
  ),
});

/** The route under which the document is served; it is in the document, too. */
export function openApiRoute(routes: readonly GatewayRoute[], public_url: string): GatewayRoute {
  const route: GatewayRoute = gatewayRoute({
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    access: 'public',
    answers: { 200: { description: 'OpenAPI 3.1', body: Type.Object({}) } },
    handler: async () => ({ status: 200, body: document }),
  });
  const document = openApiDocument([...routes, route], public_url);
  return route;
}

export function openApiDocument(routes: readonly GatewayRoute[], public_url: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'flow-manager', version: '1', description: 'What others may ask of flow-manager over HTTP.' },
    ...(public_url === '' ? {} : { servers: [{ url: public_url }] }),
    paths,
    components: {
      schemas: { Error: plain(ERROR_SCHEMA) },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function operation(route: GatewayRoute): Json {
  const { method, path, summary, access, params, query, headers } = route;
  const body = requestBody(route);
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+/g, '_').replace(/_$/, '')}`,
    summary,
    ...(typeof access === 'object' ? { description: needs(access) } : {}),
    security: access === 'public' ? [] : [{ bearer: [] }],
    parameters: [...pathParameters(path, params), ...parameters('query', query), ...parameters('header', headers)],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: { ...responses(route), default: error('An error, in the one form that all of them have.') },
  };
}

function needs(access: Exclude<Access, string>): string {
  const { roles = [], permissions = [] } = access;
  return `Needs one of: ${[...roles.map((role) => `role ${role}`), ...permissions.map((one) => `permission ${one}`)].join(', ')}.`;
}

function pathParameters(path: string, schema: TSchema | undefined): Json[] {
  const { properties } = schema ? plain(schema) : {};
  const known = (properties ?? {}) as Readonly<Record<string, JsonObject>>;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return names.map((name) => ({ name, in: 'path', required: true, schema: known[name] ?? { type: 'string' } }));
}

function parameters(place: 'query' | 'header', schema: TSchema | undefined): Json[] {
  if (schema === undefined) return [];
  const { properties, required } = plain(schema) as { properties?: Record<string, JsonObject>; required?: readonly string[] };
  return Object.entries(properties ?? {}).map(([name, node]) => ({
    name,
    in: place,
    required: required?.includes(name) ?? false,
    ...(node.description === undefined ? {} : { description: node.description }),
    schema: node,
  }));
}

function requestBody({ body, raw_body }: GatewayRoute): Json | undefined {
  if (body !== undefined) return { required: true, content: { 'application/json': { schema: plain(body) } } };
  if (raw_body !== undefined) return { required: false, description: raw_body, content: { '*/*': { schema: {} } } };
  return undefined;
}

function responses(route: GatewayRoute): Record<string, Json> {
  const told = Object.entries(route.answers).map(([code, { description, body }]) => [
    code,
    { description, ...(body === undefined ? {} : { content: { 'application/json': { schema: plain(body) } } }) },
  ]);
  const known = route.access === 'public' ? {} : { 401: error('No valid token.'), 503: error('Tokens cannot be checked now.') };
  const denied = typeof route.access === 'object' ? { 403: error('The user lacks a role or permission.') } : {};
  return { ...known, ...denied, ...Object.fromEntries(told) };
}

function error(description: string): Json {
  return { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
}

/** As JSON: what typebox keeps in a schema for itself is not told. */
function plain(schema: TSchema): JsonObject {
  return JSON.parse(JSON.stringify(schema)) as JsonObject;
}
