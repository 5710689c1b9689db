import type { Variables } from '../model/action.ts';
import { type Activeflow, type ActiveflowState, type Job, type ReferenceType, type Run, START } from '../model/activeflow.ts';
import type { Flow, Warning } from '../model/flow.ts';
import { ACTION_START, isSet, MAIN_STACK, NIL } from '../model/id.ts';
import { assignVariables, checkCompleteDepth, completeCount, initialVariables, ownVariables } from './variables.ts';
import { earliest, formatTime, type World } from './world.ts';

export interface NewActiveflow {
  readonly id: string;
  readonly customer_id: string;
  readonly user_id?: number;
  /** Absent: it runs on no flow, only on what is pushed to it. */
  readonly flow?: Flow;
  readonly reference_type: ReferenceType;
  readonly reference_id: string;
  /** The one that has started it beside itself: nothing is inherited from it but its name. */
  readonly started_by?: string;
  /** Key of a list of the customer's that it runs without a flow. */
  readonly list?: string;
  /** Whose data it shares, and what it is called, when it is a job. */
  readonly participant?: NonNullable<ActiveflowState['participant']>;
  readonly job?: Job;
  /** It walks at once by itself; how long its first lease is, in ms. */
  readonly runs_ms?: number;
  /** Its parent: its variables are inherited, and the chain is counted. */
  readonly parent?: Pick<Activeflow, 'id' | 'variables'>;
  readonly webhook_uri: string;
  readonly webhook_method: string;
  readonly variables: Variables;
  /** What came from outside with the request, set as it is: over a limit it is refused, whole. */
  readonly inputs?: Variables;
  readonly create_key: string;
  /** How long it may live, in ms; 0: for ever. */
  readonly deadline_ms: number;
  /** When its caller is looked for if it never asks. RFC 3339. */
  readonly look_at?: string;
}

/** Key of the list of an activeflow that runs on no flow. */
export const EMPTY_LIST = 'empty';

/** A new activeflow at its start. Throws a FlowError when the chain of parents is too long, or inputs are too large. */
export function createActiveflow(given: NewActiveflow, world: World): { row: Activeflow; warnings: readonly Warning[] } {
  const { flow, parent } = given;
  const count = parent ? completeCount(parent.variables) + 1 : 0;
  checkCompleteDepth(count, world.limits);
  const now = world.now();
  const identity = {
    id: given.id,
    customer_id: given.customer_id,
    ...(given.user_id === undefined ? {} : { user_id: given.user_id }),
    flow_id: flow?.id ?? NIL,
    reference_type: given.reference_type,
    reference_id: given.reference_id,
    reference_activeflow_id: parent?.id ?? given.started_by ?? NIL,
    on_complete_flow_id: flow?.on_complete_flow_id ?? NIL,
    fallback_flow_id: flow?.fallback_flow_id ?? NIL,
    webhook_uri: given.webhook_uri,
    webhook_method: given.webhook_method,
    create_key: given.create_key,
    tm_create: formatTime(now),
  };
  const own = ownVariables(identity, count);
  const { variables, warnings } = initialVariables(parent?.variables ?? {}, given.variables, own, world.limits);
  const deadline = (flow?.deadline_ms ?? 0) > 0 ? (flow?.deadline_ms ?? 0) : given.deadline_ms;
  const deadline_at = deadline > 0 ? formatTime(now + deadline) : null;
  const row: Activeflow = {
    ...identity,
    revision: 1,
    status: 'running',
    state: stateOf(given),
    variables: given.inputs ? assignVariables(variables, given.inputs, world.limits, '') : variables,
    outbox: { events: [{ seq: 1, type: 'activeflow_created' }], trace: [] },
    tm_update: null,
    tm_delete: null,
    wake_at: given.runs_ms === undefined ? earliest([deadline_at, given.look_at ?? null]) : formatTime(now + given.runs_ms),
    deadline_at,
  };
  return { row, warnings };
}

function stateOf({ flow, list, participant, job, runs_ms, look_at }: NewActiveflow): ActiveflowState {
  return {
    ...initialState(flow?.list ?? list),
    ...(runs_ms === undefined ? {} : { run: FIRST_RUN, executed: true }),
    ...(look_at === undefined ? {} : { look_at }),
    ...(participant ? { participant } : {}),
    ...(job ? { job } : {}),
  };
}

/** Nobody waits for it. */
const FIRST_RUN: Run = { kind: 'execute', asked: ACTION_START, key: '', steps: 0, stage: 'walking' };

function initialState(list: string | undefined): ActiveflowState {
  const main = {
    id: MAIN_STACK,
    list: list ?? EMPTY_LIST,
    shared: list !== undefined,
    return_stack_id: NIL,
    return_action_id: NIL,
  };
  return {
    current: START,
    current_stack_id: MAIN_STACK,
    stacks: [main],
    forward: null,
    previous: NIL,
    step: 0,
    loops: {},
    run: null,
    wait: null,
    error: null,
    trace_seq: 0,
    event_seq: 1,
    answers: [],
  };
}

/** The activeflow as it was made: what its creation was answered with, whatever has become of it since. */
export function asCreated(row: Activeflow): Activeflow {
  const main = row.state.stacks.slice(0, 1);
  return {
    ...row,
    status: 'running',
    tm_update: null,
    tm_delete: null,
    state: {
      ...row.state,
      current: START,
      current_stack_id: MAIN_STACK,
      stacks: main,
      forward: null,
      step: 0,
    },
    outbox: { events: [], trace: [] },
  };
}

/** The follow-up that an ending activeflow starts: same customer and reference, no webhook, walking at once. */
export function createFollowUp(ending: Activeflow, flow: Flow, id: string, lease_ms: number, world: World): Activeflow {
  const { row } = createActiveflow(
    {
      id,
      customer_id: ending.customer_id,
      ...(ending.user_id === undefined ? {} : { user_id: ending.user_id }),
      flow,
      reference_type: ending.reference_type,
      reference_id: ending.reference_id,
      parent: ending,
      webhook_uri: '',
      webhook_method: '',
      variables: {},
      create_key: '',
      deadline_ms: 0,
      ...(ending.state?.participant ? { participant: ending.state.participant } : {}),
    },
    world,
  );
  const state = { ...row.state, run: FIRST_RUN, executed: true };
  return { ...row, state, wake_at: formatTime(world.now() + lease_ms) };
}

export function needsFollowUp(before: Activeflow['status'], after: Activeflow['status'], flowId: string): boolean {
  return before === 'running' && after === 'ended' && isSet(flowId);
}
