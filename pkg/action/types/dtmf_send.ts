import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const dtmfSendAction = defineAction({
  type: 'dtmf_send',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    dtmfs: field.text('The keys: 0-9, A-D, # and *.'),
    duration: field.count('Length of each tone, in ms.'),
    interval: field.count('Pause between two tones, in ms.'),
  }),
  doc: 'Sends key tones; the older form of digits_send.',
});
