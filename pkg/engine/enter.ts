import { checkActions } from '../action/check.ts';
import { ActionFailure } from '../action/definition.ts';
import type { Action } from '../model/action.ts';
import type { Awaited, Stack } from '../model/activeflow.ts';
import { isUuid } from '../model/id.ts';
import type { Draft } from './draft.ts';
import { exhaustedError } from './error-data.ts';
import { findStack } from './stacks.ts';
import type { World } from './world.ts';

/** Puts actions in a stack of their own that is entered next. False: there are none. Throws ActionFailure over the limit. */
export function pushActions(
  draft: Draft,
  actions: readonly Action[],
  stackId: string | undefined,
  world: World,
  awaits?: Awaited,
): boolean {
  if (actions.length === 0) return false;
  const key = world.newId();
  draft.addList(key, actions);
  return enterStack(draft, { list: key, shared: false, ...(awaits && { awaits }) }, stackId, world);
}

/** Puts a list before everything else. False: it has no actions. Throws ActionFailure over the limit. */
export function enterStack(
  draft: Draft,
  list: Pick<Stack, 'list' | 'shared' | 'awaits'>,
  stackId: string | undefined,
  world: World,
): boolean {
  if (draft.stacks.length >= world.limits.stacks) {
    throw new ActionFailure(exhaustedError('TOO_MANY_STACKS', `more than ${world.limits.stacks} stacks`));
  }
  const id = isUuid(stackId) && !findStack(draft.stacks, stackId) ? stackId : world.newId();
  // A target that waits already is where the new stack returns to: it was promised first, and must not be lost.
  const back = draft.forward;
  const stack: Stack = {
    id,
    ...list,
    return_stack_id: back?.stack_id ?? draft.current_stack_id,
    return_action_id: back?.action_id ?? draft.current.id,
    ...(back ? { return_exact: true } : {}),
  };
  const first = world.list(stack).actions[0];
  if (!first) return false;
  draft.stacks = [...draft.stacks, stack];
  draft.forward = { stack_id: id, action_id: first.id };
  return true;
}

/** Actions from outside, checked and with ids. Throws FlowError. */
export function checkedActions(actions: unknown, world: World): Action[] {
  const checked = checkActions(actions ?? [], {
    path: '/actions',
    maxActions: world.limits.actions_per_list,
    newId: world.newId,
    unknownTypes: 'keep',
    templates: true,
  });
  return checked.actions;
}
