import { FlowError } from '../error/index.ts';

/**
 * Every flag of the daemon. Each has an environment variable, its name in upper case; a flag beats the environment,
 * which beats the default. The first ten are the original's, by the same names and defaults.
 */
export interface Flag {
  readonly name: string;
  readonly kind: 'text' | 'count' | 'switch' | 'optional';
  readonly default: string | number | boolean | undefined;
  readonly help: string;
  /** How its value is called in the help, such as `<ms>`. */
  readonly value?: string;
}

const text = (name: string, otherwise: string | undefined, help: string, value = '<text>'): Flag => ({
  name,
  kind: 'text',
  default: otherwise,
  help,
  value,
});
const count = (name: string, otherwise: number, help: string, value = '<n>'): Flag => ({
  name,
  kind: 'count',
  default: otherwise,
  help,
  value,
});
const onOff = (name: string, help: string): Flag => ({ name, kind: 'switch', default: false, help });

export const FLAGS: readonly Flag[] = [
  text(
    'dbDSN',
    'testid:testpassword@tcp(127.0.0.1:3306)/test',
    'database: user:password@tcp(host:port)/name, or a mysql:// URL',
    '<dsn>',
  ),
  text('prom_endpoint', '/metrics', 'path of the metrics', '<path>'),
  text('prom_listen_addr', ':2112', 'address of metrics and health checks', '<addr>'),
  text('rabbit_addr', 'amqp://guest:guest@localhost:5672', 'RabbitMQ, amqp:// or amqps://', '<url>'),
  text('rabbit_exchange_delay', 'bin-manager.delay', 'exchange for delayed messages', '<name>'),
  text('rabbit_queue_event', 'bin-manager.flow-manager.event', 'exchange that events are published to', '<name>'),
  text('rabbit_queue_listen', 'bin-manager.flow-manager.request', 'queue that requests are taken from', '<name>'),
  text('redis_addr', '127.0.0.1:6379', 'Redis; nothing is refused while it is away', '<addr>'),
  count('redis_db', 1, 'number of the Redis database'),
  text('redis_password', '', 'password of Redis'),
  onOff('redis_tls', 'reach Redis by TLS'),
  text('rabbit_queue_subscribe', 'bin-manager.flow-manager.subscribe', 'queue for the events of other services', '<name>'),
  onOff('migrate', 'bring the database schema up to date at the start'),
  {
    name: 'embedded',
    kind: 'optional',
    default: undefined,
    value: '[dir]',
    help: 'run without servers, on a database file in this folder',
  },
  onOff('sandbox', 'with --embedded: answer as every other service, to try things out'),
  text('http_listen_addr', undefined, 'address of the HTTP gateway; off unless given, 127.0.0.1:8080 with --embedded', '<addr>'),
  text('http_public_url', '', 'address under which others reach the gateway; default: http:// and where it listens', '<url>'),
  text('http_cors_origins', '', 'origins of web pages that may call the gateway, comma separated, or *', '<list>'),
  text(
    'http_trust_proxy',
    '',
    'proxies that may say whom they call for: addresses and CIDRs, comma separated, or true',
    '<list>',
  ),
  text('http_jwt_secret', '', 'secret that tokens of users are signed with (HS256, HS384, HS512)'),
  text('http_jwks_url', '', 'address of the public keys that tokens of users are signed with', '<url>'),
  text('http_jwt_issuer', '', 'issuer (iss) that tokens must have; default: any'),
  text('http_jwt_audience', '', 'audience (aud) that tokens must have; default: any'),
  text(
    'callback_secret',
    '',
    'secret that addresses of callbacks are made with, the same for all daemons; without it there are none',
  ),
  count('callback_max_body', 48 * 1024, 'bytes of one request to a callback', '<bytes>'),
  text(
    'http_allow_private',
    '',
    'addresses, CIDRs and host names that flows and notifications may reach although not public, comma separated',
    '<list>',
  ),
  count('http_customer_rate', 50, 'requests a second to such addresses that one customer may begin, in one process'),
  count('http_customer_concurrency', 20, 'requests of one customer to such addresses under way at the same time, in one process'),
  text(
    'http_response_types',
    'KVIEW,EMBEDDED,WORKFLOW',
    'types of asyncResponse that users may ask for when they call a workflow, comma separated',
    '<list>',
  ),
  text('push_name_prefix', 'kustomer', 'what the names of events that are pushed to browsers begin with'),
  text(
    'subscription_secret_key',
    '',
    'what secrets of subscriptions are sealed with in the database; several by commas: the first seals, all open',
  ),
  count('webhook_lanes', 200, 'lanes of notifications that one process delivers at the same time'),
  count('webhook_lanes_of_one', 10, 'of these, lanes of one subscription'),
  count('webhook_host_connections', 50, 'connections to one host for notifications, in one process'),
  count('webhook_backlog', 10_000, 'notifications that may wait in one lane; what is over it is dropped, and named as missing'),
  count(
    'webhook_disable_after_ms',
    5 * 86_400_000,
    'how long an endpoint may fail before its subscription is disabled; 0: for ever',
    '<ms>',
  ),
  onOff('event_full', 'events of changed activeflows show stacks and executed actions too'),
  text('log_level', 'info', 'debug, info, warn, error or silent', '<level>'),
  count('request_prefetch', 2_500, 'requests under way at the same time, those that wait for other services included'),
  count('customer_share', 25, 'percent of the requests under way that one customer may have when it is busy', '<percent>'),
  count('shed_creates_at', 80, 'percent of the requests under way from which no new activeflows are taken', '<percent>'),
  count('max_redeliveries', 10, 'how often a message may come again before it is set aside'),
  count('db_connections', 10, 'database connections for everything but commits'),
  count('lease_ms', 15_000, 'how long a walk may be silent before another process takes it over', '<ms>'),
  count('deadline_ms', 86_400_000, 'how long an activeflow may live unless its flow says otherwise; 0: for ever', '<ms>'),
  count(
    'reap_after_ms',
    3_600_000,
    'how long the caller of a call may be silent before it is looked for; 0: it never is',
    '<ms>',
  ),
  count('drain_ms', 20_000, 'how long a stopping daemon may take to finish what it began', '<ms>'),
  count('temporary_flow_ms', 86_400_000, 'how long a temporary flow lives', '<ms>'),
  count('keep_ended_ms', 30 * 86_400_000, 'how long an ended activeflow is kept, with its trace; 0: for ever', '<ms>'),
  count('keep_temporary_flows_ms', 86_400_000, 'how long a temporary flow is kept after its time; 0: for ever', '<ms>'),
  count('keep_unused_lists_ms', 86_400_000, 'how long a list of actions is kept that nothing names; 0: for ever', '<ms>'),
  count('keep_participants_ms', 7 * 86_400_000, 'how long participant data is kept that nobody writes; 0: for ever', '<ms>'),
  count(
    'keep_workflow_calls_ms',
    7 * 86_400_000,
    'how long a call of a workflow is kept after its response; 0: for ever',
    '<ms>',
  ),
  count('keep_pushed_events_ms', 86_400_000, 'how long what was pushed to browsers is kept for those that were away', '<ms>'),
  count('keep_redeliveries_ms', 7 * 86_400_000, 'how long it is kept how often a message came again; 0: for ever', '<ms>'),
  count('keep_deliveries_ms', 30 * 86_400_000, 'how long the log of deliveries is kept; 0: for ever', '<ms>'),
  count('cached_activeflows', 5_000, 'activeflows that are remembered to save a read'),
  count('cached_list_bytes', 16 * 1024 * 1024, 'bytes of action lists that are remembered', '<bytes>'),
  text(
    'history',
    'off',
    'whose histories are kept, to be replayed by another build: off, failed (ended with an error) or all',
    '<whose>',
  ),
  count('limit_message_bytes', 1024 * 1024, 'bytes of one request', '<bytes>'),
  count('limit_flows', 10_000, 'persistent flows of one customer'),
  count('limit_subscriptions', 100, 'subscriptions of one customer'),
  count('limit_actions_list', 1_000, 'actions in one list'),
  count('limit_actions_activeflow', 10_000, 'actions that one activeflow walks in its life'),
  count('limit_actions_request', 1_000, 'actions that one request walks'),
  count('limit_stacks', 100, 'stacks of one activeflow'),
  count('limit_variables', 100, 'variables of one activeflow'),
  count('limit_variable_bytes', 32 * 1024, 'bytes of one variable', '<bytes>'),
  count('limit_variables_bytes', 64 * 1024, 'bytes of all variables of one activeflow', '<bytes>'),
  count('limit_callback_inbox', 32, 'requests to callbacks that are kept for one activeflow until it asks for them'),
  count('limit_workflow_depth', 5, 'workflows that are called after each other by responses'),
  count('limit_complete_depth', 5, 'activeflows that follow each other by on_complete_flow_id'),
];

