import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const echoAction = defineAction({
  type: 'echo',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    duration: field.count('How long, in ms.'),
  }),
  doc: 'Sends back to the caller what it hears.',
});
