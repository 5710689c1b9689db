import { randomUUID } from 'node:crypto';
import { isJsonObject, type Json } from '../../pkg/model/json.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface RpcAnswer {
  readonly status_code: number;
  readonly data: Json;
}

export interface RpcOptions {
  /** The same on a repeat, so that the daemon answers the same and does nothing twice. Absent: a new one. */
  readonly request_id?: string;
}

/** Requests to a daemon, whatever carries them. Throws LostAnswer when it is unknown what became of one. */
export interface RpcClient {
  rpc(method: Method, uri: string, data?: Json, options?: RpcOptions): Promise<RpcAnswer>;
}

/** No answer came: the request may have been carried out or not. May be repeated with the same request_id. */
export class LostAnswer extends Error {
  /** False: it certainly reached nobody. */
  readonly reached: boolean;

  constructor(message: string, reached: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LostAnswer';
    this.reached = reached;
  }
}

/** The daemon answered with an error. */
export class RpcError extends Error {
  readonly status_code: number;
  /** `NOT_FOUND`, or the number alone when the answer says no more. */
  readonly status: string;
  readonly reason: string;
  readonly details: readonly Json[];

  constructor(answer: RpcAnswer) {
    const body = isJsonObject(answer.data) ? answer.data : {};
    super(text(body.message) || (typeof answer.data === 'string' && answer.data) || 'the daemon gave no reason');
    this.name = 'RpcError';
    this.status_code = answer.status_code;
    this.status = text(body.status) || String(answer.status_code);
    this.reason = text(body.reason);
    this.details = Array.isArray(body.details) ? body.details : [];
  }
}

/** The data of a good answer. Throws RpcError for any other, LostAnswer when there is none. */
export async function ask(client: RpcClient, method: Method, uri: string, data?: Json, options?: RpcOptions): Promise<Json> {
  const answer = await client.rpc(method, uri, data, options);
  if (answer.status_code < 200 || answer.status_code > 299) throw new RpcError(answer);
  return answer.data;
}

/** A request envelope as text, with its request_id. */
export function encodeRequest(method: Method, uri: string, data: Json | undefined, options: RpcOptions = {}): EncodedRequest {
  const request_id = options.request_id ?? randomUUID();
  const envelope = {
    uri,
    method,
    publisher: 'flow-control',
    request_id,
    data_type: 'application/json',
    ...(data === undefined ? {} : { data }),
  };
  return { request_id, body: JSON.stringify(envelope) };
}

export interface EncodedRequest {
  readonly request_id: string;
  readonly body: string;
}

/** A response envelope from text. `data` may be JSON inside a string. Throws LostAnswer when it is no envelope. */
export function decodeResponse(body: string): RpcAnswer {
  const envelope = parse(body);
  if (!isJsonObject(envelope) || typeof envelope.status_code !== 'number') {
    throw new LostAnswer(`what answered is no flow-manager: ${body.slice(0, 120)}`, true);
  }
  const data = envelope.data ?? null;
  return { status_code: envelope.status_code, data: typeof data === 'string' ? (parse(data) ?? data) : data };
}

/** undefined: no JSON. */
function parse(body: string): Json | undefined {
  try {
    return JSON.parse(body) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
