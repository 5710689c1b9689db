import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const confbridgeJoinAction = defineAction({
  type: 'confbridge_join',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    confbridge_id: field.id('The bridge.'),
  }),
  doc: 'Joins the call to a conference bridge.',
});
