import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const recordingStartAction = defineAction({
  type: 'recording_start',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    format: field.text('Audio format: wav, mp3 or ogg.'),
    end_of_silence: field.count('Ends after so many seconds of silence; 0: never.'),
    end_of_key: field.text('The key that ends it: none, any, * or #.'),
    duration: field.count('Ends after so many seconds; 0: no limit.'),
    beep_start: field.flag('True: a beep says that it begins.'),
    on_end_flow_id: field.id('Flow that is started when the recording is there.'),
  }),
  doc: 'Starts to record the call.',
});
