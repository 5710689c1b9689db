import { isSet, isUuid } from '../../model/id.ts';
import { defineAction } from '../definition.ts';
import { answerInvalid, askObject, listOf, request } from './sibling.ts';
import { TranscribeOption, transcribe } from './transcribe.ts';

export const transcribeRecordingAction = defineAction({
  type: 'transcribe_recording',
  medium: 'any',
  by: 'manager',
  on_failure: 'continue',
  option: TranscribeOption,
  doc: 'Writes down what is said in the recordings that were made of the call so far.',
  *decide({ activeflow, option }) {
    if (activeflow.reference_type !== 'call' || !isSet(activeflow.reference_id)) {
      return { kind: 'next', reason: `reference_type "${activeflow.reference_type}" is no call: nothing to transcribe` };
    }
    const get = request('call', 'GET', `/v1/calls/${activeflow.reference_id}`);
    const call = yield* askObject(get);
    const recordings = listOf(get, call, 'recording_ids').map((id) => {
      if (!isUuid(id)) throw answerInvalid(get, 'recording_ids as a list of UUIDs', call.recording_ids);
      return id;
    });
    for (const id of recordings) yield* transcribe(activeflow, option, 'recording', id);
    return { kind: 'next', reason: `${recordings.length} ${recordings.length === 1 ? 'recording' : 'recordings'}` };
  },
});
