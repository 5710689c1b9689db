import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const streamEchoAction = defineAction({
  type: 'stream_echo',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    duration: field.count('How long, in ms.'),
  }),
  doc: 'Sends the raw media stream back to the caller.',
});
