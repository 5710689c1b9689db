import { Type } from 'typebox';
import { REFERENCE_TYPES } from '../../model/activeflow.ts';
import type { Json } from '../../model/json.ts';
import { PARTICIPANT_KEY, PARTICIPANT_KEY_WANTED } from '../../model/participant.ts';
import type { Service } from '../../service/service.ts';
import { type GatewayRoute, gatewayRoute, uuid } from '../route.ts';

const PATH = '/v1/participants/{reference_type}/{reference_id}';
const PARAMS = Type.Object({
  reference_type: Type.Enum(REFERENCE_TYPES.filter((type) => type !== '')),
  reference_id: uuid('Id of the call, the conversation, …'),
});
const ENTRY = Type.Object({
  key: Type.String(),
  value: Type.Unknown(),
  revision: Type.Integer({ description: 'From 1, one more with each write.' }),
  tm_update: Type.String({ format: 'date-time' }),
});

/** What activeflows of one reference share with each other and with their jobs. */
export function participantRoutes({ participants }: Service): GatewayRoute[] {
  return [
    gatewayRoute({
      method: 'GET',
      path: PATH,
      summary: 'All data that activeflows of this reference share.',
      access: { roles: ['org.user.participant.read'], permissions: ['org.permission.participant.read'] },
      params: PARAMS,
      answers: {
        200: {
          description: 'The entries, by key.',
          body: Type.Object({
            customer_id: Type.String(),
            reference_type: Type.String(),
            reference_id: Type.String(),
            entries: Type.Array(ENTRY),
          }),
        },
      },
      handler: async ({ params, user }) => ({
        status: 200,
        body: await participants.get({ customer_id: user.customer_id, ...params }),
      }),
    }),
    gatewayRoute({
      method: 'POST',
      path: PATH,
      summary: 'Sets one entry; with a revision only while it is at that one.',
      access: { roles: ['org.user.participant.write'], permissions: ['org.permission.participant.write'] },
      params: PARAMS,
      body: Type.Object(
        {
          key: Type.String({ pattern: PARTICIPANT_KEY.source, description: PARTICIPANT_KEY_WANTED }),
          value: Type.Unknown({ description: 'Any JSON.' }),
          revision: Type.Optional(
            Type.Integer({
              minimum: 0,
              description: 'That the entry must be at; 0: there must be none. Absent: whatever is there.',
            }),
          ),
        },
        { additionalProperties: false },
      ),
      answers: { 200: { description: 'The entry as it is now.', body: ENTRY } },
      handler: async ({ params, user, body: { key, value, revision } }) => {
        const participant = { customer_id: user.customer_id, ...params };
        const from = revision === undefined ? {} : { from: revision };
        return { status: 200, body: await participants.set({ participant, key, value: value as Json, ...from }) };
      },
    }),
  ];
}
