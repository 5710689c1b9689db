import { FlowError, invalid } from '../../error/index.ts';
import type { Variables } from '../../model/action.ts';
import type { Flow } from '../../model/flow.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import type { Callable, CalledWith, WorkflowCall } from '../../model/workflow.ts';
import { makeActiveflow } from '../activeflow/make.ts';
import type { Context } from '../context.ts';
import type { NewCall } from '../ports.ts';

/** Who calls, by the rights of a user or of a service. */
export type CallerIdentity = Pick<WorkflowCall, 'customer_id' | 'user_id' | 'teams' | 'internal'>;

export interface CallPlan {
  readonly id: string;
  readonly caller: CallerIdentity;
  readonly callable: Callable;
  readonly flow: Flow;
  /** As the caller named it. */
  readonly workflow: string;
  readonly called_with: CalledWith;
  readonly depth: number;
}

/** Throws PERMISSION_DENIED: the workflow is only for some users and teams, and this is none of them. */
export function checkAllowed({ allowed_users, allowed_teams, flow_id }: Callable, caller: CallerIdentity): void {
  if (caller.internal || allowed_users.length + allowed_teams.length === 0) return;
  if (allowed_users.includes(caller.user_id) || caller.teams.some((team) => allowed_teams.includes(team))) return;
  throw new FlowError('PERMISSION_DENIED', 'WORKFLOW_NOT_ALLOWED', `workflow ${flow_id} is only for some users and teams`, [
    { field: 'authorization', expected: 'one of its allowed_users, or a member of its allowed_teams' },
  ]);
}

/**
 * A call and its activeflow, which walks from the moment it is stored: whoever finds it later, when this process has
 * died, walks it on. Throws FlowError INVALID_ARGUMENT when the inputs are not as the workflow wants them, or too large.
 */
export function prepareCall(context: Context, plan: CallPlan): NewCall {
  const { id, caller, callable, flow, called_with, depth } = plan;
  if (callable.input_schema !== null) context.schemas.check(callable.input_schema, called_with.inputs, '/inputs');
  const activeflow = activeflowOf(context, plan);
  const call: WorkflowCall = {
    id,
    customer_id: caller.customer_id,
    user_id: caller.user_id,
    teams: caller.teams,
    internal: caller.internal,
    workflow: plan.workflow,
    flow_id: flow.id,
    depth,
    called_with,
    end: null,
    status: null,
    code: null,
    response: null,
    delivery: null,
    tm_create: activeflow.tm_create,
    tm_end: null,
  };
  return { call, activeflow };
}

function activeflowOf(context: Context, { id, caller, callable, flow, called_with }: CallPlan) {
  const { inputs, clientContext = {} } = called_with;
  try {
    return makeActiveflow(context, {
      id,
      customer_id: caller.customer_id,
      // The call's time goes before that of the flow.
      flow: callable.timeout > 0 ? { ...flow, deadline_ms: callable.timeout } : flow,
      reference_type: 'api',
      reference_id: id,
      webhook_uri: flow.webhook_uri,
      webhook_method: '',
      variables: {},
      inputs: { ...named('input', inputs), ...named('client_context', clientContext) },
      create_key: '',
      deadline_ms: context.options.deadline_ms,
      runs_ms: context.options.lease_ms,
    }).row;
  } catch (thrown) {
    throw thrown instanceof FlowError ? byField(thrown) : thrown;
  }
}

/** A variable for each: texts as they are, all else as JSON into which `${input.x.y}` reaches. */
function named(prefix: string, values: JsonObject): Variables {
  return Object.fromEntries(Object.entries(values).map(([name, value]): [string, Json] => [`${prefix}.${name}`, value]));
}

/** Variables are called as their part of the request is. */
function byField(error: FlowError): FlowError {
  const [detail] = error.details;
  if (detail === undefined || error.status !== 'INVALID_ARGUMENT') return error;
  const field = detail.field.replace(/^\/input\./, '/inputs/').replace(/^\/client_context\./, '/clientContext/') || '/inputs';
  return invalid(error.reason, field, detail.value, detail.expected ?? '');
}
