/** How requests and answers look in a message (the family's RPC envelope). */
import { FlowError, shorten } from '../error/index.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import type { SiblingRequest } from '../service/ports.ts';

/** Siblings mark their errors with exactly this data_type. */
const ERROR_TYPE = 'voipbin_error';

export function queueOf(sibling: string): string {
  return `bin-manager.${sibling}-manager.request`;
}

export function encodeRequest(request: SiblingRequest): string {
  return JSON.stringify({
    uri: request.uri,
    method: request.method,
    data_type: 'application/json',
    ...(request.data === undefined ? {} : { data: request.data }),
    publisher: 'flow-manager',
    request_id: request.request_id,
  });
}

/**
 * The data of an answer, parsed when it came as text. Throws FlowError, always UNAVAILABLE: to our own caller a
 * sibling that says no is a part of the platform that does not work, whatever it calls its reason.
 */
export function decodeAnswer(request: SiblingRequest, body: Uint8Array): Json {
  const text = new TextDecoder().decode(body);
  const envelope = parse(text);
  if (!isJsonObject(envelope) || !isStatusCode(envelope.status_code)) throw invalidAnswer(request, text);
  const data = dataOf(envelope);
  if (envelope.status_code >= 200 && envelope.status_code <= 299) return data;
  throw refusal(request, envelope.status_code, envelope.data_type === ERROR_TYPE && isJsonObject(data) ? data : {});
}

/** Where a request goes, for messages: `POST /v1/calls of call-manager`. Ids are kept, queries are not. */
export function describe(request: SiblingRequest): string {
  return `${request.method} ${request.uri.split('?')[0]} of ${request.to}-manager`;
}

function dataOf(envelope: JsonObject): Json {
  const { data = null } = envelope;
  if (typeof data !== 'string') return data;
  if (data === '') return null;
  const parsed = parse(data);
  return parsed === undefined ? data : parsed;
}

/** Undefined when it is no JSON. */
function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function isStatusCode(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599;
}

function invalidAnswer(request: SiblingRequest, text: string): FlowError {
  const expected = 'an envelope {status_code, data_type, data} in JSON';
  const message = `${describe(request)}: expected ${expected}, got ${shorten(text)}`;
  return new FlowError('UNAVAILABLE', 'SIBLING_ANSWER_INVALID', message, [{ field: 'sibling', value: request.to, expected }]);
}

function refusal(request: SiblingRequest, status_code: number, said: JsonObject): FlowError {
  const own = { sibling: request.to, status_code, status: said.status, reason: said.reason, message: said.message };
  const words = [own.status, own.reason].filter((word) => typeof word === 'string' && word !== '').join(' ');
  const why = `${words === '' ? '' : ` ${words}`}${typeof own.message === 'string' ? `: ${own.message}` : ''}`;
  const message = `${describe(request)} answered ${status_code}${why}`;
  return new FlowError('UNAVAILABLE', 'SIBLING_FAILED', message, [{ field: 'sibling', value: own, expected: 'status 2xx' }]);
}
