/**
 * The names of all metrics and the labels that each one takes. Callers are checked against them; help texts and
 * buckets stand in pkg/metric. On the wire each name has the prefix `flow_manager_`. Labels must be few values:
 * never an id, never text that a customer chose.
 */
export const COUNTERS = {
  event_publish_total: ['type'],
  notify_total: ['type'],
  /** operation: create, update, delete, restore */
  flow_crud_total: ['operation'],
  activeflow_created_total: ['reference_type'],
  activeflow_ended_total: ['reference_type'],
  /** outcome: accepted, dropped_reserved, rejected_value_size, rejected_count, rejected_total */
  activeflow_variable_injection_total: ['outcome'],
  action_executed_total: ['type'],
  action_error_total: ['type'],
  /** target: the sibling that the action is handed to, such as `call-manager` */
  action_dispatch_total: ['target', 'type'],
  /** status_code of the answer */
  receive_request_total: ['status'],
  /** route: as its table has it, such as `/v1/workflows/{id}/call` */
  http_gateway_request_total: ['route', 'method', 'status'],
  /** outcome: lost (and ended), alive, silent */
  caller_lookup_total: ['outcome'],
  /** Failed tries after which an action is tried again. */
  action_retry_total: ['type'],
  /** outcome: answered (whatever the status), not_allowed, over_limit, timeout, too_large, invalid, failed */
  http_client_request_total: ['outcome'],
  /** outcome: consumed, kept, duplicate, rejected */
  callback_request_total: ['outcome'],
  /** door: user, service */
  workflow_call_total: ['door'],
  /** state: SUCCESS, FAILED, TIMEOUT, CANCELED; delivery: published, pushed, called, undeliverable */
  workflow_response_total: ['state', 'delivery'],
  /** reason: slow, too_many */
  push_dropped_total: ['reason'],
  /** outcome: delivered, retried, failed, dropped (its lane was full) */
  webhook_delivery_total: ['outcome'],
  /** reason: gone (410), failing (for too long) */
  subscription_disabled_total: ['reason'],
  case_event_ignored_total: [],
  commit_conflict_total: [],
  /** of: activeflow, flow */
  unreadable_row_total: ['of'],
  dead_letter_total: [],
  /** outcome: ok, failed (an answer that says no), silent, unroutable, refused (breaker open), closed */
  sibling_request_total: ['sibling', 'outcome'],
  /**
   * kind: activeflow, temporary_flow, flow_answer, redelivery, action_list, workflow_call, pushed_event, delivery,
   * delivery_lane, webhook_uri; customer_…: with a deleted customer
   */
  retention_deleted_total: ['kind'],
  scrape_error_total: ['source'],
} as const;

export const GAUGES = {
  activeflow_running: [],
  /** of: activeflow, flow */
  event_backlog: ['of'],
  event_backlog_age_ms: ['of'],
  push_connections: [],
  webhook_backlog: [],
  webhook_backlog_age_ms: [],
  due_backlog: [],
  due_backlog_age_ms: [],
  /** kind: request, event, run */
  work_under_way: ['kind'],
  /** 0 closed, 1 half open, 2 open */
  sibling_breaker_state: ['sibling'],
  /** queue: requests, events, delayed */
  dead_letters: ['queue'],
  erasures_pending: [],
  /** setting: innodb_flush_log_at_trx_commit, sync_binlog, synchronous */
  commit_not_flushed: ['setting'],
  /** server: rabbitmq, database, redis */
  server_up: ['server'],
} as const;

/** In ms, unless the name says otherwise. */
export const HISTOGRAMS = {
  /** type: the route's resource, such as `/activeflows/{id}/next` */
  receive_request_process_time: ['type', 'method'],
  receive_subscribe_event_process_time: ['publisher', 'type'],
  /** Requests to siblings, from sending to the answer. target: `call-manager`; resource: path without ids */
  request_process_time: ['target', 'resource', 'method'],
  sibling_request_time: ['sibling'],
  http_gateway_request_seconds: ['route', 'method'],
  notify_process_time: ['type'],
  webhook_delivery_time: [],
  activeflow_duration_seconds: ['reference_type'],
  activeflow_execute_iterations: ['reference_type'],
  action_execute_duration: ['type'],
} as const;

export type CounterName = keyof typeof COUNTERS;
export type GaugeName = keyof typeof GAUGES;
export type HistogramName = keyof typeof HISTOGRAMS;
export type MetricName = CounterName | GaugeName | HistogramName;

type Names = typeof COUNTERS & typeof GAUGES & typeof HISTOGRAMS;

/** Every label that a metric has, and no other. */
export type LabelsOf<Name extends MetricName> = [Names[Name][number]] extends [never]
  ? Readonly<Record<string, never>>
  : { readonly [label in Names[Name][number]]: string };
