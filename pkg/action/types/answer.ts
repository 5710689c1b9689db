import { defineAction } from '../definition.ts';
import { NO_OPTION } from '../schema.ts';

export const answerAction = defineAction({
  type: 'answer',
  medium: 'rtc',
  by: 'caller',
  option: NO_OPTION,
  doc: 'Answers the call.',
});
