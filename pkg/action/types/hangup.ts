import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const hangupAction = defineAction({
  type: 'hangup',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    reason: field.text('Why, for example normal or busy.'),
    reference_id: field.id('Hangs up with the reason of that call instead.'),
  }),
  doc: 'Hangs up the call.',
});
