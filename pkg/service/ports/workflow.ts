import type { Activeflow } from '../../model/activeflow.ts';
import type { Json } from '../../model/json.ts';
import type { Callable, CallEnd, ResponseDelivery, WorkflowAnswer, WorkflowCall } from '../../model/workflow.ts';
import type { StoredEvent } from './flow.ts';
import type { Page } from './page.ts';
import type { Cleared } from './upkeep.ts';

/** The answer to a workflow call and all that comes of it: written with what answered it, unless it is answered already. */
export interface CallSettlement {
  readonly call_id: string;
  readonly end: CallEnd;
  readonly answer: WorkflowAnswer;
  readonly delivery: ResponseDelivery;
  /** RFC 3339 */
  readonly tm_end: string;
  readonly event: StoredEvent;
  /** To the channel of a user. */
  readonly push?: NewPush;
  /** The call of the workflow that wanted this response. */
  readonly next?: NewCall;
}

/** A call and the activeflow that works on it: both or neither are stored. */
export interface NewCall {
  readonly call: WorkflowCall;
  readonly activeflow: Activeflow;
  /** By which a repeat is known: of the caller's key, and of what it asked with it. */
  readonly key?: { readonly hash: string; readonly body_hash: string };
}

/** An event for the channel of one user, known by the customer and the hash of the user's id. */
export interface NewPush {
  readonly owner: string;
  readonly workflow_call_id: string;
  readonly name: string;
  readonly data: Json;
}

/** What is found of a call by the key of its caller. */
export interface KeyedCall {
  readonly call: WorkflowCall;
  readonly body_hash: string;
}

export interface CallFilter {
  readonly customer_id: string;
  readonly flow_id?: string;
  /** Only those whose response could not be delivered. */
  readonly undeliverable?: boolean;
}

export interface WorkflowStore {
  callable(flow_id: string): Promise<Callable | undefined>;
  callableByAlias(customer_id: string, alias: string): Promise<Callable | undefined>;
  /** Of a customer, by tm_create and flow_id, newest first. */
  callables(customer_id: string, page: Page): Promise<Callable[]>;
  /** false: it was changed since, `revision` of the given one is not one more; alias_taken: by another flow. */
  putCallable(callable: Callable): Promise<boolean | 'alias_taken'>;
  call(id: string): Promise<WorkflowCall | undefined>;
  /** The call that this key made within the last 24 hours. */
  callByKey(hash: string): Promise<KeyedCall | undefined>;
  list(filter: CallFilter, page: Page): Promise<WorkflowCall[]>;
  /** Stores a call and its activeflow; false: the key, or the id, exists already, and nothing was written. */
  createCall(call: NewCall): Promise<boolean>;
  /** Deletes calls that were answered `age_ms` ago, of `limit` that are looked at behind the place `after`. */
  clearCalls(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Deletes what of a customer's is here, up to `limit` of each kind; how much. 0: nothing is left. */
  erase(customer_id: string, limit: number): Promise<number>;
}

/** An event of a user's channel. Numbers rise in the order of the commits: what is seen is never preceded later. */
export interface PushedEvent {
  readonly seq: number;
  readonly workflow_call_id: string;
  readonly name: string;
  readonly data: Json;
}

export interface PushStore {
  /** Number of the last event of each of these channels; those without any are left out. */
  heads(owners: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Events behind a number, oldest first. */
  read(owner: string, after: number, limit: number): Promise<PushedEvent[]>;
  /** Deletes events older than `age_ms`, and channels that had none since, of `limit` channels behind the place `after`. */
  clear(age_ms: number, after: string, limit: number): Promise<Cleared>;
}
