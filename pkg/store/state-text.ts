import type { ActiveflowState, Answer, Moved, Outbox } from '../model/activeflow.ts';
import type { PendingHistory } from '../model/history.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import { TraceLines, traceAfter, traceJson } from '../model/trace.ts';
import type { Writable } from '../model/writable.ts';
import { jsonMembers } from './json-text.ts';

/**
 * State and outbox as the columns hold them. They are written at every commit, and most of them are the same answers
 * and lines of the trace as before: the common answer, an action that was handed over, is a pair, and the lines are a text
 * already. (Kept by object in a WeakMap it took longer than making it anew: 12 µs of a next, and the collector's time.)
 */
type StoredAnswer = Answer | readonly [key: string, step: number];

export function stateText(state: ActiveflowState): string {
  const stored: Writable<Omit<ActiveflowState, 'answers'>> & { answers: readonly StoredAnswer[] } = { ...state };
  // Set, not spread over: V8 defines anew what a spread has, with a call into its runtime for each.
  stored.answers = state.answers.map(storedAnswer);
  return JSON.stringify(stored);
}

/** Throws SyntaxError, UnknownForm. */
export function stateOfText(text: string): ActiveflowState {
  const value = objectOf(text);
  for (const [name, is] of Object.entries(STATE)) {
    if (!is(value[name])) throw new UnknownForm(`${name} is not as this version knows it`);
  }
  const state = value as unknown as Omit<ActiveflowState, 'answers'> & { readonly answers: readonly StoredAnswer[] };
  return { ...state, answers: state.answers.map(answerOf) };
}

/** Throws SyntaxError, UnknownForm. */
export function outboxOfText(text: string): Outbox {
  const value = objectOf(text);
  if (!Array.isArray(value.events) || !Array.isArray(value.trace)) throw new UnknownForm('it has no events or no trace');
  const lines = TraceLines.ofStored(value.trace);
  return { ...(value as unknown as Outbox), trace: lines ? [lines] : [] };
}

/** Throws SyntaxError, UnknownForm. */
export function objectOf(text: string): JsonObject {
  const value = JSON.parse(text) as Json;
  if (isJsonObject(value)) return value;
  throw new UnknownForm('it is no object');
}

/** JSON that is not of the form that this version writes; the message holds nothing of what is in it. */
export class UnknownForm extends Error {}

const isObjectOrNull = (value: unknown): boolean => value === null || isJsonObject(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value);
const isText = (value: unknown): boolean => typeof value === 'string';

/** What is looked at before it is known whether the row is to be walked or only shown; more would cost every read. */
const STATE: { readonly [name in keyof ActiveflowState]?: (value: unknown) => boolean } = {
  current: (value) => isJsonObject(value) && isText(value.id) && isText(value.type),
  current_stack_id: isText,
  stacks: (value) =>
    Array.isArray(value) && value.every((stack) => isJsonObject(stack) && isText(stack.id) && isText(stack.list)),
  forward: isObjectOrNull,
  previous: isText,
  step: isCount,
  loops: isJsonObject,
  run: isObjectOrNull,
  wait: isObjectOrNull,
  trace_seq: isCount,
  event_seq: isCount,
  answers: Array.isArray,
};

/** `moved`: what of it need not be written any more. */
export function outboxText({ events, trace, history }: Outbox, moved: Moved = NOTHING_MOVED): string {
  const due = events.filter((event) => event.seq > moved.event_seq);
  const lines = traceAfter(trace, moved.trace_seq);
  const kept = history ? `,"history":${historyText(history)}` : '';
  return `{"events":${JSON.stringify(due)},"trace":${traceJson(lines)}${kept}}`;
}

const NOTHING_MOVED: Moved = { event_seq: 0, trace_seq: 0 };

function historyText({ records, ...rest }: PendingHistory): string {
  return `${JSON.stringify(rest).slice(0, -1)},"records":[${jsonMembers(records)}]}`;
}

function storedAnswer(answer: Answer): StoredAnswer {
  const { key, step } = answer;
  const plain = answer.status_code === 200 && step !== undefined && answer.error === undefined;
  return plain && answer.tm_update === undefined && answer.tm_delete === undefined ? [key, step] : answer;
}

function answerOf(stored: StoredAnswer): Answer {
  return isPair(stored) ? { key: stored[0], status_code: 200, step: stored[1] } : stored;
}

function isPair(stored: StoredAnswer): stored is readonly [string, number] {
  return Array.isArray(stored);
}
