import type { Action, ActionList } from '../../model/action.ts';
import type { Flow, FlowVersion } from '../../model/flow.ts';
import type { Json } from '../../model/json.ts';
import type { Page } from './page.ts';

export interface FlowFilter {
  readonly customer_id?: string;
  /** default false; undefined here means both */
  readonly deleted?: boolean;
  readonly type?: string;
  readonly name?: string;
}

/** An event that is not an activeflow's own, to be published once its commit is through. */
export interface StoredEvent {
  /** Message id: the same on every repeat. */
  readonly id: string;
  readonly type: string;
  readonly data: Json;
  /** For so long it is left to who commits it, because that process publishes it itself; absent: to be claimed at once. */
  readonly held_ms?: number;
}

/** Longer than publishing ever takes, so that no two processes publish one event side by side. */
export const EVENT_LEASE_MS = 15_000;

/** The answer by request key, stored with the change that it answers; forgotten after `ttl_ms`. */
export interface StoredAnswer {
  readonly key: string;
  readonly status_code: number;
  readonly data: Json;
}

/** What a change of a flow carries besides the flow: written in the same transaction. */
export interface FlowChange {
  readonly flow: Flow;
  /** Absent: a new flow. Else the revision that the change was made from. */
  readonly from?: number;
  /** A new version is recorded when the list changed. */
  readonly new_version: boolean;
  readonly events: readonly StoredEvent[];
  readonly answer?: StoredAnswer;
}

export interface FlowStore {
  get(id: string): Promise<Flow | undefined>;
  list(filter: FlowFilter, page: Page): Promise<Flow[]>;
  /** Flows that are persistent and not deleted. */
  count(customer_id: string): Promise<number>;
  versions(flow_id: string): Promise<FlowVersion[]>;
  /** false: somebody else changed it since `from`, or (new) the id or the answer's key exists already. Then nothing was written. */
  commit(change: FlowChange): Promise<boolean>;
  answer(key: string): Promise<StoredAnswer | undefined>;
  /** Ids of a customer's flows, for deletion with the customer. */
  ofCustomer(customer_id: string, limit: number): Promise<string[]>;
}

/** Immutable lists of actions. `owner`: the customer (key = hash of the bytes) or one activeflow (key = an id). */
export interface ListStore {
  /** Writes it unless it is there, and says that it is in use now: `RetentionStore.unusedLists` lets it be for its time. */
  put(owner: string, key: string, actions: readonly Action[]): Promise<void>;
  /** Says that it is in use for `ms` from now: by an activeflow that runs on another flow's list. */
  use(owner: string, key: string, ms: number): Promise<void>;
  get(owner: string, key: string): Promise<ActionList | undefined>;
}

/** Events of flows, stored by the commit that caused them, until they are published. */
export interface EventStore {
  claim(limit: number, lease_ms: number): Promise<StoredEvent[]>;
  done(ids: readonly string[]): Promise<void>;
  backlog(): Promise<{ pending: number; age_ms: number }>;
}