export type FlagValue = string | number | boolean | undefined;
export type FlagValues = Readonly<Record<string, FlagValue>>;

/**
 * The value of every flag: as given, else by its environment variable, else its default. Throws INVALID_ARGUMENT
 * with the flag's name and what was expected; a value is not repeated, it may be a secret.
 */
export function resolveFlags(given: FlagValues, environment: Readonly<Record<string, string | undefined>>): FlagValues {
  return Object.fromEntries(
    FLAGS.map((flag) => [flag.name, resolve(flag, given[flag.name], environment[flag.name.toUpperCase()])]),
  );
}

function resolve(flag: Flag, given: FlagValue, environment: string | undefined): FlagValue {
  const value = given ?? (environment === '' && flag.kind !== 'text' ? undefined : environment);
  if (value === undefined) return flag.default;
  if (flag.kind === 'count') return readCount(flag, value);
  if (flag.kind === 'switch') return readSwitch(flag, value);
  return value;
}

function readCount(flag: Flag, value: FlagValue): number {
  if (/^\d{1,15}$/.test(String(value))) return Number(value);
  throw wrong(flag, 'a whole number from 0 on');
}

function readSwitch(flag: Flag, value: FlagValue): boolean {
  if (value === true || value === 'true' || value === '1') return true;
  if (value === false || value === 'false' || value === '0') return false;
  throw wrong(flag, 'true or false');
}

/** A bad value of a flag, by the flag's name: the value is not repeated, it may be a secret. */
export function wrong(flag: Pick<Flag, 'name'>, expected: string): FlowError {
  const message = `--${flag.name} (${flag.name.toUpperCase()}): expected ${expected}`;
  return new FlowError('INVALID_ARGUMENT', 'BAD_FLAG', message, [{ field: flag.name, expected }]);
}
