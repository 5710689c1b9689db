import type { Action } from '../model/action.ts';
import { actionType } from './catalogue.ts';

/**
 * An action with variables in its option, as it may be shown: in traces, events and answers. Its list, where its
 * author wrote it down, shows it as it is.
 */
export function maskAction(action: Action): Action {
  const { option } = action;
  const mask = actionType(action.type)?.mask;
  return mask && option ? { ...action, option: mask(option) } : action;
}
