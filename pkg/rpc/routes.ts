import { invalid } from '../error/index.ts';
import { REFERENCE_TYPES } from '../model/activeflow.ts';
import { FLOW_TYPES } from '../model/flow.ts';
import { isSet } from '../model/id.ts';
import type { Participant } from '../model/participant.ts';
import type { CreateRequest } from '../service/activeflow/create.ts';
import { viewAction, viewActions } from '../service/activeflow/view.ts';
import type { CreateFlowRequest, UpdateFlowRequest } from '../service/flow/flow.ts';
import type { SetEntry } from '../service/participant.ts';
import type { ActiveflowFilter, FlowFilter } from '../service/ports.ts';
import type { Service } from '../service/service.ts';
import { Reader, readPage } from './read.ts';
import { readCall, readCallable, readCaller, readCallFilter } from './read-workflow.ts';
import { type Call, type Route, route } from './router.ts';

/** Every route of the wire, one line each: what it reads, and the use case that it calls. */
export function routes(service: Service): Route[] {
  const { flows, create, next, control, query, callbacks, participants, workflows, callables, subscriptions } = service;
  return [
    route('POST', '/v1/flows', (c) => flows.create(readFlow(body(c)), c.key)),
    route('GET', '/v1/flows', (c) => flows.list(readFlowFilter(body(c)), readPage(c.request.query))),
    route('GET', '/v1/flows/count_by_customer', async (c) => ({ count: await flows.count(body(c).requiredId('customer_id')) })),
    route('GET', '/v1/flows/{id}', (c) => flows.get(id(c))),
    route('PUT', '/v1/flows/{id}', (c) => flows.update(id(c), readFlowUpdate(body(c)), c.key)),
    route('DELETE', '/v1/flows/{id}', (c) => flows.remove(id(c), c.key)),
    route('GET', '/v1/flows/{id}/actions', async (c) => viewActions(await flows.actions(id(c)))),
    route('PUT', '/v1/flows/{id}/actions', (c) => flows.updateActions(id(c), body(c).raw('actions'), c.key)),
    route('GET', '/v1/flows/{id}/actions/{action_id}', async (c) => viewAction(await flows.action(id(c), param(c, 'action_id')))),
    route('GET', '/v1/flows/{id}/versions', (c) => flows.versions(id(c))),
    route('POST', '/v1/flows/{id}/versions/{version}/restore', (c) => flows.restore(id(c), readVersion(c), c.key)),
    route('POST', '/v1/flows/{id}/direct-hash-regenerate', (c) => flows.regenerateDirect(id(c), c.key)),

    route('GET', '/v1/flows/{id}/callable', (c) => callables.get(id(c), body(c).filterId('customer_id'))),
    route('PUT', '/v1/flows/{id}/callable', (c) => callables.put(id(c), readCallable(body(c)), body(c).filterId('customer_id'))),
    route('GET', '/v1/workflows', (c) => callables.list(body(c).requiredId('customer_id'), readPage(c.request.query))),

    route(
      'POST',
      '/v1/workflows/{workflow}/call',
      (c) => workflows.call(readCall(param(c, 'workflow'), body(c)), readCaller(body(c)), { key: c.key, strict: false }),
      202,
    ),
    route('GET', '/v1/workflow_calls', (c) => workflows.list(readCallFilter(body(c)), readPage(c.request.query))),
    route('GET', '/v1/workflow_calls/{id}', (c) => workflows.get(id(c), undefined)),
    route('DELETE', '/v1/workflow_calls/{id}', (c) => workflows.cancel(id(c), undefined, c.key)),

    route('POST', '/v1/activeflows', (c) => create.create(readActiveflow(body(c)), c.key)),
    route('GET', '/v1/activeflows', (c) => query.list(readActiveflowFilter(body(c)), readPage(c.request.query))),
    route('GET', '/v1/activeflows/{id}', (c) => query.get(id(c))),
    route('DELETE', '/v1/activeflows/{id}', (c) => control.remove(id(c), c.key)),
    route('GET', '/v1/activeflows/{id}/next', async (c) =>
      viewAction(await next.next({ id: id(c), asked: body(c).requiredId('current_action_id'), key: c.key })),
    ),
    route('PUT', '/v1/activeflows/{id}/forward_action_id', (c) =>
      none(control.forward(id(c), body(c).requiredId('forward_action_id'), body(c).flag('forward_now'), c.key)),
    ),
    route('POST', '/v1/activeflows/{id}/execute', (c) => none(control.execute(id(c), c.key))),
    route('POST', '/v1/activeflows/{id}/continue', (c) =>
      none(control.leaveBlock(id(c), body(c).requiredId('current_action_id'), c.key)),
    ),
    route('POST', '/v1/activeflows/{id}/stop', (c) => control.stop(id(c), 'stopped, by request', c.key)),
    route('POST', '/v1/activeflows/{id}/add_actions', (c) => none(control.addActions(id(c), body(c).raw('actions'), c.key))),
    route('POST', '/v1/activeflows/{id}/push_actions', (c) => none(control.push(id(c), body(c).raw('actions'), c.key))),
    route('POST', '/v1/activeflows/{id}/service_stop', (c) =>
      none(control.stopService(id(c), body(c).requiredId('service_id'), c.key)),
    ),
    route('GET', '/v1/activeflows/{id}/trace', (c) => query.trace(id(c))),
    route('GET', '/v1/activeflows/{id}/history', (c) => query.history(id(c))),
    route('GET', '/v1/activeflows/{id}/callbacks', (c) => callbacks.list(id(c))),

    route('POST', '/v1/subscriptions', (c) => subscriptions.create(body(c).requiredId('customer_id'), c.request.data, c.key)),
    route('GET', '/v1/subscriptions', (c) =>
      subscriptions.list(defined({ customer_id: body(c).filterId('customer_id') }), readPage(c.request.query)),
    ),
    route('GET', '/v1/subscriptions/{id}', (c) => subscriptions.get(id(c), undefined)),
    route('PUT', '/v1/subscriptions/{id}', (c) => subscriptions.update(id(c), c.request.data, undefined)),
    route('DELETE', '/v1/subscriptions/{id}', (c) => subscriptions.remove(id(c), undefined)),
    route('POST', '/v1/subscriptions/{id}/rotate', (c) => subscriptions.rotate(id(c), undefined)),
    route('POST', '/v1/subscriptions/{id}/test', (c) => subscriptions.test(id(c), undefined)),
    route('POST', '/v1/subscriptions/{id}/replay', (c) =>
      subscriptions.replaySince(id(c), c.request.query.get('since') ?? undefined, undefined),
    ),
    route('GET', '/v1/subscriptions/{id}/deliveries', (c) =>
      subscriptions.deliveries(id(c), c.request.query.get('status') ?? undefined, readPage(c.request.query), undefined),
    ),
    route('POST', '/v1/subscriptions/{id}/deliveries/{delivery_id}/replay', (c) =>
      subscriptions.replay(id(c), param(c, 'delivery_id'), undefined),
    ),

    route('GET', '/v1/variables/{id}', (c) => query.variables(id(c))),
    route('POST', '/v1/variables/{id}/variables', (c) =>
      none(control.setVariables(id(c), body(c).variables('variables', true), c.key)),
    ),
    route('DELETE', '/v1/variables/{id}/variables/{name}', (c) => none(control.deleteVariable(id(c), param(c, 'name'), c.key))),
    route('POST', '/v1/variables/{id}/substitute', (c) => query.substitute(id(c), body(c).text('data'))),

    route('GET', '/v1/participants/{reference_type}/{reference_id}', (c) => participants.get(readParticipant(c))),
    route('POST', '/v1/participants/{reference_type}/{reference_id}', (c) => participants.set(readEntry(c))),
  ];
}

