/** What a customer says of a subscription, checked: both doors read it here. Values that may be secrets are in no error. */
import { FlowError, invalid } from '../../error/index.ts';
import { isUuid, NIL } from '../../model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts';
import {
  DEFAULT_DELIVERY_RETRY,
  DEFAULT_DELIVERY_TIMEOUT_MS,
  DELIVERY_RETRY_BOUNDS,
  DELIVERY_TIMEOUT_BOUNDS,
  type DeliveryRetry,
  LANES,
  NOTIFICATION_TYPES,
  type NotificationType,
  type SubscriptionConfig,
  type SubscriptionSecrets,
} from '../../model/subscription.ts';
import { isSecret, newSecret, SECRET_BYTES } from './signature.ts';
import { isCallbackUrl, METHODS } from './webhook-uri.ts';

export interface Wanted {
  readonly enabled: boolean;
  readonly config: SubscriptionConfig;
  readonly secrets: SubscriptionSecrets;
}

type Before = Wanted | undefined;

const MOST_HEADERS = 20;
const LONGEST_VALUE = 2_048;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const HEADER_VALUE = /^[\t\x20-\x7e]{0,2048}$/;
/** Those that this service or the connection sets. */
const OWN_HEADERS = new Set([
  ...['content-type', 'content-length', 'host', 'access-key', 'accept-encoding', 'connection', 'transfer-encoding'],
  ...['keep-alive', 'te', 'trailer', 'upgrade', 'expect', 'http2-settings'],
]);

/** What is not named is as `before`, or as by default. `with_secret`: one is made when none is given. */
export function readWanted(data: JsonObject, before: Before): Wanted {
  return {
    enabled: flag(data, 'enabled', before?.enabled ?? true),
    config: {
      login_name: text(data, 'login_name', before?.config.login_name ?? '', 255),
      notification_types: readTypes(data, before?.config.notification_types),
      workflow_id: readWorkflow(data, before?.config.workflow_id ?? NIL),
      callback_url: readUrl(data, before?.config.callback_url),
      method: before?.config.method ?? 'POST',
      lane: oneOf(data, 'lane', LANES, before?.config.lane ?? 'activeflow'),
      retry: readRetry(data, before?.config.retry ?? DEFAULT_DELIVERY_RETRY),
      timeout_ms: number(
        data,
        'timeout_ms',
        '/timeout_ms',
        before?.config.timeout_ms ?? DEFAULT_DELIVERY_TIMEOUT_MS,
        DELIVERY_TIMEOUT_BOUNDS,
      ),
      ...(before ? {} : { method: oneOf(data, 'method', METHODS, 'POST') }),
    },
    secrets: {
      access_key: readAccessKey(data, before?.secrets.access_key ?? ''),
      headers: readHeaders(data, before?.secrets.headers ?? {}),
      signing: readSigning(data, before?.secrets.signing),
    },
  };
}

function has(data: JsonObject, name: string): boolean {
  return Object.hasOwn(data, name) && data[name] !== undefined && data[name] !== null;
}

function text(data: JsonObject, name: string, otherwise: string, most: number): string {
  if (!has(data, name)) return otherwise;
  const value = data[name];
  if (typeof value !== 'string' || value.length > most || value.includes('\0')) {
    throw invalid('BAD_FIELD', `/${name}`, value, `text of at most ${most} characters`);
  }
  return value;
}

function flag(data: JsonObject, name: string, otherwise: boolean): boolean {
  if (!has(data, name)) return otherwise;
  const value = data[name];
  if (typeof value !== 'boolean') throw invalid('BAD_FIELD', `/${name}`, value, 'true or false');
  return value;
}

function oneOf<T extends string>(data: JsonObject, name: string, values: readonly T[], otherwise: T): T {
  if (!has(data, name)) return otherwise;
  const found = values.find((known) => known === data[name]);
  if (found === undefined) throw invalid('BAD_FIELD', `/${name}`, data[name], `one of ${values.join(', ')}`);
  return found;
}

