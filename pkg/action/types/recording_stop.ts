import { defineAction } from '../definition.ts';
import { NO_OPTION } from '../schema.ts';

export const recordingStopAction = defineAction({
  type: 'recording_stop',
  medium: 'rtc',
  by: 'caller',
  option: NO_OPTION,
  doc: 'Stops the recording that recording_start began.',
});
