import { snapshotOf } from '../../engine/draft.ts';
import { fromErrorData } from '../../engine/error-data.ts';
import type { Action } from '../../model/action.ts';
import { type Activeflow, type ActiveflowSnapshot, type Answer, FINISH } from '../../model/activeflow.ts';
import type { ActiveflowStore } from '../ports.ts';
import { traceOf } from './view.ts';

/** The action that a caller is given where an activeflow now stands. Throws the error that ended it. */
export function currentAnswer(row: Activeflow): Action {
  if (row.state.error) throw fromErrorData(row.state.error);
  return row.status === 'ended' ? FINISH : row.state.current;
}

/** The action that was answered at an earlier request of the same key. Throws the error that was answered. */
export async function answeredAction(row: Activeflow, answer: Answer, store: ActiveflowStore): Promise<Action> {
  const action = answerAtHand(row, answer);
  if (action) return action;
  const line = (await traceOf(row, store)).find((known) => known.step === answer.step);
  return line ? (line.action as Action) : FINISH;
}

/**
 * The same as far as the row itself tells it; undefined: the action stands in the trace. What was handed over stays
 * the answer when the flow is stopped afterwards.
 */
export function answerAtHand(row: Activeflow, answer: Answer): Action | undefined {
  if (answer.error) throw fromErrorData(answer.error);
  // Cut off while it was under way: the end is its answer.
  if (answer.step === undefined) return currentAnswer(row);
  return answer.step === row.state.step ? row.state.current : undefined;
}

/** What an ended or deleted activeflow looked like when it was answered: only its times have changed since. */
export function answeredSnapshot(row: Activeflow, answer: Answer): ActiveflowSnapshot {
  return { ...snapshotOf(row), tm_update: answer.tm_update ?? row.tm_update, tm_delete: answer.tm_delete ?? null };
}
