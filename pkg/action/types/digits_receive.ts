import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const digitsReceiveAction = defineAction({
  type: 'digits_receive',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    duration: field.count('How long it listens, in ms.'),
    key: field.text('The key that ends it; it does not count as a digit.'),
    length: field.count('After so many keys it ends; 0: no limit.'),
  }),
  doc: 'Collects the keys that the caller presses into voipbin.call.digits.',
});
