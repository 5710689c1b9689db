import { ActionFailure, type Decision } from '../action/definition.ts';
import { isWorkflowCall, type WorkflowAnswer } from '../model/workflow.ts';
import type { Draft } from './draft.ts';
import { MOST_RESULT_BYTES } from './job.ts';
import { byteLength } from './variables.ts';
import type { World } from './world.ts';

/**
 * Keeps what an action answers: to the caller of a workflow, so that the next commit carries it, or as the result of a
 * job, until that ends. The first answer counts; why another one does not is told by the decision's reason.
 * Throws ActionFailure.
 */
export function respond<D extends Decision>(draft: Draft, decision: D, world: World): D {
  const { respond: answer, reason } = decision;
  if (!answer) return decision;
  const job = (draft.base.state.job?.name ?? '') !== '';
  if (!job && !isWorkflowCall(draft.base)) {
    return { ...decision, reason: `${reason}; nobody called this flow as a workflow, or started it as a job` };
  }
  if (draft.responded || draft.answered) return { ...decision, reason: `${reason}; too late: it was answered before` };
  checkSize(answer, job ? MOST_RESULT_BYTES : world.limits.variables_bytes);
  if (job) {
    draft.answered = answer;
    return decision;
  }
  draft.response = answer;
  draft.responded = true;
  return decision;
}

function checkSize({ data }: WorkflowAnswer, most: number): void {
  const bytes = byteLength(JSON.stringify(data));
  if (bytes <= most) return;
  const message = `data: expected at most ${most} bytes, got ${bytes}`;
  throw new ActionFailure({ status: 'INVALID_ARGUMENT', reason: 'RESPONSE_TOO_LARGE', message });
}