function body(call: Call): Reader {
  return new Reader(call.request.data);
}

function param(call: Call, name: string): string {
  return call.params[name] ?? '';
}

function id(call: Call): string {
  return param(call, 'id');
}

/** For routes that answer with nothing but their status. */
async function none(work: Promise<void>): Promise<undefined> {
  await work;
  return undefined;
}

function readUserId(data: Reader): { user_id?: number } {
  return data.has('user_id') ? { user_id: data.count('user_id') } : {};
}

function readFlow(data: Reader): CreateFlowRequest {
  return {
    customer_id: data.id('customer_id'),
    ...readUserId(data),
    type: data.oneOf('type', FLOW_TYPES, 'flow'),
    name: data.text('name'),
    detail: data.text('detail'),
    persist: data.flag('persist'),
    webhook_uri: data.text('webhook_uri'),
    actions: data.raw('actions'),
    on_complete_flow_id: data.id('on_complete_flow_id'),
    fallback_flow_id: data.id('fallback_flow_id'),
    deadline_ms: data.count('deadline_ms'),
  };
}

function readFlowUpdate(data: Reader): UpdateFlowRequest {
  return {
    name: data.text('name'),
    detail: data.text('detail'),
    actions: data.raw('actions'),
    on_complete_flow_id: data.id('on_complete_flow_id'),
    ...(data.has('fallback_flow_id') ? { fallback_flow_id: data.id('fallback_flow_id') } : {}),
    ...(data.has('deadline_ms') ? { deadline_ms: data.count('deadline_ms') } : {}),
  };
}

