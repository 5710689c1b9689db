import { defineAction } from '../definition.ts';
import { idForReason } from './sibling.ts';
import { TranscribeOption, transcribe } from './transcribe.ts';

export const transcribeStartAction = defineAction({
  type: 'transcribe_start',
  medium: 'rtc',
  by: 'manager',
  on_failure: 'continue',
  option: TranscribeOption,
  doc: 'Writes down what is said in the call from here on.',
  *decide({ activeflow, option }) {
    const answer = yield* transcribe(activeflow, option, 'call', activeflow.reference_id);
    return { kind: 'next', reason: `transcribe${idForReason(answer)} started` };
  },
});
