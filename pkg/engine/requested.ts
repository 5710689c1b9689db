import type { Action, Variables } from '../model/action.ts';
import type { TakenArrival } from '../model/callback.ts';
import type { Json } from '../model/json.ts';
import * as change from './change.ts';
import type { Draft } from './draft.ts';
import { formatTime, type World } from './world.ts';

/** A change that a request, or time, makes to an activeflow without walking it: as data, so that it can be kept. */
export type Change =
  | { readonly kind: 'forward'; readonly action_id: string }
  | { readonly kind: 'push' | 'add_actions'; readonly actions: readonly Action[] }
  | { readonly kind: 'stop_service'; readonly service_id: string }
  | { readonly kind: 'stop'; readonly reason: string }
  | { readonly kind: 'set_variables'; readonly values: Variables }
  | { readonly kind: 'delete_variable'; readonly name: string }
  | { readonly kind: 'leave_block'; readonly action_id: string }
  /** The call that would ask from this step on is over. */
  | { readonly kind: 'caller_lost'; readonly step: number; readonly message: string }
  /** It is not, and is looked for again later. */
  | { readonly kind: 'look_later'; readonly step: number }
  /** `arrival`: the request that it came with, as one that is kept. */
  | { readonly kind: 'signal'; readonly name: string; readonly value: Json; readonly arrival?: TakenArrival }
  | { readonly kind: 'remove' | 'execute' | 'fire_timer' | 'time_out' | 'deadline' };

/**
 * Decides a change and what its request is answered. Returns when it was made, in ms; undefined: there is nothing to
 * change, and that is fine. Throws a FlowError.
 */
export function decideChange(draft: Draft, wanted: Change, key: string, world: World): number | undefined {
  if (!apply(draft, wanted, world)) return undefined;
  const now = world.now();
  const tm_update = formatTime(now);
  const tm_delete = draft.deleted ? tm_update : draft.base.tm_delete;
  draft.answer({ key, status_code: 200, tm_update, tm_delete }, world.limits.answers);
  return now;
}

function apply(draft: Draft, wanted: Change, world: World): boolean {
  switch (wanted.kind) {
    case 'forward':
      change.forward(draft, wanted.action_id, world);
      return true;
    case 'push':
      change.push(draft, wanted.actions, world);
      return true;
    case 'add_actions':
      change.addActions(draft, wanted.actions, world);
      return true;
    case 'stop_service':
      change.stopService(draft, wanted.service_id, world);
      return true;
    case 'stop':
      return change.stop(draft, wanted.reason, world);
    case 'remove':
      return change.remove(draft, world);
    case 'set_variables':
      change.setVariablesOf(draft, wanted.values, world);
      return true;
    case 'delete_variable':
      change.deleteVariableOf(draft, wanted.name);
      return draft.variables !== draft.base.variables;
    case 'execute':
      return change.execute(draft);
    case 'leave_block':
      change.leaveBlock(draft, wanted.action_id, world);
      return true;
    case 'fire_timer':
      if (change.due(draft.base, formatTime(world.now())) !== 'timer') return false;
      change.fireTimer(draft, world);
      return true;
    case 'signal':
      change.signal(draft, wanted.name, wanted.value, world);
      if (wanted.arrival) draft.kept = [arrived(wanted.arrival, draft.signalled)];
      return true;
    case 'time_out':
      if (change.due(draft.base, formatTime(world.now())) !== 'timeout') return false;
      change.timeOut(draft, world);
      return true;
    case 'caller_lost': {
      const error = { status: 'FAILED_PRECONDITION', reason: 'CALLER_LOST', message: wanted.message };
      return isIdleAt(draft, wanted.step) && change.stopWithError(draft, error, world);
    }
    case 'look_later':
      draft.look_at = undefined;
      return isIdleAt(draft, wanted.step);
    case 'deadline': {
      const message = `not finished by its deadline ${draft.base.deadline_at}`;
      return change.stopWithError(draft, { status: 'FAILED_PRECONDITION', reason: 'DEADLINE_EXCEEDED', message }, world);
    }
  }
}

/** A request that the flow has at once leaves nothing to keep but that it came. */
function arrived(arrival: TakenArrival, taken: boolean): TakenArrival {
  if (!taken) return arrival;
  return { ...arrival, status: 'consumed', code: 200, payload: null, tm_consume: arrival.tm_create };
}

/** Nobody has asked since it came to this step. */
function isIdleAt({ status, step, run, wait }: Draft, at: number): boolean {
  return status === 'running' && step === at && !run && !wait;
}
