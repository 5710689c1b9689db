/** Customers' own subscriptions: who is told of the progress of their flows, and how that goes. */
import { Type } from 'typebox';
import type { JsonObject } from '../../model/json.ts';
import { DELIVERY_STATUSES, LANES, NOTIFICATION_TYPES } from '../../model/subscription.ts';
import { readPage } from '../../rpc/read.ts';
import type { Service } from '../../service/service.ts';
import { type GatewayRoute, gatewayRoute, uuid } from '../route.ts';

const READ = { permissions: ['org.permission.subscription.read', 'org.permission.subscription.write'] } as const;
const WRITE = { permissions: ['org.permission.subscription.write'] } as const;

const words = (values: readonly string[]) => Type.Union(values.map((value) => Type.Literal(value)));
const page = {
  page_size: Type.Optional(Type.String({ description: 'How many at most, 1 to 1,000; 100 unless it says otherwise' })),
  page_token: Type.Optional(
    Type.String({ description: '`tm_create` of the last one seen; `~` and its id behind it where times are equal' }),
  ),
};

const FIELDS = {
  login_name: Type.Optional(Type.String({ description: 'Who looks after it' })),
  notification_types: Type.Optional(
    Type.Array(words(NOTIFICATION_TYPES), { minItems: 1, description: 'All unless it says otherwise' }),
  ),
  workflow_id: Type.Optional(Type.String({ description: 'A flow; without one: all' })),
  enabled: Type.Optional(Type.Boolean()),
  access_key: Type.Optional(Type.String({ description: 'Sent as the header access-key; never shown' })),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: 'Sent with each notification; values are never shown' }),
  ),
  secrets: Type.Optional(
    Type.Array(Type.Unknown(), {
      description: 'One or two signing secrets, whsec_…; never shown. One is made when none is given',
    }),
  ),
  lane: Type.Optional(words(LANES)),
  retry: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 0 }))),
  timeout_ms: Type.Optional(Type.Integer()),
};
const url = Type.String({ description: 'http or https, at a public address' });
const NEW = Type.Object({ ...FIELDS, callback_url: url, method: Type.Optional(words(['POST', 'PUT', 'PATCH'])) });
const CHANGED = Type.Object({ ...FIELDS, callback_url: Type.Optional(url) });

const params = Type.Object({ id: uuid('Of a subscription') });
const subscription = Type.Object({}, { description: 'A subscription, without its secrets' });
const delivery = Type.Object({}, { description: 'A delivery: status, attempts, response code, latency, next try' });
const answers = { 200: { description: 'The subscription', body: subscription } };
const key = Type.Object({ 'idempotency-key': Type.Optional(Type.String({ maxLength: 255 })) });

export function subscriptionRoutes(service: Service): GatewayRoute[] {
  return [...resource(service), ...log(service)];
}

