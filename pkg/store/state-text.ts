import type { ActiveflowState, Answer, Outbox } from '../model/activeflow.ts';
import type { PendingHistory } from '../model/history.ts';
import { jsonMembers } from './json-text.ts';

/**
 * State and outbox as the columns hold them. They are written at every commit, and most of them are the same answers
 * and trace steps as before: their JSON is kept, and the common answer, an action that was handed over, is a pair.
 */
type StoredAnswer = Answer | readonly [key: string, step: number];

export function stateText(state: ActiveflowState): string {
  const { answers, ...rest } = state;
  return `${JSON.stringify(rest).slice(0, -1)},"answers":[${jsonMembers(answers, answerText)}]}`;
}

export function stateOfText(text: string): ActiveflowState {
  const state = JSON.parse(text) as Omit<ActiveflowState, 'answers'> & { readonly answers: readonly StoredAnswer[] };
  return { ...state, answers: state.answers.map(answerOf) };
}

export function outboxText({ events, trace, history }: Outbox): string {
  const kept = history ? `,"history":${historyText(history)}` : '';
  return `{"events":${JSON.stringify(events)},"trace":[${jsonMembers(trace)}]${kept}}`;
}

function historyText({ records, ...rest }: PendingHistory): string {
  return `${JSON.stringify(rest).slice(0, -1)},"records":[${jsonMembers(records)}]}`;
}

function answerText(answer: Answer): string {
  const { key, step } = answer;
  const plain = answer.status_code === 200 && step !== undefined && answer.error === undefined;
  const pair = plain && answer.tm_update === undefined && answer.tm_delete === undefined;
  return pair ? `[${JSON.stringify(key)},${step}]` : JSON.stringify(answer);
}

function answerOf(stored: StoredAnswer): Answer {
  return isPair(stored) ? { key: stored[0], status_code: 200, step: stored[1] } : stored;
}

function isPair(stored: StoredAnswer): stored is readonly [string, number] {
  return Array.isArray(stored);
}
