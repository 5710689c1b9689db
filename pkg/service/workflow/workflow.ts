import { hash } from 'node:crypto';
import { deeperThan } from '../../action/pointer.ts';
import { conflict, FlowError, invalid, notFound, toFlowError } from '../../error/index.ts';
import { NIL } from '../../model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts';
import { type CalledWith, WORKFLOW_TYPE, type WorkflowCall } from '../../model/workflow.ts';
import type { ControlService } from '../activeflow/control.ts';
import type { Keeper } from '../activeflow/keeper.ts';
import type { Context } from '../context.ts';
import { wholePage } from '../page.ts';
import type { CallFilter, KeyedCall, NewCall, Page } from '../ports.ts';
import type { Refusals } from '../subscription/refusals.ts';
import { findCallable, requireCallable } from './find.ts';
import { type CallerIdentity, type CallPlan, checkAllowed, prepareCall } from './prepare.ts';
import { asCalled, viewCall, wanted } from './view.ts';

export interface CallRequest {
  /** An id of a flow, or an alias. */
  readonly workflow: string;
  readonly inputs?: Json;
  readonly asyncResponse?: Json;
  readonly clientContext?: Json;
}

/** By what a repeat is known; empty: by nothing. `strict`: the same key with another request is refused. */
export interface RepeatKey {
  readonly key: string;
  readonly strict: boolean;
}

const LONGEST_TYPE = 100;
const DEEPEST = 32;

/** Calls of workflows: made at once, answered when their flow answers or ends (responder.ts). */
export class WorkflowService {
  readonly #context: Context;
  readonly #keeper: Keeper;
  readonly #control: ControlService;
  readonly #refusals: Refusals;

  constructor(context: Context, keeper: Keeper, control: ControlService, refusals: Refusals) {
    this.#context = context;
    this.#keeper = keeper;
    this.#control = control;
    this.#refusals = refusals;
  }

  /**
   * Makes a call and lets it run. Answers as soon as it is stored. Throws NOT_FOUND, PERMISSION_DENIED,
   * INVALID_ARGUMENT with the paths, UNPROCESSABLE for a key that was used for something else.
   */
  async call(request: CallRequest, caller: CallerIdentity, repeat: RepeatKey): Promise<JsonObject> {
    checkDepth(request);
    const { store, ids, meter } = this.#context;
    const found = await findCallable(store.workflows, caller.customer_id, request.workflow);
    if (found) checkAllowed(found, caller);
    const key = keyOf(repeat, caller, found?.flow_id ?? '', request);
    const before = key && (await store.workflows.callByKey(key.hash));
    if (before) return repeated(before, key.body_hash, repeat);
    const flow = found && (await store.flows.get(found.flow_id));
    const target = requireCallable(request.workflow, found, flow);
    const what = { customer_id: caller.customer_id, flow_id: target.flow.id, reference_id: NIL, key: key?.hash ?? '' };
    const plan = { id: ids.next(), caller, ...target, workflow: request.workflow, depth: 0 };
    const prepared = await this.#refusals.around(what, () => this.#prepare(request, plan));
    const call: NewCall = { ...prepared, ...(key ? { key } : {}) };
    if (!(await store.workflows.createCall(call))) {
      const other = key && (await store.workflows.callByKey(key.hash));
      if (other) return repeated(other, key.body_hash, repeat);
      throw conflict('CALL_EXISTS', `a call with id ${plan.id} exists already`);
    }
    meter.add('workflow_call_total', { door: caller.internal ? 'service' : 'user' });
    this.#keeper.created(call.activeflow);
    this.#control.resume(call.call.id);
    return viewCall(call.call, false);
  }

