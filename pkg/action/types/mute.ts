import { defineAction } from '../definition.ts';
import { NO_OPTION } from '../schema.ts';

export const muteAction = defineAction({
  type: 'mute',
  medium: 'rtc',
  by: 'caller',
  option: NO_OPTION,
  doc: 'Mutes the call.',
});
