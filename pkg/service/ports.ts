/**
 * What the use cases need of the world. Store, cache, bus, sibling and http implement these; the composition
 * root joins them. One contract suite per port runs against each of its adapters. Over 300 lines, because it is the one
 * page on which everything outside is agreed.
 */
import type { Action, ActionList } from '../model/action.ts';
import type { Activeflow, TraceStep } from '../model/activeflow.ts';
import type { Arrival, Callback, TakenArrival } from '../model/callback.ts';
import type { Flow, FlowVersion } from '../model/flow.ts';
import type { HistoryRecord } from '../model/history.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { CounterName, GaugeName, HistogramName, LabelsOf } from '../model/metric.ts';
import type { Participant, ParticipantEntry } from '../model/participant.ts';
import type { DeliveryStatus, Delivery as StoredDelivery, Subscription } from '../model/subscription.ts';
import type { Callable, CallEnd, ResponseDelivery, WorkflowAnswer, WorkflowCall } from '../model/workflow.ts';

// ---- store -------------------------------------------------------------------------------------------

/** Newest first by (tm_create, id), starting after the token's place. */
export interface Page {
  /** 1 to 1,000 */
  readonly size: number;
  /**
   * Token of the last item seen; absent: from the newest. `tm_create` alone means: strictly older than that;
   * with an id behind a `~` the order of ids decides between items of that time.
   */
  readonly after?: { readonly tm_create: string; readonly id?: string };
}

export interface FlowFilter {
  readonly customer_id?: string;
  /** default false; undefined here means both */
  readonly deleted?: boolean;
  readonly type?: string;
  readonly name?: string;
}

export interface ActiveflowFilter {
  readonly customer_id?: string;
  readonly deleted?: boolean;
  readonly flow_id?: string;
  readonly status?: string;
  readonly reference_type?: string;
  readonly reference_id?: string;
  readonly reference_activeflow_id?: string;
}

/** An event that is not an activeflow's own, to be published once its commit is through. */
export interface StoredEvent {
  /** Message id: the same on every repeat. */
  readonly id: string;
  readonly type: string;
  readonly data: Json;
}

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

/** One value of a participant, written whole. */
export interface ParticipantWrite {
  readonly participant: Participant;
  readonly key: string;
  readonly value: Json;
  /** Only while the entry is at this revision; 0: only while there is none. Absent: whatever is there. */
  readonly from?: number;
  /** The job whose state it is, from now on. */
  readonly job_id?: string;
  /** Only where the entry is this job's; elsewhere it is left alone, and that is fine. */
  readonly of_job?: string;
}

/** Values that activeflows of one reference share, each with a revision of its own. */
export interface ParticipantStore {
  /** All entries, by key. */
  read(participant: Participant): Promise<ParticipantEntry[]>;
  /** Undefined: the entry is not at `from`, nothing was written. */
  write(write: ParticipantWrite): Promise<ParticipantEntry | undefined>;
  /** Erases a customer's entries, `limit` at most. Returns how many. */
  removeCustomer(customer_id: string, limit: number): Promise<number>;
  /** Erases entries that nobody has written for `age_ms`, `limit` at most. Returns how many. */
  forget(age_ms: number, limit: number): Promise<number>;
}

/** One conditional write: succeeds only when the row is still at revision `next.revision - 1`. */
export interface ActiveflowCommit {
  /** The whole new row; its revision is one more than the one it was decided on. */
  readonly next: Activeflow;
  /** False: the variables are those of the row already, and need not be written. */
  readonly variables_changed: boolean;
  /** Activeflows that this commit makes: on_complete_flow, jobs. */
  readonly creates?: readonly Activeflow[];
  /** Requests to callbacks that this commit takes in, and ids of those that it uses up. */
  readonly arrivals?: { readonly kept: readonly TakenArrival[]; readonly taken: readonly string[] };
  /** Participant data that it writes; an entry that is not at its `from` makes it a lost race. */
  readonly participants?: readonly ParticipantWrite[];
  /** What it answers the caller of a workflow. */
  readonly settles?: CallSettlement;
}

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

