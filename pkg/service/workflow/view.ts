import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts';
import type { Callable, WorkflowCall } from '../../model/workflow.ts';
import type { CallSettlement } from '../ports.ts';

/** The type of the event that every response is on the bus. */
export const RESPONSE_CREATED = 'workflow_response_created';

export function viewCallable(callable: Callable): JsonObject {
  const { flow_id, revision: _, ...rest } = callable;
  return { id: flow_id, ...rest };
}

/** `begun`: its activeflow has left its start. */
export function viewCall(call: WorkflowCall, begun: boolean): JsonObject {
  return {
    id: call.id,
    customer_id: call.customer_id,
    workflow: call.workflow,
    flow_id: call.flow_id,
    activeflow_id: call.id,
    state: call.end ?? (begun ? 'RUNNING' : 'PENDING'),
    status: call.status,
    code: call.code,
    workflowResponse: call.response,
    calledWith: calledWithOf(call),
    delivery: call.delivery as unknown as Json,
    tm_create: call.tm_create,
    tm_end: call.tm_end,
  };
}

/** As it was when it was made: what its maker was answered, and is answered again. */
export function asCalled(call: WorkflowCall): WorkflowCall {
  return { ...call, end: null, status: null, code: null, response: null, delivery: null, tm_end: null };
}

/** The response as a resource of its own, in the order and with the names that browsers know. */
export function viewResponse(call: WorkflowCall, { answer }: Pick<CallSettlement, 'answer'>): JsonObject {
  const workflow = `/v1/internal/workflows/${encodeURIComponent(call.workflow)}`;
  return {
    type: 'workflow_response',
    id: call.id,
    attributes: {
      status: answer.status,
      code: answer.code,
      workflowResponse: answer.data,
      calledWith: calledWithOf(call),
    },
    relationships: {
      org: link(`/v1/orgs/${call.customer_id}`, 'org', call.customer_id),
      workflow: link(workflow, 'workflow', call.workflow),
      workflowCall: link(`${workflow}/call`, 'workflow_call', call.id),
    },
  };
}

function link(self: string, type: string, id: string): JsonObject {
  return { links: { self }, data: { type, id } };
}

function calledWithOf({ called_with }: WorkflowCall): JsonObject {
  const { inputs, asyncResponse, clientContext } = called_with;
  return {
    inputs,
    ...(asyncResponse === undefined ? {} : { asyncResponse }),
    ...(clientContext === undefined ? {} : { clientContext }),
  };
}

/** A part of what a caller asked its response to be sent to; empty: none. */
export function wanted({ called_with: { asyncResponse } }: Pick<WorkflowCall, 'called_with'>, name: 'type' | 'id'): string {
  const value = isJsonObject(asyncResponse) && Object.hasOwn(asyncResponse, name) ? asyncResponse[name] : undefined;
  return typeof value === 'string' ? value : '';
}
