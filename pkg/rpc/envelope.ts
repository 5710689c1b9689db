import { FlowError, invalid, type Status } from '../error/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';

/** A request as it arrived, its data parsed. */
export interface Request {
  readonly method: string;
  /** Path without the query, such as `/v1/flows`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly data: JsonObject;
  /** Empty: none was sent. */
  readonly request_id: string;
  readonly publisher: string;
}

export interface Response {
  readonly status_code: number;
  readonly data_type: string;
  readonly data?: Json;
}

/** Siblings decode an error's body only under exactly this type. */
const ERROR_TYPE = 'voipbin_error';
const METHODS = new Set(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']);

/** Read only. */
const NO_QUERY = new URLSearchParams();

/** Reads an envelope. Throws a FlowError 400 that names what is wrong; never anything else. */
export function parseRequest(body: string): Request {
  const envelope = parseJson(body);
  if (!isJsonObject(envelope)) throw invalid('BAD_ENVELOPE', 'message', envelope, 'a JSON object {uri, method, data_type, data}');
  const { uri, method, request_id, publisher } = envelope;
  if (typeof uri !== 'string' || !uri.startsWith('/')) throw invalid('BAD_ENVELOPE', 'uri', uri, 'a path such as /v1/flows');
  if (typeof method !== 'string' || !METHODS.has(method))
    throw invalid('BAD_ENVELOPE', 'method', method, 'GET, POST, PUT or DELETE');
  const mark = uri.indexOf('?');
  return {
    method,
    path: mark < 0 ? uri : uri.slice(0, mark),
    query: mark < 0 ? NO_QUERY : new URLSearchParams(uri.slice(mark + 1)),
    data: parseData(envelope.data),
    request_id: typeof request_id === 'string' ? request_id : '',
    publisher: typeof publisher === 'string' ? publisher : '',
  };
}

function parseJson(body: string): Json {
  try {
    return JSON.parse(body) as Json;
  } catch {
    throw invalid('NOT_JSON', 'message', body.slice(0, 60), 'a JSON object {uri, method, data_type, data}');
  }
}

/** `data` as an object, as text that holds one, or absent. Null members mean absent, as Go's nil does. */
function parseData(data: Json | undefined): JsonObject {
  if (data === undefined || data === null || data === '') return {};
  const value = typeof data === 'string' ? parseText(data) : data;
  if (value === null) return {};
  if (!isJsonObject(value)) throw invalid('BAD_ENVELOPE', 'data', value, 'a JSON object, or text that holds one');
  for (const name in value) if (value[name] === null) return withoutNulls(value);
  return value;
}

function withoutNulls(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

function parseText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw invalid('BAD_ENVELOPE', 'data', text.slice(0, 60), 'a JSON object, or text that holds one');
  }
}

export function ok(data?: Json, status_code = 200): Response {
  const data_type = 'application/json';
  return data === undefined ? { status_code, data_type } : { status_code, data_type, data };
}

/** What siblings have no name for, by the nearest that they know; the code tells. */
const ON_THE_WIRE: Partial<Readonly<Record<Status, Status>>> = {
  METHOD_NOT_ALLOWED: 'INVALID_ARGUMENT',
  GONE: 'FAILED_PRECONDITION',
  PAYLOAD_TOO_LARGE: 'INVALID_ARGUMENT',
  UNPROCESSABLE: 'INVALID_ARGUMENT',
};

export function errorResponse(error: FlowError): Response {
  const { status, reason, message, details } = error;
  return {
    status_code: error.code,
    data_type: ERROR_TYPE,
    data: {
      status: ON_THE_WIRE[status] ?? status,
      reason,
      domain: 'flow-manager',
      message,
      ...(details.length > 0 ? { details: details as unknown as readonly Json[] } : {}),
    },
  };
}

/** An unexpected failure as siblings may see it: that it happened, not what it says inside. Details are meant for them. */
export function hideInternal(error: FlowError): FlowError {
  if (error.status !== 'INTERNAL') return error;
  return new FlowError('INTERNAL', error.reason, 'something went wrong inside flow-manager; its log says what', error.details);
}
