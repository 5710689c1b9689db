import { ActionFailure } from '../action/definition.ts';
import { conflict, invalid } from '../error/index.ts';
import type { Action, Variables } from '../model/action.ts';
import type { Activeflow, ErrorData } from '../model/activeflow.ts';
import { MAIN_STACK } from '../model/id.ts';
import type { Json } from '../model/json.ts';
import { awaitedBy, giveSignal, giveUp } from './await.ts';
import { begin, walkingOn } from './begin.ts';
import type { Draft } from './draft.ts';
import { pushActions } from './enter.ts';
import { fromErrorData } from './error-data.ts';
import { findStack, findTarget, keepReachable } from './stacks.ts';
import { deleteVariable, setVariables } from './variables.ts';
import { earliest, type World } from './world.ts';

/**
 * Changes that a request makes to an activeflow without walking it. Each takes a draft, checks that it may,
 * and changes the draft; it throws a FlowError and leaves it alone when it may not.
 */

export function requireRunning(activeflow: Activeflow): void {
  if (activeflow.status === 'running') return;
  throw conflict('ACTIVEFLOW_ENDED', `activeflow ${activeflow.id} has ended`, [
    { field: 'status', value: activeflow.status, expected: 'running' },
  ]);
}

/** Where the walk goes next, whatever the order says. */
export function forward(draft: Draft, actionId: string, world: World): void {
  requireRunning(draft.base);
  const pending = draft.forward ? findTarget(draft.stacks, draft.forward.stack_id, actionId, world) : undefined;
  const target = findTarget(draft.stacks, draft.current_stack_id, actionId, world) ?? pending;
  if (!target) {
    const expected = 'an action of the current stack or of those it returns to';
    throw invalid('FORWARD_ACTION_NOT_FOUND', 'forward_action_id', actionId, expected);
  }
  draft.forward = target;
  // A list that was pushed and is passed now is left before it was entered.
  draft.stacks = keepReachable(draft.stacks, draft.current_stack_id, target.stack_id);
  draft.note('forwarded', `next is ${actionId}, by request`, world);
}

/** A new stack, entered at the next `next`. */
export function push(draft: Draft, actions: readonly Action[], outside: World): void {
  requireRunning(draft.base);
  if (actions.length === 0) throw invalid('NO_ACTIONS', 'actions', actions, 'at least one action');
  const world = draft.within(outside);
  try {
    pushActions(draft, actions, undefined, world);
  } catch (thrown) {
    throw thrown instanceof ActionFailure ? fromErrorData(thrown.error) : thrown;
  }
  draft.note('pushed', `${actions.length} actions, by request`, world);
}

/** Puts actions right after the current one, in its stack: a new list, because lists are immutable. */
export function addActions(draft: Draft, actions: readonly Action[], world: World): void {
  requireRunning(draft.base);
  if (actions.length === 0) throw invalid('NO_ACTIONS', 'actions', actions, 'at least one action');
  const stack = findStack(draft.stacks, draft.current_stack_id);
  if (!stack || stack.id === MAIN_STACK) {
    throw invalid(
      'MAIN_STACK',
      'current_stack_id',
      draft.current_stack_id,
      'a stack that is not the main one: push_actions instead',
    );
  }
  const { actions: old, positions } = world.list(stack);
  const current = positions.get(draft.current.id);
  // The current action was a stopped service's: what comes right after it is a list of its own.
  if (current === undefined) {
    push(draft, actions, world);
    return;
  }
  const at = current + 1;
  const merged = [...old.slice(0, at), ...actions, ...old.slice(at)];
  const twice = actions.find((action) => old.some((known) => known.id === action.id));
  if (twice) throw invalid('ACTION_ID_TWICE', 'actions', twice.id, 'ids that the current stack does not have yet');
  if (merged.length > world.limits.actions_per_list) {
    throw invalid('TOO_MANY_ACTIONS', 'actions', merged.length, `at most ${world.limits.actions_per_list} in one stack`);
  }
  const key = world.newId();
  draft.addList(key, merged);
  draft.stacks = draft.stacks.map((known) => (known === stack ? { ...stack, list: key, shared: false } : known));
  draft.note('updated', `${actions.length} actions added after this one, by request`, world);
}

/**
 * Leaves the current stack, which a service had pushed: what comes next is what follows its return address. Where the
 * flow stood still in that stack it walks on: what it waited for is left, too, and no caller would ask.
 */
