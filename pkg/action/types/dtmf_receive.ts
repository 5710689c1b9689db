import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const dtmfReceiveAction = defineAction({
  type: 'dtmf_receive',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    duration: field.count('How long it listens, in ms.'),
    finish_on_key: field.text('The key that ends it; it does not count as a digit.'),
    max_number_key: field.count('After so many keys it ends; 0: no limit.'),
  }),
  doc: 'Collects the keys that the caller presses; the older form of digits_receive.',
});
