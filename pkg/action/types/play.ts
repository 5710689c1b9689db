import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const playAction = defineAction({
  type: 'play',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    stream_urls: field.texts('Addresses of the files.'),
  }),
  doc: 'Plays audio files to the caller, one after the other.',
});
