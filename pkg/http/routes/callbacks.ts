import { Type } from 'typebox';
import { CALLBACK_AUTHS, CALLBACK_METHODS } from '../../model/callback.ts';
import type { Json } from '../../model/json.ts';
import type { Service } from '../../service/service.ts';
import { type GatewayRoute, gatewayRoute, uuid } from '../route.ts';

const Taken = Type.Object({
  id: Type.String({ description: 'Of the request that was taken.' }),
  state: Type.Enum(['consumed', 'kept'], { description: 'Whether the flow has it, or it is kept until the flow asks.' }),
});

const Known = Type.Object({ id: Type.String(), duplicate: Type.Literal(true) });

const Time = Type.String({ description: 'RFC 3339' });

const Listed = Type.Object({
  id: Type.String(),
  activeflow_id: Type.String(),
  name: Type.String(),
  methods: Type.Array(Type.String()),
  auth: Type.Enum([...CALLBACK_AUTHS]),
  multi: Type.Boolean(),
  expires_at: Type.Union([Time, Type.Null()]),
  tm_create: Time,
  requests: Type.Array(
    Type.Object({
      id: Type.String(),
      status: Type.Enum(['kept', 'consumed', 'rejected']),
      code: Type.Integer({ description: 'What it was answered with.' }),
      reason: Type.String({ description: 'Why it was rejected; else empty.' }),
      method: Type.String(),
      bytes: Type.Integer(),
      tm_create: Time,
      tm_consume: Type.Union([Time, Type.Null()]),
    }),
  ),
});

/** Addresses that flows have made for others, and what their owner can see of them. */
export function callbackRoutes(service: Service): GatewayRoute[] {
  return [
    ...CALLBACK_METHODS.map((method) => arrival(service, method)),
    gatewayRoute({
      method: 'GET',
      path: '/v1/activeflows/{id}/callbacks',
      summary: 'The callbacks of a running or ended flow, and what came to them',
      access: { permissions: ['org.permission.callback.read'] },
      params: Type.Object({ id: uuid('The activeflow.') }),
      answers: { 200: { description: 'Newest first, at most 100.', body: Type.Array(Listed) } },
      handler: async ({ params, user }) => ({ status: 200, body: await service.callbacks.list(params.id, user.customer_id) }),
    }),
  ];
}

/** Whoever knows the address may call it: its callback says with which methods, and what else must be shown. */
function arrival(service: Service, method: (typeof CALLBACK_METHODS)[number]): GatewayRoute {
  return gatewayRoute({
    method,
    path: '/v1/callbacks/{id}/{token}',
    summary: 'Calls back a flow that has made this address',
    access: 'public',
    // No schema: an id that is none is as unknown as any other.
    raw_body: 'JSON, or any text.',
    answers: {
      200: { description: 'The flow has it, or had it before.', body: Type.Union([Taken, Known]) },
      202: { description: 'Kept until the flow asks for it.', body: Taken },
    },
    handler: async ({ params, headers, query, raw }) => {
      const { id = '', token = '' } = params;
      const request = { id: id.toLowerCase(), token, method, headers, query, body: raw };
      const answer = await service.callbacks.arrive(request);
      const state = answer.code === 200 ? 'consumed' : 'kept';
      const body: Json = answer.duplicate ? { id: answer.id, duplicate: true } : { id: answer.id, state };
      return { status: answer.code, body };
    },
  });
}
