import { maskAction } from '../../action/mask.ts';
import { snapshotOf } from '../../engine/draft.ts';
import type { Action } from '../../model/action.ts';
import { type Activeflow, type ActiveflowSnapshot, START } from '../../model/activeflow.ts';
import { maskCallbacks } from '../../model/callback.ts';
import { MAIN_STACK, NIL } from '../../model/id.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import type { TraceStep } from '../../model/trace.ts';
import type { Writable } from '../../model/writable.ts';
import type { Lists } from '../lists.ts';
import type { ActiveflowStore, UnreadableActiveflow } from '../ports.ts';

/** An action as siblings see it: the fields that are always there, there. */
export function viewAction(action: Action): JsonObject {
  // Each by name: a copy by spreading has a hidden class of its own, which V8 gives what is set then by way of its runtime.
  const view: Writable<Action> = { id: action.id, type: action.type };
  if (action.option !== undefined) view.option = action.option;
  if (action.name !== undefined) view.name = action.name;
  if (action.on_error_target_id !== undefined) view.on_error_target_id = action.on_error_target_id;
  if (action.retry !== undefined) view.retry = action.retry;
  view.next_id = action.next_id ?? NIL;
  view.tm_execute = action.tm_execute ?? null;
  return view as unknown as JsonObject;
}

export function viewActions(actions: readonly Action[]): JsonObject[] {
  return actions.map(viewAction);
}

/**
 * The same for everybody but the caller who has to run it: addresses of callbacks are not for those who look on. Most
 * actions hold none, and texts are looked through once.
 */
function viewMasked(action: Action): JsonObject {
  const text = JSON.stringify(action);
  const masked = maskCallbacks(text);
  return viewAction(masked === text ? action : (JSON.parse(masked) as Action));
}

/** What is known of an activeflow by its columns, when nothing else of it can be read. */
export function viewColumns(row: Activeflow | UnreadableActiveflow) {
  const { id, customer_id, flow_id, status, reference_type, reference_id, reference_activeflow_id } = row;
  const { tm_create, tm_update, tm_delete } = row;
  const times = { tm_create, tm_update, tm_delete };
  return { id, customer_id, flow_id, status, reference_type, reference_id, reference_activeflow_id, ...times };
}

/** What siblings and customers see of every activeflow; what changes is taken from `shown`. */
export function viewShared(row: Activeflow, shown: ActiveflowSnapshot, view = viewAction): { [name: string]: Json } {
  const head: { [name: string]: Json } = {
    id: row.id,
    customer_id: row.customer_id,
    flow_id: row.flow_id,
    status: shown.status,
    reference_type: row.reference_type,
    reference_id: row.reference_id,
    reference_activeflow_id: row.reference_activeflow_id,
    on_complete_flow_id: row.on_complete_flow_id,
    webhook_uri: row.webhook_uri,
    webhook_method: row.webhook_method,
    current_action: view(maskAction(shown.current)),
    forward_action_id: shown.forward?.action_id ?? NIL,
    tm_create: row.tm_create,
    tm_update: shown.tm_update,
    tm_delete: shown.tm_delete,
  };
  if (row.user_id !== undefined) head.user_id = row.user_id;
  if (row.reference_type === 'call') head.call_id = row.reference_id;
  return head;
}

/** What only siblings see: how it is walked. */
export function viewPlace(shown: ActiveflowSnapshot): JsonObject {
  return {
    current_stack_id: shown.current_stack_id,
    forward_stack_id: shown.forward?.stack_id ?? NIL,
    execute_count: shown.step,
  };
}

/** The whole resource. `shown` is what it looked like when an answer was caused; default now. */
export function viewActiveflow(
  row: Activeflow,
  lists: Lists,
  store: ActiveflowStore,
  shown: ActiveflowSnapshot = snapshotOf(row),
): Promise<JsonObject> {
  return viewWhole(row, lists, store, shown, viewMasked);
}

/**
 * The same as it looked when an event was caused. Addresses of callbacks are not masked yet: whoever makes one text of all
 * of it looks through that.
 */
export function viewForEvent(
  row: Activeflow,
  lists: Lists,
  store: ActiveflowStore,
  shown: ActiveflowSnapshot,
): Promise<JsonObject> {
  return viewWhole(row, lists, store, shown, viewAction);
}

async function viewWhole(
  row: Activeflow,
  lists: Lists,
  store: ActiveflowStore,
  shown: ActiveflowSnapshot,
  view: (action: Action) => JsonObject,
): Promise<JsonObject> {
  const stack_map: Record<string, Json> = {};
  let main: JsonObject[] = [];
  for (const stack of shown.stacks ?? row.state.stacks) {
    const list = await lists.get(stack.shared ? row.customer_id : row.id, stack.list);
    const actions = viewActions(list.actions);
    if (stack.id === MAIN_STACK) main = actions;
    stack_map[stack.id] = {
      id: stack.id,
      actions,
      return_stack_id: stack.return_stack_id,
      return_action_id: stack.return_action_id,
    };
  }
  const executed_actions = (await executedActions(row, shown.step, store)).map(view);
  return { ...viewShared(row, shown, view), ...viewPlace(shown), stack_map, actions: main, executed_actions };
}

/** Every action left behind before a step, in order, options as substituted. */
async function executedActions(row: Activeflow, step: number, store: ActiveflowStore): Promise<Action[]> {
  if (step === 0) return [];
  const lines = (await traceOf(row, store)).filter((line) => line.step !== undefined && line.step < step);
  return [START, ...lines.map((line) => line.action as Action)];
}

/** The trace from its two homes: rows of its own, and what the latest commits have not moved there yet. */
export async function traceOf(row: Activeflow, store: ActiveflowStore): Promise<readonly TraceStep[]> {
  const trace = row.outbox.trace.flatMap((lines) => lines.steps);
  const first = trace[0]?.seq ?? row.state.trace_seq + 1;
  if (first <= 1) return trace;
  const moved = await store.trace(row.id);
  return [...moved.filter((line) => line.seq < first), ...trace];
}

/** The trace as it is answered: ids and types of the actions, not their options. */
export function viewTrace(trace: readonly TraceStep[]): JsonObject[] {
  return trace.map((line) => ({
    seq: line.seq,
    action: { id: line.action.id, type: line.action.type, ...('name' in line.action ? { name: line.action.name ?? '' } : {}) },
    outcome: line.outcome,
    reason: line.reason,
    duration_ms: line.duration_ms,
    tm: line.tm,
  }));
}
