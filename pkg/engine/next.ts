import { conflict, type FlowError } from '../error/index.ts';
import type { Activeflow, Answer } from '../model/activeflow.ts';
import { isSet } from '../model/id.ts';

/** What a request for the next action is to an activeflow, before anything is changed. */
export type NextVerdict =
  /** It names the current action: walk on. */
  | { readonly kind: 'advance' }
  /** It was answered before, by its key: the same again. */
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** A retry whose answer was lost: the current action again; after the end, finish or the error that ended it. */
  | { readonly kind: 'again' }
  /** The same request is under way, in this process or another: its answer is the answer. */
  | { readonly kind: 'under_way' }
  | { readonly kind: 'refused'; readonly error: FlowError };

/**
 * `asked` is the action that the caller has just finished, `key` its request key. The same key always gets the
 * same answer. Where the action before and the current one have one id, a new key is an advance.
 */
export function considerNext(activeflow: Activeflow, asked: string, key: string): NextVerdict {
  const { state } = activeflow;
  const answer = key === '' ? undefined : state.answers.find((known) => known.key === key);
  if (answer) return { kind: 'answered', answer };
  if (state.run) return state.run.asked === asked ? { kind: 'under_way' } : refuse(activeflow, asked);
  const running = activeflow.status === 'running';
  if (running && asked === state.current.id && !state.wait) return { kind: 'advance' };
  if (isSet(asked) && asked === state.previous) return { kind: 'again' };
  return refuse(activeflow, asked);
}

function refuse(activeflow: Activeflow, asked: string): NextVerdict {
  const { state, status } = activeflow;
  const expected = status === 'ended' ? 'nothing: it has ended' : `the current action ${state.current.id}`;
  const detail = { field: 'current_action_id', value: asked, expected };
  if (status === 'ended') {
    return { kind: 'refused', error: conflict('ACTIVEFLOW_ENDED', `activeflow ${activeflow.id} has ended`, [detail]) };
  }
  if (state.wait && asked === state.current.id) {
    const message = `activeflow ${activeflow.id} waits at ${state.current.type} ${state.current.id}`;
    return { kind: 'refused', error: conflict('ACTIVEFLOW_WAITING', message, [detail]) };
  }
  const message = `current_action_id ${asked} is not where activeflow ${activeflow.id} is: expected ${expected}`;
  return { kind: 'refused', error: conflict('CURRENT_ACTION_MISMATCH', message, [detail]) };
}
