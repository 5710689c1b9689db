import { DEFAULT_LIMITS, type Limits } from '../engine/world.ts';
import { FlowError } from '../error/index.ts';
import { HISTORY_KEEPS, type HistoryKeep } from '../model/history.ts';
import type { CallbackOptions, ServiceOptions } from '../service/context.ts';
import type { RetentionOptions } from '../service/retention.ts';
import { checkAddresses } from './addresses.ts';
import { callbackOptions } from './callbacks.ts';
import { type FlagValues, wrong } from './flags.ts';
import { type HttpSettings, httpSettings } from './http.ts';

/** The flags as the daemon uses them, typed and checked. */
export interface Settings {
  readonly dsn: string;
  readonly prom: { readonly address: string; readonly endpoint: string };
  readonly rabbit: {
    readonly url: string;
    readonly delay: string;
    readonly events: string;
    readonly requests: string;
    readonly subscribe: string;
    readonly prefetch: number;
  };
  readonly redis: { readonly addr: string; readonly db: number; readonly password: string; readonly tls: boolean };
  readonly migrate: boolean;
  /** Folder of the database file; undefined: on servers. */
  readonly embedded: string | undefined;
  readonly sandbox: boolean;
  /** undefined: no gateway */
  readonly http: HttpSettings | undefined;
  readonly callbacks: CallbackOptions;
  readonly allow_private: string;
  /** Of each customer, for requests to addresses that it chose. */
  readonly customer_requests: { readonly per_second: number; readonly concurrency: number };
  readonly webhooks: {
    readonly lanes: number;
    readonly lanes_of_one: number;
    readonly host_connections: number;
    readonly backlog: number;
    readonly disable_after_ms: number;
    readonly per_customer: number;
    /** Of their secrets in the database: the first seals, all open; none: they are stored as they are. */
    readonly secret_keys: readonly string[];
  };
  readonly event_full: boolean;
  readonly log_level: string;
  readonly db_connections: number;
  readonly drain_ms: number;
  readonly message_bytes: number;
  readonly max_redeliveries: number;
  readonly customer_share: number;
  readonly shed_creates_at: number;
  readonly limits: Limits;
  readonly service: ServiceOptions;
  readonly retention: RetentionOptions;
}

const EMBEDDED_FOLDER = '.flow-manager';
const EMBEDDED_ADDRESS = '127.0.0.1:8080';

export function toSettings(flags: FlagValues): Settings {
  const text = (name: string): string => String(flags[name] ?? '');
  const count = (name: string): number => Number(flags[name]);
  const { embedded } = flags;
  const folder =
    embedded === true || embedded === 'true' ? EMBEDDED_FOLDER : embedded === undefined ? undefined : text('embedded');
  if (flags.sandbox === true && folder === undefined) {
    throw new FlowError(
      'INVALID_ARGUMENT',
      'BAD_FLAG',
      '--sandbox: expected together with --embedded; else run flow-control sandbox',
    );
  }
  checkAddresses(text);
  const http = httpSettings(flags.http_listen_addr ?? (folder === undefined ? undefined : EMBEDDED_ADDRESS), text);
  return {
    dsn: text('dbDSN'),
    prom: { address: text('prom_listen_addr'), endpoint: text('prom_endpoint') },
    rabbit: {
      url: text('rabbit_addr'),
      delay: text('rabbit_exchange_delay'),
      events: text('rabbit_queue_event'),
      requests: text('rabbit_queue_listen'),
      subscribe: text('rabbit_queue_subscribe'),
      prefetch: Math.max(1, count('request_prefetch')),
    },
    redis: { addr: text('redis_addr'), db: count('redis_db'), password: text('redis_password'), tls: flags.redis_tls === true },
    migrate: flags.migrate === true || folder !== undefined,
    embedded: folder,
    sandbox: flags.sandbox === true,
    http,
    callbacks: callbackOptions(http?.public_url ?? text('http_public_url'), text, count),
    allow_private: text('http_allow_private'),
    customer_requests: {
      per_second: Math.max(1, count('http_customer_rate')),
      concurrency: Math.max(1, count('http_customer_concurrency')),
    },
    webhooks: {
      lanes: Math.max(1, count('webhook_lanes')),
      lanes_of_one: Math.max(1, count('webhook_lanes_of_one')),
      host_connections: Math.max(1, count('webhook_host_connections')),
      backlog: Math.max(1, count('webhook_backlog')),
      disable_after_ms: count('webhook_disable_after_ms'),
      per_customer: count('limit_subscriptions'),
      secret_keys: secretKeysOf(text('subscription_secret_key')),
    },
    event_full: flags.event_full === true,
    log_level: text('log_level'),
    db_connections: Math.max(1, count('db_connections')),
    drain_ms: count('drain_ms'),
    message_bytes: count('limit_message_bytes'),
    max_redeliveries: count('max_redeliveries'),
    customer_share: count('customer_share') / 100,
    shed_creates_at: count('shed_creates_at') / 100,
    limits: limitsOf(count),
    retention: {
      ended_ms: count('keep_ended_ms'),
      temporary_flows_ms: count('keep_temporary_flows_ms'),
      unused_lists_ms: count('keep_unused_lists_ms'),
      redeliveries_ms: count('keep_redeliveries_ms'),
      participants_ms: count('keep_participants_ms'),
      workflow_calls_ms: count('keep_workflow_calls_ms'),
      pushed_events_ms: count('keep_pushed_events_ms'),
      deliveries_ms: count('keep_deliveries_ms'),
    },
    service: {
      lease_ms: Math.max(1_000, count('lease_ms')),
      deadline_ms: count('deadline_ms'),
      reap_after_ms: count('reap_after_ms'),
      temporary_flow_ms: count('temporary_flow_ms'),
      flows_per_customer: count('limit_flows'),
      cached_activeflows: Math.max(1, count('cached_activeflows')),
      cached_list_bytes: Math.max(1, count('cached_list_bytes')),
      history: historyOf(text('history')),
      response_types: listOf(text('http_response_types')),
      workflow_depth: count('limit_workflow_depth'),
      push_name_prefix: text('push_name_prefix'),
    },
  };
}

function historyOf(text: string): HistoryKeep {
  const keep = HISTORY_KEEPS.find((known) => known === text);
  if (keep === undefined) throw wrong({ name: 'history' }, HISTORY_KEEPS.join(', '));
  return keep;
}

/** Comma separated; empty parts are none. */
function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** A shorter one could be tried out by who has the database. */
const SHORTEST_KEY = 32;

function secretKeysOf(text: string): string[] {
  const keys = listOf(text);
  if (keys.some((key) => key.length < SHORTEST_KEY)) {
    throw wrong({ name: 'subscription_secret_key' }, `keys of at least ${SHORTEST_KEY} characters, comma separated`);
  }
  return keys;
}

function limitsOf(count: (name: string) => number): Limits {
  return {
    ...DEFAULT_LIMITS,
    actions_per_activeflow: count('limit_actions_activeflow'),
    actions_per_request: count('limit_actions_request'),
    actions_per_list: count('limit_actions_list'),
    stacks: count('limit_stacks'),
    variables: count('limit_variables'),
    variable_bytes: count('limit_variable_bytes'),
    variables_bytes: count('limit_variables_bytes'),
    complete_depth: count('limit_complete_depth'),
  };
}
