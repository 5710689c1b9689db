import { Type } from 'typebox';
import { ask, defineAction } from '../definition.ts';
import { field } from '../schema.ts';
import { idOrNil } from './shared.ts';
import { answerInvalid, pushService, request, startService } from './sibling.ts';

export const queueJoinAction = defineAction({
  type: 'queue_join',
  medium: 'rtc',
  by: 'manager',
  in_branch: false,
  option: Type.Object({ queue_id: field.id('The queue.') }),
  doc: 'Puts the call into a queue and runs what the queue wants its callers to hear.',
  *decide({ activeflow, option }) {
    const start = request('queue', 'POST', '/v1/services/type/queuecall', {
      queue_id: idOrNil(option.queue_id),
      activeflow_id: activeflow.id,
      reference_type: 'call',
      reference_id: activeflow.reference_id,
    });
    const service = yield* startService(start);
    if (service.id === undefined) throw answerInvalid(start, 'the id of a queuecall', 'no id');
    const waiting = { to: 'queue', method: 'POST', uri: `/v1/queuecalls/${service.id}/status_waiting` } as const;
    const decision = pushService(service, 'queuecall');
    // The queue may hand the call to an agent as soon as it is told, so it is told once the stack is stored.
    if (decision.kind === 'push') return { ...decision, after: waiting };
    yield* ask(request(waiting.to, waiting.method, waiting.uri));
    return decision;
  },
});