function readVersion(call: Call): number {
  const text = param(call, 'version');
  if (!/^\d{1,9}$/.test(text)) throw invalid('BAD_FIELD', 'version', text, 'the number of a version');
  return Number(text);
}

/** The old spelling names a call; then the activeflow has the call's id. */
function readActiveflow(data: Reader): CreateRequest {
  const callId = data.id('call_id');
  const old = isSet(callId) && !data.has('reference_type') && !data.has('reference_id');
  return {
    id: old && !isSet(data.id('id')) ? callId : data.id('id'),
    customer_id: data.id('customer_id'),
    ...readUserId(data),
    flow_id: data.id('flow_id'),
    reference_type: old ? 'call' : data.oneOf('reference_type', REFERENCE_TYPES, ''),
    reference_id: old ? callId : data.id('reference_id'),
    reference_activeflow_id: data.id('reference_activeflow_id'),
    webhook_uri: data.text('webhook_uri'),
    webhook_method: data.text('webhook_method'),
    variables: data.variables('variables', false),
  };
}

function readParticipant(call: Call): Participant {
  const type = param(call, 'reference_type');
  const known = REFERENCE_TYPES.find((one) => one !== '' && one === type);
  if (known === undefined) {
    throw invalid('BAD_FIELD', 'reference_type', type, `one of ${REFERENCE_TYPES.filter((one) => one !== '').join(', ')}`);
  }
  return {
    customer_id: body(call).requiredId('customer_id'),
    reference_type: known,
    reference_id: param(call, 'reference_id'),
  };
}

function readEntry(call: Call): SetEntry {
  const data = body(call);
  // Envelopes do not tell null from absent.
  const value = data.raw('value') ?? null;
  const from = data.has('revision') ? { from: data.count('revision') } : {};
  return { participant: readParticipant(call), key: data.text('key'), value, ...from };
}

function readFlowFilter(data: Reader): FlowFilter {
  return defined({
    customer_id: data.filterId('customer_id'),
    deleted: data.filterFlag('deleted') ?? false,
    type: data.filterText('type'),
    name: data.filterText('name'),
  });
}

function readActiveflowFilter(data: Reader): ActiveflowFilter {
  return defined({
    customer_id: data.filterId('customer_id'),
    deleted: data.filterFlag('deleted') ?? false,
    flow_id: data.filterId('flow_id'),
    status: data.filterText('status'),
    reference_type: data.filterText('reference_type'),
    reference_id: data.filterId('reference_id'),
    reference_activeflow_id: data.filterId('reference_activeflow_id'),
  });
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Leaves out what is undefined. */
function defined<T extends object>(value: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<Defined<T>>;
}
