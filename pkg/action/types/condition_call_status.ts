import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';
import { quote } from '../text.ts';
import { verdict } from '../verdict.ts';
import { askObject, request, textOf } from './sibling.ts';

export const conditionCallStatusAction = defineAction({
  type: 'condition_call_status',
  medium: 'rtc',
  by: 'manager',
  option: Type.Object({
    status: field.text('Dialing, ringing, progressing, terminating, canceling or hangup.'),
    false_target_id: field.id('Where to go otherwise.'),
  }),
  doc: 'Goes on when the call has the status; else to false_target_id.',
  *decide({ activeflow, option }) {
    const get = request('call', 'GET', `/v1/calls/${activeflow.reference_id}`);
    const status = textOf(get, yield* askObject(get), 'status');
    const wanted = option.status ?? '';
    return verdict({ holds: status === wanted, shown: `${quote(status)} == ${quote(wanted)}` }, option.false_target_id);
  },
});
