import { ActionFailure, type Decision } from '../action/definition.ts';
import { isWorkflowCall } from '../model/workflow.ts';
import type { Draft } from './draft.ts';
import type { World } from './world.ts';

/**
 * Keeps what an action answers the caller of a workflow, so that the next commit carries it. The first answer counts;
 * why another one does not is told by the decision's reason. Throws ActionFailure.
 */
export function respond(draft: Draft, decision: Decision, world: World): Decision {
  const { respond: answer, reason } = decision;
  if (!answer) return decision;
  if (!isWorkflowCall(draft.base)) return { ...decision, reason: `${reason}; nobody called this flow as a workflow` };
  if (draft.responded) return { ...decision, reason: `${reason}; too late: this call was answered before` };
  const bytes = new TextEncoder().encode(JSON.stringify(answer.data)).length;
  if (bytes > world.limits.variables_bytes) {
    throw new ActionFailure({
      status: 'INVALID_ARGUMENT',
      reason: 'RESPONSE_TOO_LARGE',
      message: `data: expected at most ${world.limits.variables_bytes} bytes, got ${bytes}`,
    });
  }
  draft.response = answer;
  draft.responded = true;
  return decision;
}
