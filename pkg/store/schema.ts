import type { Generated } from 'kysely';

/**
 * The tables as the queries see them; migrations/ makes them. Times are text in the form of the dialect
 * (`Dialect.time`), JSON is text that is parsed once, flags are 0 or 1.
 */
export interface Schema {
  flows: FlowRow;
  flow_versions: { flow_id: string; version: number; list: string; tm_create: string };
  flow_answers: { key_hash: string; status_code: number; data: string; expires_at: string };
  /** tm_used: when it was last put, or until when it is needed anyway; NULL: written by an older release. */
  action_lists: { owner: string; list_key: string; actions: string; tm_used: string | null };
  activeflows: ActiveflowRow;
  trace_steps: { activeflow_id: string; seq: number; step: string };
  history_records: { activeflow_id: string; revision: number; record: string };
  events: { position: Generated<number>; id: string; type: string; data: string; tm_create: string; claimable_at: string };
  /** properties: `DelayedProperties` and whether the delivery is known to be settled; NULL: written by an older release. */
  delayed_messages: { id: string; queue: string; body: string; headers: string; properties: string | null; due_at: string };
  redeliveries: { id: string; seen: number; tm_update: string };
  leases: { name: string; holder: string; expires_at: string };
  erasures: { customer_id: string; claimable_at: string; tm_create: string };
  callbacks: CallbackRow;
  callback_arrivals: CallbackArrivalRow;
  callables: CallableRow;
  workflow_calls: WorkflowCallRow;
  push_heads: { owner: string; seq: number; tm_update: string };
  push_events: { owner: string; seq: number; workflow_call_id: string; name: string; data: string; tm_create: string };
  participants: ParticipantRow;
  subscriptions: SubscriptionRow;
  subscription_uses: SubscriptionUseRow;
  delivery_lanes: LaneRow;
  deliveries: DeliveryRow;
}

export interface ParticipantRow {
  customer_id: string;
  reference_type: string;
  reference_id: string;
  name: string;
  value: string;
  revision: number;
  /** The activeflow whose state the value is; empty: it is nobody's. */
  job_id: string;
  /** Ids of the activeflows that wait for this job, as a JSON list; null: none. */
  waiters: string | null;
  tm_update: string;
}

export interface SubscriptionRow {
  id: string;
  customer_id: string;
  origin: string;
  enabled: number;
  config: string;
  secrets: string;
  disabled_reason: string;
  failing_since: string | null;
  revision: number;
  tm_create: string;
  tm_update: string | null;
}

export interface SubscriptionUseRow {
  subscription_id: string;
  tm_used: string;
}

/** What is delivered strictly one after another. Positions up to `done_position` are over, those up to `last_position` are not. */
export interface LaneRow {
  id: string;
  subscription_id: string;
  last_position: number;
  done_position: number;
  /** Sequences that were lost since the last delivery, as JSON. */
  missing: string;
  lease_ms: number;
  /** Who delivers it; empty: nobody. */
  holder: string;
  /** When it may be taken: its next try, or the end of a lease; NULL: nothing waits in it. */
  claimable_at: string | null;
  tm_update: string;
}

export interface DeliveryRow {
  lane_id: string;
  position: number;
  id: string;
  subscription_id: string;
  activeflow_id: string;
  /** Its number in the lane that it was made for: a replay has another place. */
  sequence: number;
  type: string;
  /** JSON, less sequence and missing. */
  body: string;
  status: string;
  attempts: number;
  response_code: number | null;
  latency_ms: number | null;
  error: string | null;
  next_try_at: string | null;
  tm_create: string;
  tm_update: string | null;
}

export interface FlowRow {
  id: string;
  customer_id: string;
  user_id: number | null;
  type: string;
  name: string;
  detail: string;
  persist: number;
  webhook_uri: string;
  list: string;
  version: number;
  revision: number;
  on_complete_flow_id: string;
  fallback_flow_id: string;
  deadline_ms: number;
  direct_id: string;
  direct_hash: string;
  warnings: string;
  tm_create: string;
  tm_update: string | null;
  tm_delete: string | null;
  tm_expire: string | null;
}

export interface ActiveflowRow {
  id: string;
  customer_id: string;
  user_id: number | null;
  flow_id: string;
  reference_type: string;
  reference_id: string;
  reference_activeflow_id: string;
  on_complete_flow_id: string;
  fallback_flow_id: string;
  webhook_uri: string;
  webhook_method: string;
  /** As given; `create_hash` is what is unique, because keys may be longer than an index takes. */
  create_key: string | null;
  create_hash: string | null;
  revision: number;
  status: string;
  state: string;
  variables: string;
  outbox: string;
  /** The tokens of the last commits, newest first, each TOKEN_LENGTH characters: see token.ts. */
  tokens: string;
  /** 1 while a run is stored that does not pause before its next try, for `renew`. */
  has_run: number;
  /** The earlier of wake_at and deadline_at of a running activeflow; NULL when it has ended. */
  wake_at: string | null;
  deadline_at: string | null;
  /** When the latest commit was made whose events are not known to be published; NULL: none. */
  unsettled_at: string | null;
  tm_create: string;
  tm_update: string | null;
  tm_delete: string | null;
}

export interface CallbackRow {
  id: string;
  activeflow_id: string;
  customer_id: string;
  name: string;
  step: number;
  methods: string;
  auth: string;
  multi: number;
  token_hash: string;
  expires_at: string | null;
  tm_create: string;
}

export interface CallbackArrivalRow {
  activeflow_id: string;
  id: string;
  callback_id: string;
  status: string;
  code: number;
  reason: string;
  method: string;
  bytes: number;
  key_hash: string | null;
  body_hash: string | null;
  /** NULL once it is consumed. */
  payload: string | null;
  tm_create: string;
  tm_consume: string | null;
}

export interface CallableRow {
  flow_id: string;
  customer_id: string;
  enabled: number;
  /** NULL: none; many of a customer may have none. */
  alias: string | null;
  input_schema: string | null;
  allowed_users: string;
  allowed_teams: string;
  response_types: string;
  timeout: number;
  managed: number;
  revision: number;
  tm_create: string;
  tm_update: string | null;
}

export interface WorkflowCallRow {
  id: string;
  customer_id: string;
  user_id: string;
  teams: string;
  internal: number;
  workflow: string;
  flow_id: string;
  depth: number;
  called_with: string;
  /** Of the caller's key for repeats, and of what was asked with it; NULL: none, or forgotten. */
  key_hash: string | null;
  body_hash: string | null;
  /** open, or how it ended. */
  state: string;
  status: number | null;
  code: string | null;
  response: string | null;
  delivery: string | null;
  tm_create: string;
  tm_end: string | null;
}
