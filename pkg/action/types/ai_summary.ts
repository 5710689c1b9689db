import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';
import { idOrNil } from './shared.ts';
import { pushService, request, startService } from './sibling.ts';

export const aiSummaryAction = defineAction({
  type: 'ai_summary',
  medium: 'non_rtc',
  by: 'manager',
  in_branch: false,
  option: Type.Object({
    reference_type: field.text('What is summed up: call, conference, transcribe, recording.'),
    reference_id: field.id('Id of what is summed up.'),
    language: field.text('Language of the summary, as en-US.'),
    on_end_flow_id: field.id('The flow that runs when the summary is there.'),
  }),
  doc: 'Lets an AI sum up a call, a conference, a transcript or a recording.',
  *decide({ activeflow, option }) {
    const service = yield* startService(
      request(
        'ai',
        'POST',
        '/v1/services/type/summary',
        {
          customer_id: activeflow.customer_id,
          activeflow_id: activeflow.id,
          on_end_flow_id: idOrNil(option.on_end_flow_id),
          reference_type: option.reference_type ?? '',
          reference_id: idOrNil(option.reference_id),
          language: option.language ?? '',
        },
        { timeout_ms: 60_000 },
      ),
    );
    return pushService(service, 'summary');
  },
});
