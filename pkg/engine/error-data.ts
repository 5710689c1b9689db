import { ActionFailure } from '../action/definition.ts';
import { cut, FlowError, toFlowError } from '../error/index.ts';
import type { ErrorData } from '../model/activeflow.ts';
import type { Json } from '../model/json.ts';

/** Errors as they are stored, and as they are thrown. */

/** Characters of an error's message that are kept: it may quote what another service has sent. */
const MESSAGE_LENGTH = 1_000;
const DETAILS_LENGTH = 4_000;

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

/** As it is stored. */
export function bounded(error: ErrorData): ErrorData {
  const { details, ...rest } = error;
  const few = details && JSON.stringify(details).length <= DETAILS_LENGTH;
  return { ...rest, message: cut(error.message, MESSAGE_LENGTH), ...(few ? { details } : {}) };
}