/** Steps of one activeflow that follow each other, at least one. */
export interface TracePiece {
  readonly id: string;
  readonly steps: readonly TraceStep[];
}

export interface ActiveflowStore {
  get(id: string): Promise<Activeflow | undefined>;
  /** The activeflow that this request key made within the last hour. */
  byCreateKey(key: string): Promise<Activeflow | undefined>;
  list(filter: ActiveflowFilter, page: Page): Promise<Activeflow[]>;
  /** False: the id or the create key exists already, or an entry is not at its `from`; nothing was written. */
  create(activeflow: Activeflow, participants?: readonly ParticipantWrite[]): Promise<boolean>;
  /** False: lost the race, nothing was written. An unknown outcome is settled before it answers. */
  commit(change: ActiveflowCommit): Promise<boolean>;
  /** Running activeflows of a reference, for `call_hangup` without an activeflow id. */
  ofReference(reference_type: string, reference_id: string): Promise<string[]>;
  /** Ids of a customer's activeflows that are not deleted. */
  ofCustomer(customer_id: string, limit: number): Promise<string[]>;
  countRunning(): Promise<number>;
  /** Which of these have ended. */
  ended(ids: readonly string[]): Promise<string[]>;
  /**
   * The row with whatever of it cannot be read replaced by the least that a row needs, so that it can be ended and
   * shown. Numbers of events and trace steps go on above all that were given.
   */
  salvage(id: string): Promise<Activeflow | undefined>;
  /** Trace steps that have moved to rows of their own, by seq. */
  trace(id: string): Promise<TraceStep[]>;
  /** Moves trace steps to rows of their own, each piece one row; again the same, or the same and more: each step once. */
  addTrace(pieces: readonly TracePiece[]): Promise<void>;
  /** Says that all events of these rows at these revisions are published, so that no sweep looks at them. */
  settled(rows: readonly { readonly id: string; readonly revision: number }[]): Promise<void>;
  /** Rows with unpublished events older than `age_ms`. */
  unsettled(age_ms: number, limit: number): Promise<Activeflow[]>;
  /**
   * Takes running rows whose wake_at or deadline_at has come (the store keeps the earlier of both as wake_at): puts
   * wake_at `lease_ms` later so that no other process takes them meanwhile, without counting the revision. By the
   * database's clock.
   */
  claimDue(limit: number, lease_ms: number): Promise<string[]>;
  /** Puts wake_at `lease_ms` from now for runs that this process is still at; only where a run is stored. */
  renew(ids: readonly string[], lease_ms: number): Promise<void>;
  /** Figures for the metrics: rows unsettled and due, and the age in ms of the oldest. */
  backlog(): Promise<{ unsettled: number; unsettled_age_ms: number; due: number; due_age_ms: number }>;
}

