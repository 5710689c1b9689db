import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const amdAction = defineAction({
  type: 'amd',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    machine_handle: field.oneOf(['hangup', 'continue', 'delay'], 'What to do when a machine has answered.'),
    async: field.flag('True: the flow goes on while it is being found out.'),
  }),
  doc: 'Detects an answering machine.',
});
