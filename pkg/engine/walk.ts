import { actionType } from '../action/catalogue.ts';
import type { ActionType } from '../action/definition.ts';
import { STATUS_CODES } from '../error/index.ts';
import type { ErrorData, Run } from '../model/activeflow.ts';
import { ACTION_FINISH } from '../model/id.ts';
import { type Acted, goesOn, type Walk } from './ask.ts';
import { arriving } from './begin.ts';
import { decideCurrent, performAfter, prepareOption } from './decide.ts';
import type { Draft } from './draft.ts';
import { exhaustedError } from './error-data.ts';
import { fallBack } from './failure.ts';
import { mediumProblem } from './medium.ts';
import { askOutside, namesOutside } from './prepare.ts';
import { isPaused } from './retry.ts';
import { actionOf, FINISH_POSITION, findStack, following } from './stacks.ts';
import type { World } from './world.ts';

/**
 * Walks until an action is the caller's, the flow waits, or it ends. The draft must have a run; afterwards it
 * has none, and its answer is recorded under the key of that run. Where a failed action is to be tried again later,
 * the run stays, and says when it is due.
 */
export function* walk(draft: Draft, outside: World): Walk<void> {
  const world = draft.within(outside);
  const { run } = draft;
  if (!run) throw new Error('a walk needs a run');
  let acted: Acted = yield* takeUp(draft, world);
  while (typeof acted === 'boolean' ? acted : yield* acted) acted = moveOn(draft, world) && actOnCurrent(draft, world);
  if (!isPaused(draft)) settle(draft, run, world);
}

/** Does what of the current action is not done yet. False: the walk is over. */
function* takeUp(draft: Draft, world: World): Walk<boolean> {
  const { run } = draft;
  if (run?.retry && isPaused(draft)) {
    draft.run = { ...run, retry: { ...run.retry, due: null } };
    // Of all who have waited for this moment, one goes on.
    if (run.after) yield { kind: 'checkpoint' };
  }
  if (run?.failing) return yield* fallBack(draft, world, world.now());
  if (run?.after && !(yield* performAfter(draft, world))) return false;
  return !draft.run || draft.run.stage === 'walking' || (yield* goesOn(actOnCurrent(draft, world)));
}

/** One move of the cursor. False: the walk is over. */
function moveOn(draft: Draft, world: World): boolean {
  const target =
    draft.forward ?? following(draft.stacks, { stack_id: draft.current_stack_id, action_id: draft.current.id }, world);
  const stack = findStack(draft.stacks, target.stack_id);
  const action = stack && actionOf(stack, target.action_id, world);
  if (target.action_id === ACTION_FINISH || target === FINISH_POSITION || !stack || !action) {
    draft.finish();
    draft.note('finished', 'nothing comes after the last action', world);
    return false;
  }
  const limit = overLimit(draft, world);
  if (limit) {
    draft.note('failed', limit.message, world);
    draft.error = limit;
    draft.end();
    return false;
  }
  draft.moveTo(action, stack.id);
  if (draft.run) draft.run = arriving(draft.run);
  return true;
}

/** What the action that the cursor is at does. False: the walk is over. */
function actOnCurrent(draft: Draft, world: World): Acted {
  const since = world.now();
  const type = actionType(draft.current.type);
  const passed = !type ? `unknown type ${draft.current.type}` : mediumProblem(type.medium, draft.base.reference_type);
  if (draft.run?.stage === 'substituting') {
    if (type && passed === undefined && namesOutside(draft.current)) return actAfterAsking(draft, type, world, since);
    prepareOption(draft, undefined);
  }
  if (!type || passed !== undefined) {
    draft.note('passed_over', passed ?? '', world, { whole: true, since });
    return true;
  }
  return decideCurrent(draft, type, world, since);
}

function* actAfterAsking(draft: Draft, type: ActionType, world: World, since: number): Walk<boolean> {
  prepareOption(draft, yield* askOutside(draft, draft.current, 0));
  return yield* goesOn(decideCurrent(draft, type, world, since));
}

function overLimit(draft: Draft, world: World): ErrorData | undefined {
  const { actions_per_activeflow, actions_per_request } = world.limits;
  if (draft.step >= actions_per_activeflow) {
    return exhaustedError('ACTIVEFLOW_TOO_LONG', `more than ${actions_per_activeflow} actions in one activeflow`);
  }
  if ((draft.run?.steps ?? 0) >= actions_per_request) {
    return exhaustedError('REQUEST_TOO_LONG', `more than ${actions_per_request} actions within one request`);
  }
  return undefined;
}

/** The walk is over: what the caller is answered is recorded with the state that it is the answer to. */
function settle(draft: Draft, run: Run, world: World): void {
  draft.run = null;
  draft.previous = run.asked;
  const { error } = draft;
  const status_code = error ? (STATUS_CODES[error.status as keyof typeof STATUS_CODES] ?? 500) : 200;
  draft.answer({ key: run.key, status_code, ...(error ? { error } : { step: draft.step }) }, world.limits.answers);
}
