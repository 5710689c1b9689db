import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';
import { Assistance, assistanceJson } from './assistance.ts';
import { pushService, request, startService } from './sibling.ts';

export const aiTalkAction = defineAction({
  type: 'ai_talk',
  medium: 'any',
  by: 'manager',
  in_branch: false,
  option: Type.Object({ ...Assistance, duration: field.count('How long it may talk, in s.') }),
  doc: 'Lets an AI or a team of AIs talk with the caller.',
  *decide({ activeflow, option }) {
    const service = yield* startService(
      request(
        'ai',
        'POST',
        '/v1/services/type/aicall',
        {
          ...assistanceJson(option),
          activeflow_id: activeflow.id,
          reference_type: activeflow.reference_type === 'conversation' ? 'conversation' : 'call',
          reference_id: activeflow.reference_id,
        },
        { timeout_ms: 30_000 },
      ),
    );
    return pushService(service, 'aicall');
  },
});
