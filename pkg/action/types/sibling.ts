/** Asking a sibling manager and reading what it answers: shared by all action types that do so. */
import { shorten } from '../../error/index.ts';
import { isSet, isUuid, NIL } from '../../model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts';
import { type ActionFailure, ask, type Decision, type Effect, type EffectAnswer } from '../definition.ts';
import { failure } from '../fail.ts';

export type SiblingEffect = Extract<Effect, { kind: 'request' }>;

/** A request to a sibling as an effect; `data` absent: none is sent. */
export function request(
  to: string,
  method: SiblingEffect['method'],
  uri: string,
  data?: JsonObject,
  options: { readonly timeout_ms?: number; readonly wait?: boolean } = {},
): SiblingEffect {
  return { kind: 'request', to, method, uri, ...(data === undefined ? {} : { data }), ...options };
}

/** Asks and returns the answer, which must be an object; throws ActionFailure otherwise. */
export function* askObject(effect: SiblingEffect): Generator<Effect, JsonObject, EffectAnswer> {
  const answer = yield* ask(effect);
  if (!isJsonObject(answer)) throw answerInvalid(effect, 'an object', answer);
  return answer;
}

/**
 * Asks, and takes any answer: for requests whose answer holds nothing that the flow needs. Failing there over
 * an odd body would repeat what the sibling has already done.
 */
export function* askAnything(effect: SiblingEffect): Generator<Effect, Json, EffectAnswer> {
  return yield* ask(effect);
}

/** The sibling answered, but with something that this service cannot use. The caller is told 503. */
export function answerInvalid(effect: SiblingEffect, expected: string, got: unknown): ActionFailure {
  const message = `${effect.to}-manager answered ${effect.method} ${effect.uri} with ${shorten(got)}; expected ${expected}`;
  return failure('UNAVAILABLE', 'SIBLING_ANSWER_INVALID', message);
}

/** The id of what the sibling made or found. */
export function idOf(effect: SiblingEffect, answer: JsonObject): string {
  const id = answer.id;
  if (!isUuid(id) || !isSet(id)) throw answerInvalid(effect, 'an object with an id (UUID)', answer);
  return id;
}

/** A list of the answer; siblings write null for an empty one. */
export function listOf(effect: SiblingEffect, answer: JsonObject, key: string): readonly Json[] {
  const list = answer[key] ?? [];
  if (!Array.isArray(list)) throw answerInvalid(effect, `${key} as a list`, answer);
  return list as readonly Json[];
}

/** A text of the answer. */
export function textOf(effect: SiblingEffect, answer: JsonObject, key: string): string {
  const text = answer[key];
  if (typeof text !== 'string') throw answerInvalid(effect, `${key} as text`, answer);
  return text;
}

/** The id for a reason, when the answer shows one. */
export function idForReason(answer: Json): string {
  return isJsonObject(answer) && isUuid(answer.id) ? ` ${answer.id}` : '';
}

/** What a service (a queue, a conference, an AI) wants the flow to do while the caller is with it. */
interface Service {
  readonly id: string | undefined;
  readonly actions: readonly Json[];
}

/** Starts a service: `POST /v1/services/type/<type>`. Its id may be absent: then nothing can stop it by id. */
export function* startService(effect: SiblingEffect): Generator<Effect, Service, EffectAnswer> {
  const answer = yield* askObject(effect);
  const named = answer.id !== undefined && answer.id !== null && answer.id !== '' && answer.id !== NIL;
  return { id: named ? idOf(effect, answer) : undefined, actions: listOf(effect, answer, 'push_actions') };
}

/**
 * Pushes what the service asked for, as a stack of the service's own id, by which `service_stop` finds it.
 * A service with nothing to do lets the flow go on.
 */
export function pushService(service: Service, what: string): Decision {
  const named = service.id === undefined ? what : `${what} ${service.id}`;
  if (service.actions.length === 0) return { kind: 'next', reason: `${named}: nothing to push` };
  return {
    kind: 'push',
    reason: `${named}: ${service.actions.length} ${service.actions.length === 1 ? 'action' : 'actions'}`,
    actions: service.actions,
    ...(service.id === undefined ? {} : { stack_id: service.id }),
  };
}
