/** Which AI an action means: an `ai` or a `team` by id, or, in older flows, an ai by `ai_id` alone. */
import { isSet } from '../../model/id.ts';
import type { JsonObject } from '../../model/json.ts';
import { field } from '../schema.ts';
import { idOrNil } from './shared.ts';

export const Assistance = {
  assistance_type: field.text('Ai or team.'),
  assistance_id: field.id('The AI or team.'),
  ai_id: field.id('An AI, where assistance_id is absent (old).'),
};

interface AssistanceOption {
  readonly assistance_type?: string;
  readonly assistance_id?: string;
  readonly ai_id?: string;
}

export function assistanceJson(option: AssistanceOption): JsonObject {
  if (!isSet(option.assistance_id) && isSet(option.ai_id)) return { assistance_type: 'ai', assistance_id: idOrNil(option.ai_id) };
  return { assistance_type: option.assistance_type ?? '', assistance_id: idOrNil(option.assistance_id) };
}
