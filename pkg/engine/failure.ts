import type { ActionType } from '../action/definition.ts';
import { ActionFailure } from '../action/definition.ts';
import { FlowError, toFlowError } from '../error/index.ts';
import type { ErrorData } from '../model/activeflow.ts';
import { isSet } from '../model/id.ts';
import type { Json } from '../model/json.ts';
import type { Draft } from './draft.ts';
import { findTarget } from './stacks.ts';
import { withError } from './variables.ts';
import type { World } from './world.ts';

/**
 * An action has failed: its own on_error_target_id takes it, else its type goes on after failures, else the
 * flow ends with the error. False: it ended. Nothing fails silently: each way writes the trace.
 */
export function fail(
  draft: Draft,
  type: ActionType,
  error: ErrorData,
  world: World,
  line: { readonly since: number; readonly whole: boolean },
): boolean {
  draft.variables = withError(draft.variables, draft.current, error);
  const target = draft.current.on_error_target_id;
  const takes = isSet(target) ? findTarget(draft.stacks, draft.current_stack_id, target, world) : undefined;
  const said = `${error.reason}: ${error.message}`;
  if (takes) {
    draft.goTo(takes);
    draft.note('failed', `${said}; goes to on_error_target_id ${takes.action_id}`, world, line);
    return true;
  }
  if (type.on_failure === 'continue') {
    draft.note('failed', `${said}; goes on`, world, line);
    return true;
  }
  draft.note('failed', said, world, line);
  draft.error = error;
  draft.end();
  return false;
}

export function toErrorData(thrown: unknown): ErrorData {
  if (thrown instanceof ActionFailure) return thrown.error;
  const error = toFlowError(thrown);
  return {
    status: error.status,
    reason: error.reason,
    message: error.message,
    ...(error.details.length > 0 ? { details: error.details as unknown as readonly Json[] } : {}),
  };
}

export function exhaustedError(reason: string, message: string): ErrorData {
  return { status: 'RESOURCE_EXHAUSTED', reason, message };
}

export function fromErrorData(error: ErrorData): FlowError {
  return new FlowError(
    error.status as FlowError['status'],
    error.reason,
    error.message,
    error.details as unknown as FlowError['details'],
  );
}
