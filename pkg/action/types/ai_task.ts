import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { Assistance, assistanceJson } from './assistance.ts';
import { pushService, request, startService } from './sibling.ts';

export const aiTaskAction = defineAction({
  type: 'ai_task',
  medium: 'non_rtc',
  by: 'manager',
  in_branch: false,
  option: Type.Object(Assistance),
  doc: 'Gives an AI or a team of AIs a task to work on.',
  *decide({ activeflow, option }) {
    const data = { ...assistanceJson(option), activeflow_id: activeflow.id };
    return pushService(yield* startService(request('ai', 'POST', '/v1/services/type/task', data)), 'task');
  },
});