function number(
  data: JsonObject,
  name: string,
  field: string,
  otherwise: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  if (!has(data, name)) return otherwise;
  const value = data[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid('BAD_FIELD', field, value, `a whole number from ${least} to ${most}`);
}

function readTypes(data: JsonObject, before: readonly NotificationType[] | undefined): readonly NotificationType[] {
  if (!has(data, 'notification_types')) return before ?? NOTIFICATION_TYPES;
  const value = data.notification_types;
  const expected = `a list with at least one of ${NOTIFICATION_TYPES.join(', ')}`;
  if (!Array.isArray(value) || value.length === 0) throw invalid('BAD_FIELD', '/notification_types', value, expected);
  value.forEach((one: Json, index) => {
    const known = NOTIFICATION_TYPES.some((type) => type === one);
    if (!known) throw invalid('BAD_FIELD', `/notification_types/${index}`, one, `one of ${NOTIFICATION_TYPES.join(', ')}`);
  });
  return NOTIFICATION_TYPES.filter((type) => value.includes(type));
}

function readWorkflow(data: JsonObject, before: string): string {
  if (!has(data, 'workflow_id')) return before;
  const value = data.workflow_id;
  const id = typeof value === 'string' ? value.toLowerCase() || NIL : value;
  if (!isUuid(id)) throw invalid('BAD_FIELD', '/workflow_id', value, 'the UUID of a flow, or nothing for all');
  return id;
}

/** Its path and query may hold a secret: it is not repeated. */
function readUrl(data: JsonObject, before: string | undefined): string {
  const value = has(data, 'callback_url') ? data.callback_url : before;
  if (typeof value === 'string' && isCallbackUrl(value)) return value;
  throw secretProblem('/callback_url', 'an absolute URL with http or https, of at most 2048 characters', value);
}

function readAccessKey(data: JsonObject, before: string): string {
  if (!has(data, 'access_key')) return before;
  const value = data.access_key;
  if (typeof value === 'string' && HEADER_VALUE.test(value)) return value;
  throw secretProblem('/access_key', `one line of at most ${LONGEST_VALUE} characters of ASCII`, value);
}

function readHeaders(data: JsonObject, before: SubscriptionSecrets['headers']): SubscriptionSecrets['headers'] {
  if (!has(data, 'headers')) return before;
  const value = data.headers;
  const entries = isJsonObject(value) ? Object.entries(value) : undefined;
  if (entries === undefined || entries.length > MOST_HEADERS) {
    throw secretProblem('/headers', `an object of at most ${MOST_HEADERS} names and values`, value);
  }
  return Object.fromEntries(
    entries.map(([name, given]) => {
      const lower = name.toLowerCase();
      const refused = OWN_HEADERS.has(lower) || /^(webhook|proxy)-/.test(lower) || !HEADER_NAME.test(lower);
      if (refused) throw invalid('BAD_FIELD', '/headers', name, 'names of headers that a request may choose itself');
      // What is shown in place of a value stands for the value that is there.
      if (given === '***' && before[lower] !== undefined) return [lower, before[lower]];
      if (typeof given === 'string' && HEADER_VALUE.test(given)) return [lower, given];
      throw secretProblem(`/headers/${lower}`, `one line of at most ${LONGEST_VALUE} characters of ASCII`, given);
    }),
  );
}

/** The newest first. */
function readSigning(data: JsonObject, before: SubscriptionSecrets['signing'] | undefined): SubscriptionSecrets['signing'] {
  if (!has(data, 'secrets')) return before ?? [{ secret: newSecret(), until: null }];
  const { secrets } = data;
  const expected = `one or two secrets: whsec_ and base64 of ${SECRET_BYTES.least} to ${SECRET_BYTES.most} bytes`;
  // As an answer shows them: they stay.
  if (before && Array.isArray(secrets) && secrets.every(isJsonObject)) return before;
  if (!Array.isArray(secrets) || secrets.length < 1 || secrets.length > 2 || !secrets.every(isSecret)) {
    throw secretProblem('/secrets', expected, secrets);
  }
  return secrets.map((secret) => ({ secret, until: null }));
}

function readRetry(data: JsonObject, before: DeliveryRetry): DeliveryRetry {
  if (!has(data, 'retry')) return before;
  const value = data.retry;
  if (!isJsonObject(value)) throw invalid('BAD_FIELD', '/retry', value, 'an object such as {"attempts": 3}');
  const { attempts, ms, factor } = DELIVERY_RETRY_BOUNDS;
  const read = (name: keyof DeliveryRetry, least: number, most: number): number =>
    number(value, name, `/retry/${name}`, before[name], { least, most });
  return {
    attempts: read('attempts', 0, attempts),
    initial_ms: read('initial_ms', 1, ms),
    max_ms: read('max_ms', 1, ms),
    factor: read('factor', 1, factor),
    max_retry_after_ms: read('max_retry_after_ms', 0, ms),
  };
}

/** The value is not shown. */
function secretProblem(field: string, expected: string, value: unknown): FlowError {
  const got = typeof value === 'string' ? `text of ${value.length} characters` : value === undefined ? 'nothing' : typeof value;
  return new FlowError('INVALID_ARGUMENT', 'BAD_FIELD', `${field}: expected ${expected}, got ${got}`, [
    { field, value: got, expected },
  ]);
}