function resource({ subscriptions }: Service): GatewayRoute[] {
  return [
    gatewayRoute({
      method: 'POST',
      path: '/v1/subscriptions',
      summary: 'Subscribe to the progress of flows; the answer alone shows the secret that was made',
      access: WRITE,
      headers: key,
      body: NEW,
      answers: { 201: { description: 'The subscription', body: subscription } },
      handler: async ({ user, body, headers }) => ({
        status: 201,
        body: await subscriptions.create(user.customer_id, body as JsonObject, keyOf(user.id, headers['idempotency-key'])),
      }),
    }),
    gatewayRoute({
      method: 'GET',
      path: '/v1/subscriptions',
      summary: 'Your subscriptions, newest first',
      access: READ,
      query: Type.Object(page),
      answers: { 200: { description: 'Subscriptions', body: Type.Array(subscription) } },
      handler: async ({ user, query }) => ({
        status: 200,
        body: await subscriptions.list({ customer_id: user.customer_id }, readPage(textsOf(query))),
      }),
    }),
    gatewayRoute({
      method: 'GET',
      path: '/v1/subscriptions/{id}',
      summary: 'One subscription',
      access: READ,
      params,
      answers,
      handler: async ({ user, params: { id } }) => ({ status: 200, body: await subscriptions.get(id, user.customer_id) }),
    }),
    gatewayRoute({
      method: 'PUT',
      path: '/v1/subscriptions/{id}',
      summary: 'Change what is named of a subscription',
      access: WRITE,
      params,
      body: CHANGED,
      answers,
      handler: async ({ user, params: { id }, body }) => ({
        status: 200,
        body: await subscriptions.update(id, body as JsonObject, user.customer_id),
      }),
    }),
    gatewayRoute({
      method: 'DELETE',
      path: '/v1/subscriptions/{id}',
      summary: 'Remove a subscription, with what waits and its log',
      access: WRITE,
      params,
      answers,
      handler: async ({ user, params: { id } }) => ({ status: 200, body: await subscriptions.remove(id, user.customer_id) }),
    }),
    gatewayRoute({
      method: 'POST',
      path: '/v1/subscriptions/{id}/rotate',
      summary: 'A new signing secret, shown in this answer only; the one before is valid beside it for a day',
      access: WRITE,
      params,
      answers,
      handler: async ({ user, params: { id } }) => ({ status: 200, body: await subscriptions.rotate(id, user.customer_id) }),
    }),
  ];
}

function log({ subscriptions }: Service): GatewayRoute[] {
  return [
    gatewayRoute({
      method: 'POST',
      path: '/v1/subscriptions/{id}/test',
      summary: 'Send a test notification now, and see what came of it',
      access: WRITE,
      params,
      answers: { 200: { description: 'What came of it', body: delivery } },
      handler: async ({ user, params: { id } }) => ({ status: 200, body: await subscriptions.test(id, user.customer_id) }),
    }),
    gatewayRoute({
      method: 'POST',
      path: '/v1/subscriptions/{id}/replay',
      summary: 'Send again all that has failed since a time',
      access: WRITE,
      params,
      query: Type.Object({ since: Type.String({ description: 'Such as 2026-11-21T08:45:10Z' }) }),
      answers: { 200: { description: 'How many', body: Type.Object({ count: Type.Integer() }) } },
      handler: async ({ user, params: { id }, query }) => ({
        status: 200,
        body: await subscriptions.replaySince(id, query.since, user.customer_id),
      }),
    }),
    gatewayRoute({
      method: 'GET',
      path: '/v1/subscriptions/{id}/deliveries',
      summary: 'What was sent and what waits, newest first',
      access: READ,
      params,
      query: Type.Object({ ...page, status: Type.Optional(words(DELIVERY_STATUSES)) }),
      answers: { 200: { description: 'Deliveries', body: Type.Array(delivery) } },
      handler: async ({ user, params: { id }, query }) => ({
        status: 200,
        body: await subscriptions.deliveries(id, query.status as string | undefined, readPage(textsOf(query)), user.customer_id),
      }),
    }),
    gatewayRoute({
      method: 'POST',
      path: '/v1/subscriptions/{id}/deliveries/{delivery_id}/replay',
      summary: 'Send one again, under its own webhook-id',
      access: WRITE,
      params: Type.Object({ id: uuid('Of a subscription'), delivery_id: uuid('Of a delivery: its webhook-id') }),
      answers: { 200: { description: 'The delivery', body: delivery } },
      handler: async ({ user, params: { id, delivery_id } }) => ({
        status: 200,
        body: await subscriptions.replay(id, delivery_id, user.customer_id),
      }),
    }),
  ];
}

/** Users choose keys by themselves: two of them may choose the same. */
function keyOf(user: string, key: string | undefined): string {
  return key === undefined || key === '' ? '' : `http/${user}/${key}`;
}

function textsOf(query: object): URLSearchParams {
  return new URLSearchParams(Object.entries(query).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
