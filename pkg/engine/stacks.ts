import type { Action } from '../model/action.ts';
import type { Position, Stack } from '../model/activeflow.ts';
import { ACTION_FINISH, ACTION_START, isSet, MAIN_STACK } from '../model/id.ts';
import type { World } from './world.ts';

/**
 * The call stack of an activeflow. A stack is a list of actions and a return address: the place in another
 * stack after which the walk goes on when the list is at its end. The main stack has none: after it, finish.
 */

/** After the last action. In the main stack, so that what returns there still has the main stack around it. */
export const FINISH_POSITION: Position = { stack_id: MAIN_STACK, action_id: ACTION_FINISH };

type Lists = Pick<World, 'list'>;

export function findStack(stacks: readonly Stack[], id: string): Stack | undefined {
  for (const stack of stacks) if (stack.id === id) return stack;
  return undefined;
}

export function actionOf(stack: Stack, actionId: string, world: Lists): Action | undefined {
  const list = world.list(stack);
  const position = list.positions.get(actionId);
  return position === undefined ? undefined : list.actions[position];
}

/** Looks for an action in a stack, then outward by return addresses. */
export function findTarget(stacks: readonly Stack[], from: string, actionId: string, world: Lists): Position | undefined {
  for (const stack of outward(stacks, from)) {
    if (world.list(stack).positions.has(actionId)) return { stack_id: stack.id, action_id: actionId };
  }
  return undefined;
}

/** A stack and those it returns to, innermost first. Ends even when a broken row returns in a circle. */
export function outward(stacks: readonly Stack[], from: string): readonly Stack[] {
  // Most walks are in the main stack, and at each step this is asked.
  if (stacks.length === 1 && stacks[0]?.id === from) return stacks;
  const chain: Stack[] = [];
  for (let stack = findStack(stacks, from); stack && !chain.includes(stack); stack = findStack(stacks, stack.return_stack_id)) {
    chain.push(stack);
  }
  return chain;
}

/** Leaving a stack drops it: what stays is the given stacks and what they return to, in their old order. */
export function keepReachable(stacks: readonly Stack[], ...from: readonly string[]): readonly Stack[] {
  if (stacks.length === 1) return stacks;
  const chain = new Set(from.flatMap((id) => outward(stacks, id)));
  return chain.size === stacks.length ? stacks : stacks.filter((stack) => chain.has(stack));
}

/**
 * What comes after an action by the order: its next_id, else the following action, else the first one again where a
 * list plays in a loop, else what comes after the return address, and after the main stack finish. An unknown next_id
 * finishes.
 */
export function following(stacks: readonly Stack[], from: Position, world: Lists): Position {
  let at = from;
  for (const stack of outward(stacks, from.stack_id)) {
    const next = followingInside(stacks, stack, at.action_id, world);
    if (next) return next;
    if (!isSet(stack.return_stack_id)) return FINISH_POSITION;
    at = { stack_id: stack.return_stack_id, action_id: stack.return_action_id };
    if (stack.return_exact) return at;
  }
  return FINISH_POSITION;
}

function followingInside(stacks: readonly Stack[], stack: Stack, actionId: string, world: Lists): Position | undefined {
  const list = world.list(stack);
  const position = actionId === ACTION_START ? -1 : list.positions.get(actionId);
  if (position === undefined) return undefined;
  const nextId = list.actions[position]?.next_id;
  if (isSet(nextId)) return findTarget(stacks, stack.id, nextId, world) ?? FINISH_POSITION;
  const next = list.actions[position + 1] ?? (stack.awaits && list.actions[0]);
  return next && { stack_id: stack.id, action_id: next.id };
}
