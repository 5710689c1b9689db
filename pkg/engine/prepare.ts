import { actionType } from '../action/catalogue.ts';
import { coerceOption } from '../action/option.ts';
import type { Action, Variables } from '../model/action.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import { PARTICIPANT } from '../model/participant.ts';
import type { Walk } from './ask.ts';
import type { Draft } from './draft.ts';
import { PARTICIPANT_POSITION, SUBSTITUTION_POSITION } from './positions.ts';
import { mentions, REFERENCE_DATA, substituteObject } from './substitute.ts';

/**
 * The option of an action with its variables in it. What is no variable of the activeflow is asked for first, and only
 * where the option names it. `offset`: where the positions of this action begin.
 */
export function* substituteOption(
  draft: Draft,
  action: Action,
  known: Variables,
  offset: number,
  mayAsk: boolean,
): Walk<JsonObject | undefined> {
  if (!action.option) return undefined;
  const [now, later] = split(action.option, actionType(action.type)?.later ?? NO_NAMES);
  let variables = known;
  if (mayAsk && mentions(now, REFERENCE_DATA)) {
    variables = { ...variables, [REFERENCE_DATA]: yield* referenceData(draft, offset) };
  }
  if (mayAsk && mentions(now, PARTICIPANT)) variables = { ...variables, ...(yield* participantData(draft, offset)) };
  const substituted = substituteObject(now, variables);
  return coerceOption(action.type, later === NOTHING ? substituted : { ...substituted, ...later }, action.option);
}

const NOTHING: JsonObject = {};
const NO_NAMES: readonly string[] = [];

/** What is substituted now, and what later. */
function split(option: JsonObject, names: readonly string[]): [JsonObject, JsonObject] {
  if (names.length === 0) return [option, NOTHING];
  const entries = Object.entries(option);
  const later = entries.filter(([name]) => names.includes(name));
  return [Object.fromEntries(entries.filter(([name]) => !names.includes(name))), Object.fromEntries(later)];
}

/** The call or conversation as its sibling shows it; nothing where there is none or it does not answer. */
function* referenceData(draft: Draft, offset: number): Walk<Json> {
  const { reference_type, reference_id } = draft.base;
  const source =
    reference_type === 'call' ? ['call', 'calls'] : reference_type === 'conversation' ? ['conversation', 'conversations'] : [];
  const [to, resource] = source;
  if (to === undefined) return null;
  yield { kind: 'checkpoint' };
  const effect = { kind: 'request', to, method: 'GET', uri: `/v1/${resource}/${reference_id}` } as const;
  const answer = yield { kind: 'effect', effect, step: draft.step, position: offset + SUBSTITUTION_POSITION };
  return answer?.ok ? answer.value : null;
}

/** What the participant has, as variables of the names by which it is read. */
function* participantData(draft: Draft, offset: number): Walk<Variables> {
  yield { kind: 'checkpoint' };
  const effect = { kind: 'participant' } as const;
  const answer = yield { kind: 'effect', effect, step: draft.step, position: offset + PARTICIPANT_POSITION };
  if (!answer?.ok || !isJsonObject(answer.value)) return {};
  const entries = Object.entries(answer.value);
  return Object.fromEntries(
    entries.map(([key, entry]) => [`${PARTICIPANT}.${key}`, isJsonObject(entry) ? (entry.value ?? null) : null]),
  );
}
