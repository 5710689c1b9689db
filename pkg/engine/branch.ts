import { actionType } from '../action/catalogue.ts';
import type { ActionType, Branch, Decision } from '../action/definition.ts';
import { ActionFailure } from '../action/definition.ts';
import type { Action, Variables } from '../model/action.ts';
import type { BranchState, ErrorData } from '../model/activeflow.ts';
import { isSet } from '../model/id.ts';
import type { JsonObject } from '../model/json.ts';
import type { Walk } from './ask.ts';
import { beside, checkOptionOf, contextOf, decisionOf, performDeciding } from './deciding.ts';
import type { Draft } from './draft.ts';
import { exhaustedError, toErrorData } from './error-data.ts';
import { mediumProblem } from './medium.ts';
import { branchOffset } from './positions.ts';
import { askOutside, namesOutside, substituteOption } from './prepare.ts';
import { assignVariables, isErrorVariable, withError } from './variables.ts';
import type { World } from './world.ts';

/** Where a branch says how far it is, so that a checkpoint can store it. */
export interface Seat {
  state: BranchState;
}

export interface BranchWalk {
  readonly branch: Branch;
  /** Its place among the others. */
  readonly index: number;
  readonly seat: Seat;
  readonly world: World;
}

/** Walks one list of actions to its end. It moves within this list only, and never throws: what it fails with is its state's. */
export function* walkBranch(draft: Draft, walk: BranchWalk): Walk<void> {
  const { branch, seat, world } = walk;
  for (let action = branch.actions[seat.state.at]; action; action = branch.actions[seat.state.at]) {
    if (seat.state.error) return;
    if (seat.state.walked >= world.limits.actions_per_request) {
      const message = `more than ${world.limits.actions_per_request} actions in one branch`;
      failBranch(draft, walk, action, undefined, exhaustedError('BRANCH_TOO_LONG', message));
      return;
    }
    yield* walkAction(draft, walk, action);
  }
}

function* walkAction(draft: Draft, walk: BranchWalk, action: Action): Walk<void> {
  const { branch, seat, world } = walk;
  const since = world.now();
  const type = actionType(action.type);
  const passed = !type ? `unknown type ${action.type}` : mediumProblem(type.medium, draft.base.reference_type);
  if (!type || passed !== undefined) {
    draft.note('passed_over', `${branch.name}: ${passed}`, world, { about: action, since });
    move(walk, after(branch, seat.state.at));
    return;
  }
  const offset = branchOffset(walk.index, seat.state.walked);
  try {
    const option = seat.state.option ?? (yield* optionOf(draft, action, seat, offset)) ?? {};
    seat.state = { ...seat.state, option };
    checkOptionOf(type, option);
    const context = () => ({ ...contextOf(draft, world), ...viewOf(draft, walk, { ...action, option }) });
    const decided = decisionOf(type, context);
    const decision = 'kind' in decided ? decided : yield* performDeciding(draft, decided, offset, { any: false });
    apply(draft, walk, action, decision);
    draft.note(decision.kind === 'jump' ? 'jumped' : 'run', `${branch.name}: ${decision.reason}`, world, {
      about: action,
      since,
    });
  } catch (thrown) {
    failBranch(draft, walk, action, type, toErrorData(thrown));
  }
}

function* optionOf(draft: Draft, action: Action, seat: Seat, offset: number): Walk<JsonObject | undefined> {
  if (!namesOutside(action)) return substituteOption(action, known(draft, seat));
  const asked = yield* askOutside(draft, action, offset);
  return substituteOption(action, { ...known(draft, seat), ...asked });
}

/** The variables as this branch sees them: what other branches set is not among them. */
function known(draft: Draft, seat: Seat): Variables {
  return { ...draft.variables, ...seat.state.set };
}

function viewOf(draft: Draft, { branch, seat }: BranchWalk, action: Action) {
  return {
    action,
    option: action.option ?? {},
    variables: known(draft, seat),
    loops: seat.state.loops[action.id] ?? 0,
    actionAt: (index: number) => branch.actions[index]?.id,
  };
}

function apply(draft: Draft, walk: BranchWalk, action: Action, decision: Decision): void {
  const { branch, seat, world } = walk;
  const target = targetOf(branch, seat.state.at, decision);
  if (decision.set) {
    assignVariables(known(draft, seat), decision.set, world.limits, '/variables');
    seat.state = { ...seat.state, set: { ...seat.state.set, ...decision.set } };
  }
  beside(draft, decision, world);
  if (decision.kind === 'loop_done') setLoops(seat, action.id, 0);
  if (decision.kind === 'jump' && decision.loops !== undefined) setLoops(seat, action.id, decision.loops);
  move(walk, target);
}

/** Position of the action that comes next. Throws ActionFailure when the decision is none for a branch. */
function targetOf(branch: Branch, at: number, decision: Decision): number {
  if (decision.kind === 'next' || decision.kind === 'loop_done') return after(branch, at);
  if (decision.kind === 'finish') return branch.actions.length;
  if (decision.kind === 'jump') {
    const found = branch.actions.findIndex(({ id }) => id === decision.target);
    if (found >= 0) return found;
    throw failure('TARGET_NOT_FOUND', `no action ${decision.target} in branch ${branch.name}: jumps stay in their branch`);
  }
  throw failure('NOT_IN_A_BRANCH', `${branch.actions[at]?.type} cannot do in a branch what it would do here (${decision.kind})`);
}

/** By its next_id, which must be in the branch, else the following one. */
function after(branch: Branch, at: number): number {
  const next = branch.actions[at]?.next_id;
  if (!isSet(next)) return at + 1;
  const found = branch.actions.findIndex(({ id }) => id === next);
  return found >= 0 ? found : branch.actions.length;
}

function move({ seat }: BranchWalk, at: number): void {
  const { option: _, ...state } = seat.state;
  seat.state = { ...state, at, walked: state.walked + 1 };
}

function setLoops(seat: Seat, id: string, count: number): void {
  seat.state = { ...seat.state, loops: { ...seat.state.loops, [id]: count } };
}

/** As a failure in the flow itself: its target takes it, else its type goes on, else the branch is over. */
function failBranch(draft: Draft, walk: BranchWalk, action: Action, type: ActionType | undefined, error: ErrorData): void {
  const { branch, seat, world } = walk;
  const said = `${branch.name}: ${error.reason}: ${error.message}`;
  const target = action.on_error_target_id;
  const taken = isSet(target) ? branch.actions.findIndex(({ id }) => id === target) : -1;
  const own = Object.entries(withError({}, action, error));
  seat.state = { ...seat.state, set: { ...seat.state.set, ...Object.fromEntries(own) } };
  if (taken >= 0 || type?.on_failure === 'continue') {
    draft.note('failed', taken >= 0 ? `${said}; goes to on_error_target_id ${target}` : `${said}; goes on`, world, {
      about: action,
    });
    move(walk, taken >= 0 ? taken : after(branch, seat.state.at));
    return;
  }
  draft.note('failed', said, world, { about: action });
  seat.state = { ...seat.state, error };
}

function failure(reason: string, message: string): ActionFailure {
  return new ActionFailure({ status: 'INVALID_ARGUMENT', reason, message });
}

/** What a branch has set, less its last error, which the flow has no use for. */
export function resultOf(state: BranchState): Variables {
  return Object.fromEntries(Object.entries(state.set).filter(([name]) => !isErrorVariable(name)));
}
