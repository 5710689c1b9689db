import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const talkAction = defineAction({
  type: 'talk',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    text: field.text('What to say: plain text or SSML.'),
    language: field.text('Locale of the voice, for example en-US.'),
    gender: field.text('Gender of the voice.'),
    provider: field.text('Who makes the speech; empty: the call service chooses.'),
    voice_id: field.text('A voice of that provider.'),
    digits_handle: field.text('What a key does that is pressed meanwhile, for example next.'),
    async: field.flag('True: the flow goes on while the text is being said.'),
  }),
  doc: 'Speaks a text to the caller.',
});
