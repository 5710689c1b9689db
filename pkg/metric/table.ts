import type { CounterName, GaugeName, HistogramName } from '../model/metric.ts';

export const COUNTER_HELP: Readonly<Record<CounterName, string>> = {
  event_publish_total: 'Events that the broker has confirmed',
  notify_total: 'Webhooks handed to webhook-manager',
  flow_crud_total: 'Changes of flows',
  activeflow_created_total: 'Activeflows created',
  activeflow_ended_total: 'Activeflows ended',
  activeflow_variable_injection_total: 'Variables given at creation, by what became of them',
  action_executed_total: 'Actions that were executed',
  action_error_total: 'Actions whose failure stopped their flow',
  action_dispatch_total: 'Actions that asked something of a sibling',
  receive_request_total: 'Requests answered, by status code',
  http_gateway_request_total: 'Requests over HTTP, by route and status',
  caller_lookup_total: 'Calls looked up because nobody had asked for their next action for long, by what came out',
  action_retry_total: 'Failed tries of actions that are tried again',
  http_client_request_total: 'Requests to addresses that customers chose, by how they came out',
  callback_request_total: 'Requests to callbacks, by what became of them',
  workflow_call_total: 'Calls of workflows, by who called',
  workflow_response_total: 'Responses to calls of workflows, by how the call ended and what became of the response',
  push_dropped_total: 'Connections of the push channel that were closed or refused, by why',
  webhook_delivery_total: 'Attempts to deliver notifications to subscriptions, by what became of them',
  subscription_disabled_total: 'Subscriptions that were disabled because their endpoint is gone or has failed for too long',
  case_event_ignored_total:
    'Events of cases that do not say which case it is, whose, and its status, and that nobody was told of',
  commit_conflict_total: 'Commits that lost a race and were decided again',
  unreadable_row_total: 'Stored activeflows and flows that were met and cannot be read',
  dead_letter_total: 'Messages set aside',
  sibling_request_total: 'Requests to siblings, by how they came out',
  retention_deleted_total: 'Rows deleted because they had been kept for long enough, or with their customer',
  scrape_error_total: 'Figures that could not be read for a scrape',
};

export const GAUGE_HELP: Readonly<Record<GaugeName, string>> = {
  activeflow_running: 'Activeflows that are running, in the whole service',
  event_backlog: 'Rows with events that are stored and not published yet',
  event_backlog_age_ms: 'Age in ms of the oldest of these',
  push_connections: 'Open connections of the push channel',
  webhook_backlog: 'Lanes in which notifications wait to be delivered',
  webhook_backlog_age_ms: 'How late in ms the oldest of these is; lanes that wait for their next try are not late',
  due_backlog: 'Activeflows whose due time has come and that nobody has taken yet',
  due_backlog_age_ms: 'How late in ms the oldest of these is',
  work_under_way: 'Work that this process has begun and not finished',
  sibling_breaker_state: 'Breaker of a sibling: 0 closed, 1 half open, 2 open',
  dead_letters: 'Messages that were set aside and lie there, by the queue that they came from',
  erasures_pending: 'Deleted customers whose things are being erased or looked for',
  commit_not_flushed: 'Settings of the database with which a commit is answered before it is on the disk: 1 each',
  server_up: 'Whether a server answered the last check: 1 or 0',
};

/** From a row's read to a slow sibling's time-out, in ms. The original's began at 50, above nearly everything. */
const LATENCY_MS = [0.5, 1, 2, 3, 5, 7.5, 10, 15, 25, 50, 100, 250, 500, 1_000, 3_000, 10_000, 30_000, 60_000];

interface HistogramForm {
  readonly help: string;
  readonly buckets: readonly number[];
}

export const HISTOGRAM_FORMS: Readonly<Record<HistogramName, HistogramForm>> = {
  receive_request_process_time: { help: 'From taking a request to its answer, in ms', buckets: LATENCY_MS },
  receive_subscribe_event_process_time: { help: 'Processing an event of a sibling, in ms', buckets: LATENCY_MS },
  request_process_time: { help: 'From sending a request to a sibling to its answer, in ms, by resource', buckets: LATENCY_MS },
  sibling_request_time: { help: 'From sending a request to a sibling to its answer, in ms, by sibling', buckets: LATENCY_MS },
  http_gateway_request_seconds: {
    help: 'From a request over HTTP to its answer, in seconds; without those that become a stream',
    buckets: LATENCY_MS.map((ms) => ms / 1_000),
  },
  notify_process_time: { help: 'From storing an event to its confirmation by the broker, in ms', buckets: LATENCY_MS },
  webhook_delivery_time: {
    help: 'One attempt to deliver a notification, until its outcome is stored, in ms',
    buckets: LATENCY_MS,
  },
  activeflow_duration_seconds: {
    help: 'From creation to end of an activeflow, in seconds',
    buckets: [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 86_400],
  },
  activeflow_execute_iterations: {
    help: 'Actions that one request ran through',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000],
  },
  action_execute_duration: { help: 'Execution of one action, its requests to siblings included, in ms', buckets: LATENCY_MS },
};