export function stopService(draft: Draft, serviceId: string, world: World): void {
  requireRunning(draft.base);
  const stack = findStack(draft.stacks, draft.current_stack_id);
  if (!stack || stack.id === MAIN_STACK || stack.id !== serviceId) {
    const detail = {
      field: 'service_id',
      value: serviceId,
      expected: `the current stack ${draft.current_stack_id}, and not the main one`,
    };
    throw conflict('SERVICE_NOT_CURRENT', `service ${serviceId} is not what activeflow ${draft.base.id} is in`, [detail]);
  }
  const next = draft.dropStack(stack, world);
  draft.forward ??= next;
  draft.current_stack_id = stack.return_stack_id;
  // An action of the service that is still deciding is left with it, whatever its sibling answers.
  const left = draft.run !== null && draft.run.stage !== 'walking';
  if (draft.run) draft.run = walkingOn(draft.run);
  draft.note(draft.wait ? 'resumed' : 'updated', `service ${serviceId} stopped, by request`, world, { whole: left });
  if (draft.wait) begin(draft, 'execute', '');
}

/** Ends it. False: it had ended, and nothing changes. */
export function stop(draft: Draft, reason: string, world: World): boolean {
  if (draft.base.status === 'ended') return false;
  const { run } = draft;
  if (run) {
    // The caller of the walk that this cuts off still gets an answer, now or when it asks again: it is over.
    draft.previous = run.asked;
    draft.answer({ key: run.key, status_code: 200 }, world.limits.answers);
  }
  draft.end();
  draft.note('stopped', reason, world);
  return true;
}

/** Ends it if need be, and marks it deleted. False: it was deleted already. */
export function remove(draft: Draft, world: World): boolean {
  if (draft.base.tm_delete !== null) return false;
  stop(draft, 'deleted, by request', world);
  draft.deleted = true;
  return true;
}

export function setVariablesOf(draft: Draft, values: Variables, world: World): void {
  requireRunning(draft.base);
  draft.variables = setVariables(draft.variables, values, world.limits, '/variables');
}

export function deleteVariableOf(draft: Draft, name: string): void {
  requireRunning(draft.base);
  draft.variables = deleteVariable(draft.variables, name);
}

/** Starts a walk that nobody waits for. False: it was started before, and nothing changes, after its end neither. */
export function execute(draft: Draft): boolean {
  if (draft.executed) return false;
  requireRunning(draft.base);
  if (draft.step > 0 || draft.run) return false;
  draft.executed = true;
  begin(draft, 'execute', '');
  return true;
}

/** Leaves a block. */
export function leaveBlock(draft: Draft, actionId: string, world: World): void {
  requireRunning(draft.base);
  if (draft.wait?.kind !== 'block' || draft.current.id !== actionId) {
    const detail = {
      field: 'current_action_id',
      value: actionId,
      expected: `the block it waits at; it is at ${draft.current.id}`,
    };
    throw conflict('NOT_AT_BLOCK', `activeflow ${draft.base.id} does not wait at block ${actionId}`, [detail]);
  }
  draft.note('resumed', 'continued, by request', world);
  begin(draft, 'execute', '');
}

/** Ends it with an error, from outside the walk. */
export function stopWithError(draft: Draft, error: ErrorData, world: World): boolean {
  if (!stop(draft, `${error.reason}: ${error.message}`, world)) return false;
  draft.error = error;
  return true;
}

/** A timer's time has come: the walk goes on, with nobody waiting for it. */
export function fireTimer(draft: Draft, world: World): void {
  draft.note('resumed', `its time ${draft.wait?.due ?? ''} has come`, world);
  begin(draft, 'execute', '');
}

/**
 * Gives a signal and what it brings. Where nobody waits for it the commit still has to be made, so that a walk that has
 * looked for it just before loses its race and looks again.
 */
export function signal(draft: Draft, name: string, value: Json, world: World): void {
  requireRunning(draft.base);
  draft.signalled = giveSignal(draft, name, value, world);
}

/** The time of what is waited for is over. */
export function timeOut(draft: Draft, world: World): void {
  giveUp(draft, world);
}

/** What is due by now with nobody asking. */
export type Due = 'nothing' | 'deadline' | 'timer' | 'timeout' | 'cut_off' | 'run' | 'caller';

export function due({ status, deadline_at, state }: Activeflow, now: string): Due {
  if (status === 'ended') return 'nothing';
  if (deadline_at !== null && deadline_at <= now) return 'deadline';
  const { run, wait, look_at, cut_off } = state;
  if (run) return run.retry?.due == null || run.retry.due <= now ? 'run' : 'nothing';
  if (awaitedBy(state).some((awaits) => awaits.due !== null && awaits.due <= now)) return 'timeout';
  if (cut_off) return 'cut_off';
  if (wait?.kind === 'signal') return 'nothing';
  if (wait) return wait.due !== null && wait.due <= now ? 'timer' : 'nothing';
  return look_at !== undefined && look_at <= now ? 'caller' : 'nothing';
}

/** When something is due the next time, less the lease of a walk; null: never. RFC 3339. */
export function nextDue({ deadline_at, state }: Pick<Activeflow, 'deadline_at' | 'state'>): string | null {
  const { run, wait, look_at } = state;
  const waits = awaitedBy(state).map((awaits) => awaits.due);
  const times = [deadline_at, run?.retry?.due ?? null, wait?.due ?? null, look_at ?? null, ...waits];
  return earliest(times);
}