  #prepare(request: CallRequest, plan: Omit<CallPlan, 'called_with'>): NewCall {
    const called_with = calledWith(request);
    const { caller, callable } = plan;
    if (!caller.internal) checkResponseType(called_with, [this.#context.options.response_types, callable.response_types]);
    return prepareCall(this.#context, { ...plan, called_with });
  }

  async get(id: string, caller: CallerIdentity | undefined): Promise<JsonObject> {
    return this.#view(await this.#read(id, caller));
  }

  /** Stops it unless it is answered already; shows what has become of it. */
  async cancel(id: string, caller: CallerIdentity | undefined, key: string): Promise<JsonObject> {
    const call = await this.#read(id, caller);
    if (call.end !== null) return this.#view(call);
    await this.#control.stop(id, 'canceled, by its caller', key);
    return this.#view(await this.#read(id, caller));
  }

  async list(filter: CallFilter, page: Page): Promise<JsonObject[]> {
    const { workflows } = this.#context.store;
    const calls = await wholePage((part) => workflows.list(filter, part), page);
    return Promise.all(calls.map((call) => this.#view(call)));
  }

  async #view(call: WorkflowCall): Promise<JsonObject> {
    if (call.end !== null) return viewCall(call, true);
    return viewCall(call, await this.#begun(call.id));
  }

  async #begun(id: string): Promise<boolean> {
    try {
      return ((await this.#context.store.activeflows.get(id))?.state.step ?? 0) > 0;
    } catch (thrown) {
      // It is not known how far it is, only that it has not ended; one such call must not hide the others of a list.
      if (toFlowError(thrown).status === 'INTERNAL') return true;
      throw thrown;
    }
  }

  /** Of a user only its own. */
  async #read(id: string, caller: CallerIdentity | undefined): Promise<WorkflowCall> {
    const call = await this.#context.store.workflows.call(id);
    const others =
      caller !== undefined && (call?.customer_id !== caller.customer_id || (!caller.internal && call.user_id !== caller.user_id));
    if (!call || others) throw notFound('workflow call', id);
    return call;
  }
}

/** First of all: everything that walks a value may then recurse. */
function checkDepth({ inputs, asyncResponse, clientContext }: CallRequest): void {
  for (const [name, value] of Object.entries({ inputs, asyncResponse, clientContext })) {
    if (deeperThan(value, DEEPEST)) throw invalid('TOO_DEEP', `/${name}`, 'deeper', `at most ${DEEPEST} levels`);
  }
}

function keyOf(
  { key }: RepeatKey,
  { customer_id, user_id, internal }: CallerIdentity,
  flow_id: string,
  { inputs, asyncResponse, clientContext }: CallRequest,
): NewCall['key'] {
  if (key === '') return undefined;
  const digest = (...parts: readonly unknown[]) => hash('sha256', JSON.stringify(parts), 'base64url');
  return {
    hash: digest(internal ? 'service' : 'user', customer_id, user_id, flow_id, key),
    body_hash: digest(inputs ?? {}, asyncResponse ?? null, clientContext ?? null),
  };
}

function repeated({ call, body_hash }: KeyedCall, asked: string, { strict }: RepeatKey): JsonObject {
  if (!strict || body_hash === asked) return viewCall(asCalled(call), false);
  throw new FlowError('UNPROCESSABLE', 'IDEMPOTENCY_KEY_REUSED', `this key made call ${call.id}, with another body`, [
    { field: 'idempotency-key', expected: 'a new key, or the body that it was first used with' },
  ]);
}

/** What is absent stays so: it is shown again as it was given. */
function calledWith({ inputs, asyncResponse, clientContext }: CallRequest): CalledWith {
  const object = (name: string, value: Json | undefined): JsonObject | undefined => {
    if (value === undefined || value === null || isJsonObject(value)) return value ?? undefined;
    throw invalid('BAD_FIELD', `/${name}`, value, 'an object');
  };
  const [response, context] = [object('asyncResponse', asyncResponse), object('clientContext', clientContext)];
  const called_with = {
    inputs: object('inputs', inputs) ?? {},
    ...(response === undefined ? {} : { asyncResponse: response }),
    ...(context === undefined ? {} : { clientContext: context }),
  };
  checkResponse(called_with);
  return called_with;
}

function checkResponse(called_with: CalledWith): void {
  const { asyncResponse } = called_with;
  if (asyncResponse === undefined) return;
  const { type, id, ...others } = asyncResponse;
  if (typeof type !== 'string' || type.length > LONGEST_TYPE) {
    throw invalid('BAD_FIELD', '/asyncResponse/type', type, `a type of response of at most ${LONGEST_TYPE} characters`);
  }
  if (id !== undefined && (typeof id !== 'string' || id.length > 255)) {
    throw invalid('BAD_FIELD', '/asyncResponse/id', id, 'text of at most 255 characters');
  }
  const [surplus] = Object.keys(others);
  if (surplus !== undefined) throw invalid('BAD_FIELD', `/asyncResponse/${surplus}`, others[surplus], 'only type and id');
  if (type === WORKFLOW_TYPE && (id ?? '') === '') {
    throw invalid('MISSING_FIELD', '/asyncResponse/id', id, 'the id or alias of the workflow that gets the response');
  }
}

/** Users may ask for what the daemon allows and the workflow does; an empty list of the workflow allows all of them. */
function checkResponseType(called_with: CalledWith, [daemon, workflow]: readonly [readonly string[], readonly string[]]): void {
  const type = wanted({ called_with }, 'type');
  if (type === '') return;
  const allowed = workflow.length === 0 ? daemon : daemon.filter((one) => workflow.includes(one));
  if (allowed.includes(type)) return;
  throw invalid('RESPONSE_TYPE_NOT_ALLOWED', '/asyncResponse/type', type, `one of ${allowed.join(', ') || 'none'}`);
}
