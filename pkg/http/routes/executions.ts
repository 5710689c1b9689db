import { Type } from 'typebox';
import type { Variables } from '../../model/action.ts';
import type { User } from '../../model/user.ts';
import { hashId } from '../../service/context.ts';
import type { Service } from '../../service/service.ts';
import { type GatewayRoute, gatewayRoute, uuid } from '../route.ts';

/** Workflows that are started beside a conversation, by those who know them as Genesys Cloud’s. */
export function executionRoutes({ jobs }: Service): GatewayRoute[] {
  return [
    gatewayRoute({
      method: 'POST',
      path: '/api/v2/flow/execution/{workflowId}',
      summary: 'Starts a workflow beside a conversation, and does not wait for it.',
      access: { roles: ['org.user.workflow_call.write'], permissions: ['org.permission.workflow_call.create'] },
      params: Type.Object({
        workflowId: Type.String({ minLength: 1, maxLength: 255, description: 'Id of the flow, or the alias of a workflow.' }),
      }),
      headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) }),
      body: Type.Object(
        { conversationId: uuid('Whose participant data it shares: that of a call or of a conversation.') },
        {
          additionalProperties: true,
          description: 'Every other field is an input: the variable `input.<name>` of the workflow.',
        },
      ),
      answers: {
        200: { description: 'Started, or running already.', body: Type.Object({ id: uuid('Id of its activeflow.') }) },
      },
      handler: async ({ params, headers, body, user }) => {
        const { conversationId, ...inputs } = body;
        const started = await jobs.execute({
          caller: { customer_id: user.customer_id, user_id: user.id, teams: user.teams, internal: false },
          workflow: params.workflowId,
          conversation_id: conversationId.toLowerCase(),
          inputs: inputs as Variables,
          key: keyOf(user, params.workflowId, headers['idempotency-key']),
        });
        return { status: 200, body: started };
      },
    }),
  ];
}

/** Known for an hour, within the user and the workflow. */
function keyOf(user: User, workflowId: string, given: string | undefined): string {
  if (given === undefined) return '';
  return `execution/${hashId(JSON.stringify([user.customer_id, user.id, workflowId.toLowerCase(), given]))}`;
}
