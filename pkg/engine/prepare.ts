import { actionType } from '../action/catalogue.ts';
import { coerceOption } from '../action/option.ts';
import type { Action, Variables } from '../model/action.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import { PARTICIPANT } from '../model/participant.ts';
import type { Walk } from './ask.ts';
import type { Draft } from './draft.ts';
import { PARTICIPANT_POSITION, SUBSTITUTION_POSITION } from './positions.ts';
import { mentions, REFERENCE_DATA, someText, substituteObject } from './substitute.ts';

/** The option of an action with its variables in it; what holds actions for later stays as it is. */
export function substituteOption({ type, option }: Action, variables: Variables): JsonObject | undefined {
  if (!option) return undefined;
  const [now, later] = split(option, laterOf(type));
  const substituted = substituteObject(now, variables);
  return coerceOption(type, later === NOTHING ? substituted : { ...substituted, ...later }, option);
}

/** Whether the option names what is no variable of the activeflow: `askOutside` asks for it. */
export function namesOutside({ type, option }: Action): boolean {
  // Most options name nothing of it, wherever: they are looked through once, and without copies.
  if (!option || !someText(option, mayNameOutside)) return false;
  const [now] = split(option, laterOf(type));
  return mentions(now, REFERENCE_DATA) || mentions(now, PARTICIPANT);
}

/** What the option names and others know, as variables. `offset`: where the positions of this action begin. */
export function* askOutside(draft: Draft, { type, option }: Action, offset: number): Walk<Variables> {
  const [now] = split(option ?? NOTHING, laterOf(type));
  const reference: Variables = mentions(now, REFERENCE_DATA) ? { [REFERENCE_DATA]: yield* referenceData(draft, offset) } : {};
  return mentions(now, PARTICIPANT) ? { ...reference, ...(yield* participantData(draft, offset)) } : reference;
}

function mayNameOutside(text: string): boolean {
  return text.includes(REFERENCE_DATA) || text.includes(PARTICIPANT);
}

function laterOf(type: string): readonly string[] {
  return actionType(type)?.later ?? NO_NAMES;
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
