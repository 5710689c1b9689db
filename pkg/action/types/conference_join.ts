import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';
import { idOrNil } from './shared.ts';
import { pushService, request, startService } from './sibling.ts';

export const conferenceJoinAction = defineAction({
  type: 'conference_join',
  medium: 'rtc',
  by: 'manager',
  in_branch: false,
  option: Type.Object({ conference_id: field.id('The conference.') }),
  doc: 'Puts the call into a conference and runs what the conference asks of its participants.',
  *decide({ activeflow, option }) {
    const service = yield* startService(
      request('conference', 'POST', '/v1/services/type/conferencecall', {
        activeflow_id: activeflow.id,
        conference_id: idOrNil(option.conference_id),
        reference_type: activeflow.reference_type,
        reference_id: activeflow.reference_id,
      }),
    );
    return pushService(service, 'conferencecall');
  },
});
