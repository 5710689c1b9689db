import type { Draft } from '../../engine/draft.ts';
import { formatTime } from '../../engine/world.ts';
import { FlowError, STATUS_CODES } from '../../error/index.ts';
import type { Activeflow } from '../../model/activeflow.ts';
import { ACTION_FINISH, NIL } from '../../model/id.ts';
import type { JsonObject } from '../../model/json.ts';
import {
  type CallEnd,
  PUSHED_TYPES,
  type ResponseDelivery,
  WORKFLOW_TYPE,
  type WorkflowAnswer,
  type WorkflowCall,
} from '../../model/workflow.ts';
import { type Context, hashId } from '../context.ts';
import { type CallSettlement, EVENT_LEASE_MS, type NewCall, type StoredEvent } from '../ports.ts';
import { channelOf, WAKE_CHANNEL } from '../push/channel.ts';
import type { Refusals } from '../subscription/refusals.ts';
import { findCallable, requireCallable } from './find.ts';
import { checkAllowed, prepareCall } from './prepare.ts';
import { RESPONSE_CREATED, viewResponse, wanted } from './view.ts';

/** Where events go once they are committed; pkg/outbox implements it. */
interface EventOutbox {
  flowEvents(events: readonly StoredEvent[]): void;
}

/**
 * Answers calls of workflows. What a call is answered is written by the very commit that answers it or ends its
 * activeflow, however that ends: so there is one response to each call, whoever dies when. All that comes of it, the
 * event, the push and the call of the next workflow, is written with it.
 */
export class Responder {
  readonly #context: Context;
  readonly #outbox: EventOutbox;
  readonly #refusals: Refusals;

  constructor(context: Context, outbox: EventOutbox, refusals: Refusals) {
    this.#context = context;
    this.#outbox = outbox;
    this.#refusals = refusals;
  }

  /** What the commit of this draft, of a workflow that was called, answers; undefined: nothing. */
  async settlementOf(draft: Draft, now: number): Promise<CallSettlement | undefined> {
    const { base } = draft;
    const result = draft.response ? answered(draft.response) : endedBy(draft);
    if (!result) return undefined;
    const call = await this.#context.store.workflows.call(base.id);
    // Read after the row: a call that is open now is open still when the commit of that row succeeds.
    if (!call || call.end !== null) return undefined;
    const { answer } = result;
    const { delivery, next } = await this.#deliver(call, answer);
    const data = viewResponse(call, { answer });
    const prefix = this.#context.options.push_name_prefix;
    const push = { owner: channelOf(call), workflow_call_id: call.id, name: `${prefix}.workflow_response.create`, data };
    return {
      call_id: call.id,
      ...result,
      delivery,
      tm_end: formatTime(now),
      event: eventOf(call, data),
      ...(next ? { next } : {}),
      ...(delivery.state === 'pushed' ? { push } : {}),
    };
  }

  /** It is stored: tells those who wait. What is lost here is found by a sweep, or by looking again. */
  committed(settlement: CallSettlement): void {
    const { meter, cache } = this.#context;
    meter.add('workflow_response_total', { state: settlement.end, delivery: settlement.delivery.state });
    this.#outbox.flowEvents([settlement.event]);
    if (settlement.push) void cache.publish(WAKE_CHANNEL, settlement.push.owner);
  }

  async #deliver(call: WorkflowCall, answer: WorkflowAnswer): Promise<{ delivery: ResponseDelivery; next?: NewCall }> {
    const type = wanted(call, 'type');
    if (PUSHED_TYPES.has(type)) {
      if (call.user_id !== '') return { delivery: { type, state: 'pushed' } };
      return { delivery: { type, state: 'undeliverable', reason: 'no user has called: there is no channel to push to' } };
    }
    if (type !== WORKFLOW_TYPE) return { delivery: { type, state: 'published' } };
    try {
      const next = await this.#nextCall(call, answer);
      return { delivery: { type, state: 'called', workflow_call_id: next.call.id }, next };
    } catch (thrown) {
      if (!(thrown instanceof FlowError) || thrown.retryable || thrown.status === 'INTERNAL') throw thrown;
      return { delivery: { type, state: 'undeliverable', reason: `${thrown.reason}: ${thrown.message}` } };
    }
  }

  /** The response is the inputs of the next workflow; who has called the first one has called that, too. */
  async #nextCall(call: WorkflowCall, answer: WorkflowAnswer): Promise<NewCall> {
    const { store, options } = this.#context;
    const depth = call.depth + 1;
    if (depth > options.workflow_depth) {
      const message = `responses may call at most ${options.workflow_depth} workflows after each other`;
      throw new FlowError('FAILED_PRECONDITION', 'WORKFLOW_DEPTH', message);
    }
    const workflow = wanted(call, 'id');
    const found = await findCallable(store.workflows, call.customer_id, workflow);
    const { callable, flow } = requireCallable(workflow, found, found && (await store.flows.get(found.flow_id)));
    checkAllowed(callable, call);
    const { clientContext } = call.called_with;
    const id = hashId(`${call.id}/response`);
    const called_with = { inputs: inputsOf(answer), ...(clientContext === undefined ? {} : { clientContext }) };
    // Before the commit: again, when that loses its race, it is the same refusal.
    return this.#refusals.around({ customer_id: call.customer_id, flow_id: flow.id, reference_id: NIL, id, key: '' }, () =>
      prepareCall(this.#context, { id, caller: call, callable, flow, workflow, called_with, depth }),
    );
  }
}

interface Result {
  readonly end: CallEnd;
  readonly answer: WorkflowAnswer;
}

function answered(answer: WorkflowAnswer): Result {
  return { end: answer.status < 400 ? 'SUCCESS' : 'FAILED', answer };
}

/** What an end without an answer of the flow's own is to who called it; undefined: it has not ended now. */
function endedBy({ base, status, current, error, responded }: Draft): Result | undefined {
  if (responded || base.status === 'ended' || status !== 'ended') return undefined;
  if (error) return failed(error);
  if (current.id === ACTION_FINISH) return { end: 'SUCCESS', answer: { status: 200, code: 'SUCCESS', data: {} } };
  return { end: 'CANCELED', answer: { status: 409, code: 'CANCELED', data: {} } };
}

function failed(error: NonNullable<Activeflow['state']['error']>): Result {
  if (error.reason === 'DEADLINE_EXCEEDED') return { end: 'TIMEOUT', answer: { status: 504, code: 'TIMEOUT', data: {} } };
  const status = STATUS_CODES[error.status as keyof typeof STATUS_CODES] ?? 500;
  // What went wrong inside is for the log.
  const data: JsonObject = error.status === 'INTERNAL' ? {} : { message: error.message };
  return { end: 'FAILED', answer: { status, code: error.reason, data } };
}

function inputsOf({ status, code, data }: WorkflowAnswer): JsonObject {
  return { status, code, workflowResponse: data };
}

function eventOf(call: WorkflowCall, data: JsonObject): StoredEvent {
  const { customer_id, user_id, flow_id } = call;
  return {
    id: `${call.id}-response`,
    type: RESPONSE_CREATED,
    data: { ...data, customer_id, user_id, flow_id, activeflow_id: call.id },
    held_ms: EVENT_LEASE_MS,
  };
}