/** Records of histories that have moved out of their activeflows' rows. */
export interface HistoryStore {
  /** Again the same: nothing. */
  add(activeflow_id: string, records: readonly HistoryRecord[]): Promise<void>;
  /** By revision. */
  get(activeflow_id: string): Promise<HistoryRecord[]>;
  /** All of these activeflows' records: to be called wherever an activeflow's row is deleted. */
  remove(activeflow_ids: readonly string[]): Promise<void>;
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

/** Events of flows, stored by the commit that caused them, until they are published. */
export interface EventStore {
  claim(limit: number, lease_ms: number): Promise<StoredEvent[]>;
  done(ids: readonly string[]): Promise<void>;
  backlog(): Promise<{ pending: number; age_ms: number }>;
}

/** What a message was sent with besides its headers; absent: without. */
export interface DelayedProperties {
  readonly message_id?: string;
  readonly correlation_id?: string;
  readonly reply_to?: string;
  readonly content_type?: string;
  /** How `body` stands for bytes that are no UTF-8. */
  readonly encoding?: 'base64';
}

/** Messages for later: what the broker's delay exchange holds when the broker has no plugin for it. */
export interface DelayedMessage {
  /** The row's own. Of a message that has no id: its content's hash, a slash, and something that no other one has. */
  readonly id: string;
  readonly queue: string;
  readonly body: string;
  readonly headers: { readonly [name: string]: Json };
  readonly properties: DelayedProperties;
}

export interface DelayStore {
  /** The same id again: nothing, the first one stands. `open`: it is not known yet whether its delivery is acknowledged. */
  add(message: DelayedMessage, delay_ms: number, open?: 'open'): Promise<void>;
  /** Rows `<content>/…` that are open. */
  open(content: string): Promise<string[]>;
  /** Its delivery is acknowledged: an equal message is another one from now on. */
  settled(id: string): Promise<void>;
  claim(limit: number, lease_ms: number): Promise<DelayedMessage[]>;
  done(ids: readonly string[]): Promise<void>;
}

/** How often messages came again, counted before they are worked on: one that crashes its reader must not loop. */
export interface RedeliveryStore {
  /** Counts one more and answers how often it came again so far, this time included. */
  count(id: string): Promise<number>;
}

/** One step of clearing away. */
export interface Cleared {
  /** What was deleted. */
  readonly count: number;
  /** Where the next step goes on; null: everything was looked at. */
  readonly next: string | null;
}

/**
 * Deletes what is no longer needed, step by step: each looks at `limit` rows behind the place `after` (empty: from the
 * start). Safe to run in several processes at once, and to break off anywhere. Ages by the database's clock.
 */
export interface RetentionStore {
  /** Activeflows that ended `age_ms` ago and have published everything, with their traces and lists. */
  endedActiveflows(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Temporary flows that expired `age_ms` ago and that no activeflow names. */
  temporaryFlows(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Lists that nothing names and that were last used `age_ms` ago. */
  unusedLists(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Answers by request key whose time is over. */
  flowAnswers(limit: number): Promise<Cleared>;
  redeliveries(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Deliveries that are over. */
  deliveries(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Lanes in which nothing waits and of which no delivery is left. */
  deliveryLanes(age_ms: number, after: string, limit: number): Promise<Cleared>;
}

/** Who does what only one process should do at a time. It saves work; nothing may rely on it to be right. */
export interface LeaseStore {
  /** True: it is the holder's for `ms` from now, anew or still. */
  take(name: string, holder: string, ms: number): Promise<boolean>;
}

export interface Erasure {
  readonly customer_id: string;
  /** Since it was asked for. */
  readonly age_ms: number;
}

/** Customers who are gone and whose things are to be erased, as long as that lasts. */
export interface ErasureStore {
  add(customer_id: string): Promise<void>;
  claim(lease_ms: number): Promise<Erasure | undefined>;
  /** It is to be looked at again in `in_ms`. */
  again(customer_id: string, in_ms: number): Promise<void>;
  done(customer_id: string): Promise<void>;
  pending(): Promise<number>;
  /** Erases activeflows that have ended and published everything. left: there are more, of whatever state. */
  activeflows(customer_id: string, limit: number): Promise<{ readonly erased: number; readonly left: boolean }>;
  /** Erases deleted flows with their versions; how many. */
  flows(customer_id: string, limit: number): Promise<number>;
  /** Erases lists; their keys. */
  lists(customer_id: string, limit: number): Promise<string[]>;
}

export interface SubscriptionStore {
  get(id: string): Promise<Subscription | undefined>;
  /** Those of these ids that are there. */
  some(ids: readonly string[]): Promise<Subscription[]>;
  /** Newest first. */
  list(filter: { readonly customer_id?: string }, page: Page): Promise<Subscription[]>;
  /** Those that customers made and that are enabled: who is told of what happens to these customers' flows. */
  listening(customer_ids: readonly string[]): Promise<Subscription[]>;
  /** Made by the customer itself. */
  count(customer_id: string): Promise<number>;
  /** False: the id exists already. */
  create(subscription: Subscription): Promise<boolean>;
  /** False: somebody else has changed it since `from`; nothing was written, the events neither. */
  update(next: Subscription, from: number, events: readonly StoredEvent[]): Promise<boolean>;
  /** With its lanes and its log, piece by piece. */
  remove(id: string): Promise<void>;
  /** Deletes a customer's subscriptions with all that hangs on them; how many. */
  removeOfCustomer(customer_id: string, limit: number): Promise<number>;
}

/** A notification for one subscription, on its way into a lane. */
export interface NewDelivery {
  readonly id: string;
  readonly activeflow_id: string;
  readonly type: string;
  readonly body: string;
  readonly tm: string;
}

export interface NewInLane {
  readonly lane_id: string;
  readonly subscription_id: string;
  /** For how long the lane is taken at each send, in ms. */
  readonly lease_ms: number;
  /** In order. Those that were added before are left out. */
  readonly deliveries: readonly NewDelivery[];
}

/** A lane in somebody's hands. */
export interface HeldLane {
  readonly id: string;
  readonly subscription_id: string;
  readonly last_position: number;
  readonly done_position: number;
  readonly missing: readonly number[];
  readonly lease_ms: number;
}

/** What became of one delivery, and of its lane. */
export interface DeliveryOutcome {
  readonly lane: HeldLane;
  readonly delivery: StoredDelivery;
  /** pending: it is tried again after `again_ms`. */
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly response_code: number | null;
  readonly latency_ms: number | null;
  readonly error: string | null;
  readonly again_ms?: number;
  readonly missing: readonly number[];
}

export interface DeliveryStore {
  /** All of them in one go, each once: how many are new, and how many of these found their lane full and were dropped. */
  add(lanes: readonly NewInLane[], backlog: number): Promise<{ readonly added: number; readonly dropped: number }>;
  /** Takes lanes in which something is due, each for its own lease: of one subscription, or of all but some. */
  claim(holder: string, limit: number, of: { readonly only: string } | { readonly not: readonly string[] }): Promise<HeldLane[]>;
  /** What waits in lanes, by lane and position, at most so many in all. */
  waiting(lanes: readonly HeldLane[], limit: number): Promise<StoredDelivery[]>;
  /**
   * Stores outcomes and renews the leases of lanes in which more waits; the others, and those that wait for their next try,
   * are let go. The lanes as they are now; those that are missing were let go, or are another's (then nothing was stored).
   */
  record(holder: string, outcomes: readonly DeliveryOutcome[]): Promise<HeldLane[]>;
  /** Lets go of lanes: at once for anybody, or `parked` until their subscription is enabled. */
  release(holder: string, ids: readonly string[], how: 'due' | 'parked'): Promise<void>;
  /** All lanes of a subscription get this lease; `due`: those in which something waits are due again. */
  unpark(subscription_id: string, lease_ms: number, due: boolean): Promise<void>;
  get(id: string): Promise<StoredDelivery | undefined>;
  /** Newest first. */
  list(subscription_id: string, status: string | undefined, page: Page): Promise<StoredDelivery[]>;
  /**
   * Puts deliveries of a subscription that are over into its lane for replays; how many. `since`: RFC 3339, those that
   * have failed from then on.
   */
  replay(
    lane: { readonly lane_id: string; readonly subscription_id: string; readonly lease_ms: number },
    which: { readonly id: string } | { readonly since: string },
    limit: number,
  ): Promise<number>;
  backlog(): Promise<{ readonly lanes: number; readonly age_ms: number }>;
}

/** A setting of the server with which a commit is answered before it is on the disk. */
export interface WeakSetting {
  readonly setting: string;
  readonly value: string;
  readonly expected: string;
}

/** What a callback has had so far. */
export interface Standing {
  /** Requests that are kept for its activeflow, by whichever callback. */
  readonly kept: number;
  /** The first one that it took. */
  readonly first?: { readonly id: string; readonly body_hash: string };
  /** The one that it took under the same Idempotency-Key. */
  readonly same_key?: string;
}

/** Callbacks of flows. What comes to one is written by the commit of its activeflow (`ActiveflowCommit.arrivals`). */
export interface CallbackStore {
  /** The same id again: nothing, the first one stands. */
  create(callback: Callback): Promise<void>;
  get(id: string): Promise<Callback | undefined>;
  newest(activeflow_id: string, name: string): Promise<Callback | undefined>;
  /** The newest 100 of both, newest first. */
  ofActiveflow(
    activeflow_id: string,
  ): Promise<{ readonly callbacks: readonly Callback[]; readonly arrivals: readonly Arrival[] }>;
  standing(callback: Callback, key_hash: string | null): Promise<Standing>;
  oldestKept(callback: Callback): Promise<{ readonly id: string; readonly payload: Json } | undefined>;
  /** Keeps a request that was rejected, and forgets older ones. */
  reject(arrival: Arrival): Promise<void>;
}

export interface Store {
  readonly callbacks: CallbackStore;
  readonly flows: FlowStore;
  readonly lists: ListStore;
  readonly activeflows: ActiveflowStore;
  readonly histories: HistoryStore;
  readonly events: EventStore;
  readonly delays: DelayStore;
  readonly redeliveries: RedeliveryStore;
  readonly retention: RetentionStore;
  readonly leases: LeaseStore;
  readonly erasures: ErasureStore;
  readonly participants: ParticipantStore;
  readonly workflows: WorkflowStore;
  readonly pushes: PushStore;
  readonly subscriptions: SubscriptionStore;
  readonly deliveries: DeliveryStore;
  /** Brings the schema up to date; one replica at a time. Returns the names of what it ran. */
  migrate(): Promise<string[]>;
  /** Throws when the database cannot be reached, or is not migrated. */
  check(): Promise<void>;
  /** The database's time minus this process's, in ms. */
  clockOffset(): Promise<number>;
  /** Settings that make a commit less durable than promised; empty: none. */
  weakSettings(): Promise<WeakSetting[]>;
  close(): Promise<void>;
}

// ---- cache -------------------------------------------------------------------------------------------

/** Never a source of truth: every call may find nothing, and none of them throws. */
export interface Cache {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttl_ms: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** To every process, this one included; may be lost. */
  publish(channel: string, message: string): Promise<void>;
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>;
  check(): Promise<void>;
  close(): Promise<void>;
}

// ---- bus ---------------------------------------------------------------------------------------------

/** A message that was delivered to this process and is not acknowledged yet. */
export interface Delivery {
  readonly body: Uint8Array;
  /** Empty: nobody waits for an answer. */
  readonly reply_to: string;
  readonly correlation_id: string;
  readonly message_id: string;
  readonly redelivered: boolean;
  readonly headers: { readonly [name: string]: unknown };
  readonly routing_key: string;
  /** Absent: none was given. */
  readonly content_type?: string;
}

export interface OutgoingMessage {
  /** Empty: the default exchange, where the routing key names a queue. */
  readonly exchange: string;
  readonly routing_key: string;
  readonly body: string;
  /** How `body` stands for bytes; default utf8. */
  readonly encoding?: 'base64';
  readonly message_id?: string;
  readonly correlation_id?: string;
  readonly reply_to?: string;
  /** default application/json */
  readonly content_type?: string;
  readonly headers?: { readonly [name: string]: Json };
  readonly expiration_ms?: number;
}

/** What a handler wants done with a delivery, after which it is acknowledged. */
export type Verdict =
  | {
      readonly kind: 'done';
      readonly reply?: string;
      /** Called when it was acknowledged (true), or could not be, so that it will come again. */
      readonly settled?: (acknowledged: boolean) => void;
    }
  /** Set aside to the dead-letter queue with its reason; `reply` goes to who waits for an answer. */
  | { readonly kind: 'dead'; readonly reason: string; readonly reply?: string }
  /** Given back: another process, or this one later, shall have it. */
  | { readonly kind: 'requeue' };

export interface Serving {
  /** Takes no more, waits for what is under way, then closes. */
  close(): Promise<void>;
}

export class BusError extends Error {
  /** timeout: no answer in time; unroutable: no such queue; closed: connection lost or closing. */
  readonly code: 'timeout' | 'unroutable' | 'closed';

  constructor(code: BusError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BusError';
    this.code = code;
  }
}

export interface Bus {
  /**
   * Consumes a durable queue; `bind` names durable fanout exchanges it is bound to. Survives reconnects.
   * `transient`: a queue as siblings declare theirs, not durable and gone with its last consumer.
   */
  serve(
    queue: string,
    handler: (delivery: Delivery) => Promise<Verdict>,
    options: { readonly prefetch: number; readonly bind?: readonly string[]; readonly transient?: boolean },
  ): Promise<Serving>;
  /** Sends a request and resolves with the body of the answer. Throws BusError. */
  request(
    queue: string,
    body: string,
    options: { readonly timeout_ms: number; readonly message_id: string },
  ): Promise<Uint8Array>;
  /** Resolves when the broker has taken all of them; throws BusError when any outcome is unknown. */
  publish(messages: readonly OutgoingMessage[]): Promise<void>;
  /** Declares a durable fanout exchange, or uses it as it is. */
  declareExchange(exchange: string): Promise<void>;
  /**
   * Sends a message to a queue after a delay, by the broker's delay exchange. Resolves when it is safe there.
   */
  delay(queue: string, body: string, delay_ms: number, message_id: string): Promise<void>;
  /** Throws when the broker cannot be reached. */
  check(): Promise<void>;
  close(): Promise<void>;
}

// ---- the rest ------------------------------------------------------------------------------------------

export interface SiblingRequest {
  readonly to: string;
  readonly method: string;
  readonly uri: string;
  readonly data?: Json;
  /** The same for the same step, whatever crashes: siblings drop repeats by it. */
  readonly request_id: string;
  readonly timeout_ms: number;
}

/** Requests to the other managers. Throws FlowError: UNAVAILABLE when silent or unreachable, else what it answered. */
export interface Siblings {
  request(request: SiblingRequest): Promise<Json>;
  /** Sends it and waits for no answer, only for the broker. */
  send(request: SiblingRequest): Promise<void>;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Besides those of the client; the names of hop-by-hop headers, and Host, are refused. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Added to the query of the URL, in this order. */
  readonly query?: readonly (readonly [string, string])[];
  /** Sent as JSON. */
  readonly body?: Json;
  /** Sent as it is, instead of `body`. */
  readonly text?: string;
  /** From asking to the last byte of the answer; default 10,000. */
  readonly timeout_ms?: number;
  /** Whose limits it counts against; absent: nobody's. */
  readonly customer_id?: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; several values of one name joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed when it is JSON, else text. */
  readonly body: Json;
}

/** HTTP to addresses that customers choose. Throws FlowError; no message holds more of a URL than its host. */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** Checks values against schemas that customers write. */
export interface InputSchemas {
  /** Throws FlowError INVALID_ARGUMENT: it is no JSON Schema, too large, or could take too long. `at`: where it stands. */
  checkSchema(schema: JsonObject, at: string): void;
  /** Throws FlowError INVALID_ARGUMENT with the paths, below `at`, of what does not fit. */
  check(schema: JsonObject, value: JsonObject, at: string): void;
}

/** Time by the database's clock, and new ids. */
export interface Clock {
  /** ms since 1970, UTC */
  now(): number;
}

export interface Ids {
  /** A UUIDv7. */
  next(): string;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counts and times, by the names of pkg/model/metric.ts: an unknown name or label does not compile. */
export interface Meter {
  /** `value` defaults to 1. */
  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, value?: number): void;
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void;
}
