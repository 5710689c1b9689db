/** `POST /v1/transcribes` of the transcribe manager, for a call that goes on and for recordings of one. */
import { type Static, Type } from 'typebox';
import type { Json } from '../../model/json.ts';
import type { ActionContext, Effect, EffectAnswer } from '../definition.ts';
import { field } from '../schema.ts';
import { given, idOrNil, textOrNothing } from './shared.ts';
import { askAnything, request } from './sibling.ts';

export const TranscribeOption = Type.Object({
  language: field.text('Language spoken, as en-US.'),
  direction: field.text('Whose words: in, out or both (default).'),
  provider: field.text('Whose speech recognition.'),
  on_end_flow_id: field.id('The flow that runs when it has ended.'),
});

export function* transcribe(
  activeflow: ActionContext['activeflow'],
  option: Static<typeof TranscribeOption>,
  reference_type: 'call' | 'recording',
  reference_id: string,
): Generator<Effect, Json, EffectAnswer> {
  const data = given({
    customer_id: activeflow.customer_id,
    activeflow_id: activeflow.id,
    on_end_flow_id: idOrNil(option.on_end_flow_id),
    reference_type,
    reference_id,
    language: option.language ?? '',
    direction: textOrNothing(option.direction) ?? 'both',
    provider: textOrNothing(option.provider),
  });
  return yield* askAnything(request('transcribe', 'POST', '/v1/transcribes', data, { timeout_ms: 30_000 }));
}
