import { defineAction } from '../definition.ts';
import { NO_OPTION } from '../schema.ts';

export const beepAction = defineAction({
  type: 'beep',
  medium: 'rtc',
  by: 'caller',
  option: NO_OPTION,
  doc: 'Plays a beep to the caller.',
});
