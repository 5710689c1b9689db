import { Type } from 'typebox';
import type { Json } from '../../model/json.ts';
import type { User } from '../../model/user.ts';
import { CALL_STATES } from '../../model/workflow.ts';
import type { Service } from '../../service/service.ts';
import type { CallerIdentity } from '../../service/workflow/prepare.ts';
import { type GatewayRoute, gatewayRoute, uuid } from '../route.ts';

const MAY_CALL = {
  roles: ['org.user.workflow_call.write'],
  permissions: ['org.permission.workflow_call.create'],
} as const;
const MAY_CHANGE = { roles: ['org.user.workflow.write'], permissions: ['org.permission.workflow.update'] } as const;

const AnyObject = Type.Record(Type.String(), Type.Unknown());
const Names = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 1_000, description });
const Nullable = <T extends Parameters<typeof Type.Optional>[0]>(schema: T) => Type.Union([schema, Type.Null()]);

const Workflow = Type.String({ minLength: 1, maxLength: 255, description: 'Id of the flow, or its alias.' });
const CallBody = Type.Object({
  inputs: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'Variables input.* of the flow.' })),
  asyncResponse: Type.Optional(
    Nullable(
      Type.Object(
        {
          type: Type.String({
            maxLength: 100,
            description: 'KVIEW or EMBEDDED: pushed to the browser; WORKFLOW: calls that one.',
          }),
          id: Type.Optional(Type.String({ maxLength: 255, description: 'What gets the response: the workflow, or the view.' })),
        },
        { additionalProperties: false },
      ),
    ),
  ),
  clientContext: Type.Optional(
    Nullable(Type.Record(Type.String(), Type.Unknown(), { description: 'Variables client_context.* of the flow.' })),
  ),
});
const Call = Type.Object({
  id: uuid('Of the call, and of its activeflow.'),
  workflow: Workflow,
  flow_id: uuid('Of the flow.'),
  state: Type.Enum([...CALL_STATES]),
  status: Nullable(Type.Integer()),
  code: Nullable(Type.String()),
  workflowResponse: Type.Unknown(),
  calledWith: AnyObject,
  tm_create: Type.String(),
  tm_end: Nullable(Type.String()),
});
const CallableBody = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean()),
    alias: Type.Optional(Type.String({ maxLength: 255, description: 'Another name, unique within the customer; empty: none.' })),
    input_schema: Type.Optional(Nullable(Type.Record(Type.String(), Type.Unknown(), { description: 'JSON Schema of inputs.' }))),
    allowed_users: Type.Optional(Names('Users who may call it; with allowed_teams empty, too: all.')),
    allowed_teams: Type.Optional(Names('Teams whose members may call it.')),
    response_types: Type.Optional(Names('Types of asyncResponse that callers may ask for; empty: all that the daemon allows.')),
    timeout: Type.Optional(
      Type.Integer({ minimum: 0, description: 'How long a call may take, in ms; 0: as the flow may live.' }),
    ),
    managed: Type.Optional(Type.Boolean({ description: 'Installed by an app: then only the lists of callers can be changed.' })),
  },
  { additionalProperties: false },
);
const IdempotencyKey = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'Repeats within 24 hours get the answer of the first.' }),
  ),
});

/** Callable workflows, for users. */
export function workflowRoutes(service: Service): GatewayRoute[] {
  return [...callableRoutes(service), ...callRoutes(service)];
}

function callableRoutes({ callables }: Service): GatewayRoute[] {
  const params = Type.Object({ id: uuid('Of the flow.') });
  return [
    gatewayRoute({
      method: 'GET',
      path: '/v1/flows/{id}/callable',
      summary: 'How a flow can be called as a workflow',
      access: MAY_CHANGE,
      params,
      answers: {
        200: { description: 'Its settings.', body: CallableBody },
        404: { description: 'No such flow, or not callable.' },
      },
      handler: async ({ params: { id }, user }) => ({ status: 200, body: await callables.get(id, user.customer_id) }),
    }),
    gatewayRoute({
      method: 'PUT',
      path: '/v1/flows/{id}/callable',
      summary: 'Makes a flow callable as a workflow; what is left out stays as it is',
      access: MAY_CHANGE,
      params,
      body: CallableBody,
      answers: {
        200: { description: 'Its settings.', body: CallableBody },
        404: { description: 'No such flow.' },
        409: { description: 'The alias is taken, the workflow is managed, or the flow is deleted.' },
      },
      handler: async ({ params: { id }, user, body }) => ({
        status: 200,
        body: await callables.put(id, body as Parameters<typeof callables.put>[1], user.customer_id),
      }),
    }),
  ];
}

function callRoutes({ workflows }: Service): GatewayRoute[] {
  const params = Type.Object({ id: uuid('Of the call.') });
  const one = {
    200: { description: 'The call.', body: Call },
    404: { description: 'No such call of this user.' },
  };
  return [
    gatewayRoute({
      method: 'POST',
      path: '/v1/workflows/{workflow}/call',
      summary: 'Calls a workflow',
      access: MAY_CALL,
      params: Type.Object({ workflow: Workflow }),
      headers: IdempotencyKey,
      body: CallBody,
      answers: {
        202: { description: 'The call, which runs from now on.', body: Call },
        400: { description: 'Inputs or type of response are not as the workflow wants them.' },
        404: { description: 'No such workflow of this customer.' },
        422: { description: 'The key was used with another body.' },
      },
      handler: async ({ params: { workflow }, headers, body, user }) => {
        const repeat = { key: headers['idempotency-key'] ?? '', strict: true };
        const request = { workflow, ...(body as { readonly [name in 'inputs' | 'asyncResponse' | 'clientContext']?: Json }) };
        return { status: 202, body: await workflows.call(request, callerOf(user), repeat) };
      },
    }),
    gatewayRoute({
      method: 'GET',
      path: '/v1/workflow_calls/{id}',
      summary: 'A call and its response, for who made it',
      access: 'user',
      params,
      answers: one,
      handler: async ({ params: { id }, user }) => ({ status: 200, body: await workflows.get(id, callerOf(user)) }),
    }),
    gatewayRoute({
      method: 'DELETE',
      path: '/v1/workflow_calls/{id}',
      summary: 'Cancels a call unless it is answered, for who made it',
      access: 'user',
      params,
      answers: one,
      handler: async ({ params: { id }, user }) => ({ status: 200, body: await workflows.cancel(id, callerOf(user), '') }),
    }),
  ];
}

function callerOf({ customer_id, id, teams }: User): CallerIdentity {
  return { customer_id, user_id: id, teams, internal: false };
}
