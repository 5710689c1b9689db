import type { Status } from '../error/index.ts';
import { ActionFailure } from './definition.ts';

/** A failure of the action itself, to be thrown inside `decide`. `reason` is one word in capitals, for programs. */
export function failure(status: Status, reason: string, message: string): ActionFailure {
  return new ActionFailure({ status, reason, message });
}
