import { defineAction } from '../definition.ts';
import { NO_OPTION } from '../schema.ts';

export const transcribeStopAction = defineAction({
  type: 'transcribe_stop',
  medium: 'rtc',
  by: 'caller',
  option: NO_OPTION,
  doc: 'Stops the transcription that transcribe_start began.',
});
