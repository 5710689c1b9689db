import { defineAction } from '../definition.ts';
import { NO_OPTION } from '../schema.ts';

export const externalMediaStopAction = defineAction({
  type: 'external_media_stop',
  medium: 'rtc',
  by: 'caller',
  option: NO_OPTION,
  doc: 'Stops the external media that external_media_start began.',
});
