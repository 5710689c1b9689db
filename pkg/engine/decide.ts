import { actionType } from '../action/catalogue.ts';
import { ActionFailure, type ActionType, type Deciding, type Decision } from '../action/definition.ts';
import type { Variables } from '../model/action.ts';
import { NIL } from '../model/id.ts';
import type { Acted, Walk } from './ask.ts';
import { awaitSignal } from './await.ts';
import { deciding } from './begin.ts';
import { beside, checkOptionOf, contextOf, decisionOf, performDeciding } from './deciding.ts';
import type { Draft } from './draft.ts';
import { checkedActions, enterStack, pushActions } from './enter.ts';
import { toErrorData } from './error-data.ts';
import { fail } from './failure.ts';
import { runBranches } from './parallel.ts';
import { AFTER_POSITION } from './positions.ts';
import { substituteOption } from './prepare.ts';
import { respond } from './respond.ts';
import { attemptOf, tryAgain } from './retry.ts';
import { findStack, findTarget } from './stacks.ts';
import { assignVariables } from './variables.ts';
import { formatTime, type World } from './world.ts';

/** Substitutes the option of the current action. `asked`: what was asked for beside the variables. */
export function prepareOption(draft: Draft, asked: Variables | undefined): void {
  const option = substituteOption(draft.current, asked ? { ...draft.variables, ...asked } : draft.variables);
  if (option) draft.current = { ...draft.current, option };
  if (draft.run) draft.run = deciding(draft.run);
}

/** Lets the current action decide, and applies what it decided. False: the walk is over. */
export function decideCurrent(draft: Draft, type: ActionType, world: World, since: number): Acted {
  try {
    checkOptionOf(type, draft.current.option);
    const decided = decisionOf(type, () => contextOf(draft, world));
    if (!('kind' in decided) || decided.kind === 'push' || decided.kind === 'parallel') {
      return decideByAsking(draft, type, decided, world, since);
    }
    return apply(draft, takeIn(draft, decided, world), world, since);
  } catch (thrown) {
    // Not tried again: what has failed by itself would fail again.
    return fail(draft, type, toErrorData(thrown), world, { since, whole: true });
  }
}

function* decideByAsking(
  draft: Draft,
  type: ActionType,
  decided: Decision | Deciding,
  world: World,
  since: number,
): Walk<boolean> {
  const asked = { any: false };
  try {
    const decision = 'kind' in decided ? decided : yield* performDeciding(draft, decided, 0, asked);
    if (decision.kind === 'parallel') asked.any = true;
    const taken = takeIn(draft, decision, world);
    if (taken.kind === 'push') return yield* push(draft, taken, world, since);
    if (taken.kind !== 'parallel') return apply(draft, taken, world, since);
    const { set, reason } = yield* runBranches(draft, taken, world);
    draft.variables = assignVariables(draft.variables, set, world.limits, '/variables');
    draft.note('run', reason, world, { whole: true, since });
    return true;
  } catch (thrown) {
    const error = toErrorData(thrown);
    if (asked.any && tryAgain(draft, error, world, since)) return false;
    return yield* fail(draft, type, error, world, { since, whole: true });
  }
}

/** What a decision brings besides where the flow goes. */
function takeIn<D extends Decision>(draft: Draft, decided: D, world: World): D {
  const decision = respond(draft, decided, world);
  if (decision.set) draft.variables = assignVariables(draft.variables, decision.set, world.limits, '/variables');
  beside(draft, decision, world);
  return decision;
}

type Push = Extract<Decision, { kind: 'push' }>;
type Simple = Exclude<Decision, { kind: 'push' | 'parallel' }>;

/** False: the walk is over. */
function apply(draft: Draft, decision: Simple, world: World, since: number): boolean {
  const whole = { whole: true, since };
  switch (decision.kind) {
    case 'hand_over':
      draft.note('handed_over', decision.reason, world, whole);
      return false;
    case 'next':
      draft.note('run', decision.reason, world, whole);
      return true;
    case 'loop_done':
      draft.setLoops(draft.place, 0);
      draft.note('run', decision.reason, world, whole);
      return true;
    case 'jump':
      jump(draft, decision.target, world);
      if (decision.loops !== undefined) draft.setLoops(draft.place, decision.loops);
      draft.note('jumped', decision.reason, world, whole);
      return true;
    case 'wait': {
      draft.wait =
        decision.ms === undefined
          ? { kind: 'block', due: null }
          : { kind: 'timer', due: formatTime(Math.ceil(world.now() + decision.ms)) };
      draft.note('waiting', decision.reason, world, whole);
      return false;
    }
    case 'await':
      return awaitSignal(draft, decision, world, since);
    case 'finish':
      draft.note('run', decision.reason, world, whole);
      draft.finish();
      return false;
  }
}

function jump(draft: Draft, target: string, world: World): void {
  const found = findTarget(draft.stacks, draft.current_stack_id, target, world);
  if (!found) {
    throw new ActionFailure({
      status: 'INVALID_ARGUMENT',
      reason: 'TARGET_NOT_FOUND',
      message: `no action ${target} in the current stack or those it returns to`,
    });
  }
  draft.goTo(found);
}

function* push(draft: Draft, decision: Push, world: World, since: number): Walk<boolean> {
  const entered = pushDecided(draft, decision, world);
  draft.note(entered ? 'pushed' : 'run', entered ? decision.reason : `${decision.reason}; nothing to push`, world, {
    whole: true,
    since,
  });
  if (!decision.after || !draft.run) return true;
  const stack_id = entered ? (draft.forward?.stack_id ?? NIL) : NIL;
  draft.run = { ...draft.run, stage: 'walking', after: { ...decision.after, stack_id } };
  yield { kind: 'checkpoint' };
  return yield* performAfter(draft, world);
}

function pushDecided(draft: Draft, decision: Push, world: World): boolean {
  if (decision.list !== undefined) return enterStack(draft, { list: decision.list, shared: true }, decision.stack_id, world);
  return pushActions(draft, checkedActions(decision.actions, world), decision.stack_id, world);
}

/** Sends what had to wait until the push was stored: the sibling may act on it before it has answered. */
export function* performAfter(draft: Draft, world: World): Walk<boolean> {
  const after = draft.run?.after;
  const type = actionType(draft.current.type);
  if (!after || !type) return true;
  const since = world.now();
  const { stack_id, ...request } = after;
  const effect = { kind: 'request', ...request, method: after.method as 'POST' } as const;
  const answer = yield { kind: 'effect', effect, step: draft.step, position: AFTER_POSITION, ...attemptOf(draft) };
  // Only this is tried again: what was pushed stays, and is told of once more.
  if (answer && !answer.ok && tryAgain(draft, answer.error, world, since)) return false;
  if (draft.run) {
    const { after: _, ...run } = draft.run;
    draft.run = run;
  }
  if (!answer || answer.ok) return true;
  const pushed = findStack(draft.stacks, stack_id);
  if (pushed) draft.dropStack(pushed, world);
  return yield* fail(draft, type, answer.error, world, { since, whole: false });
}
