import { hash } from 'node:crypto';
import { FlowError, invalid, toFlowError } from '../error/index.ts';
import { isJsonObject, type Json } from '../model/json.ts';
import type { Delivery, Log, Meter, RedeliveryStore, Verdict } from '../service/ports.ts';
import type { Admission } from './admission.ts';
import { errorResponse, hideInternal, ok, parseRequest, type Request, type Response } from './envelope.ts';
import { FairTurns } from './fair-turns.ts';
import { Redeliveries } from './redelivery.ts';
import type { Call, Route, Router } from './router.ts';

/** What a request fails with that may succeed later, with nothing done yet. */
const LATER: ReadonlySet<string> = new Set(['DATABASE_UNAVAILABLE', 'TOO_MANY_RACES']);
/** What a request is turned away with that would be in the way if it came again at once. */
const TURNED_AWAY: ReadonlySet<string> = new Set(['OVERLOADED', 'CUSTOMER_OVER_SHARE']);

const UTF8 = new TextDecoder();

/** What tells a repeat from a new request when the envelope itself does not. */
export type Caller = Pick<Delivery, 'message_id' | 'reply_to' | 'correlation_id'>;

export interface DispatcherOptions {
  readonly router: Router;
  readonly admission: Admission;
  /** The customer of an activeflow; a promise only where it must be looked up; empty: it cannot be told. */
  readonly customerOf: (activeflowId: string) => string | Promise<string>;
  readonly redeliveries: RedeliveryStore;
  /** How long a request may be. */
  readonly message_bytes: number;
  /** How often a message may come again before it is set aside. */
  readonly max_redeliveries: number;
  readonly meter: Meter;
  readonly log: Log;
}

/** Takes a request's text, finds its route, runs it, and turns whatever comes of it into a response. Never throws. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #turns = new FairTurns();
  readonly #redeliveries: Redeliveries;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { redeliveries: store, max_redeliveries: max, log } = options;
    this.#redeliveries = new Redeliveries({ store, max, log });
  }

  get underWay(): number {
    return this.#options.admission.underWay;
  }

  /** The request for this activeflow waits for somebody else, and takes no turn of its customer's meanwhile. */
  readonly waits = (activeflowId: string): void => this.#turns.release(activeflowId);

  /** A delivery of the request queue. A bad message is answered when it can be, else set aside with its reason. */
  readonly handle = async (delivery: Delivery): Promise<Verdict> => {
    const verdict = await this.#redeliveries.run(delivery, () => this.#judge(delivery), setAside);
    if (verdict.kind === 'dead') this.#options.meter.add('dead_letter_total', {});
    return verdict;
  };

  async #judge(delivery: Delivery): Promise<Verdict> {
    const text = UTF8.decode(delivery.body);
    const response = await this.respond(text, delivery);
    if (delivery.reply_to !== '') return { kind: 'done', reply: JSON.stringify(response) };
    // Nobody can repeat what nobody was told of: what may succeed later is done later, or kept for who can decide.
    if (LATER.has(reasonOf(response))) return { kind: 'requeue' };
    if (TURNED_AWAY.has(reasonOf(response))) return { kind: 'dead', reason: messageOf(response) };
    if (response.status_code === 400 && !isEnvelope(text)) return { kind: 'dead', reason: messageOf(response) };
    return { kind: 'done' };
  }

  async respond(text: string, caller: Caller): Promise<Response> {
    const since = performance.now();
    const seen: Seen = { type: 'unknown', method: 'unknown' };
    try {
      return await this.#run(text, caller, seen);
    } catch (thrown) {
      return this.#failed(thrown, seen);
    } finally {
      this.#options.meter.observe(
        'receive_request_process_time',
        { type: seen.type, method: seen.method },
        performance.now() - since,
      );
    }
  }

  async #run(text: string, caller: Caller, seen: Seen): Promise<Response> {
    // Characters, not bytes: never more than the bytes, so nothing too long passes by more than its encoding.
    if (text.length > this.#options.message_bytes)
      throw invalid('MESSAGE_TOO_LARGE', 'message', `${text.length} characters`, `at most ${this.#options.message_bytes} bytes`);
    const request = parseRequest(text);
    seen.request = request;
    const { route, params } = this.#options.router.find(request.method, request.path);
    seen.type = route.path.replace('/v1', '');
    seen.method = request.method;
    const answer = await this.#admitted({ request, params, key: keyOf(request, caller) }, route);
    const response = ok(answer, route.status_code);
    this.#options.meter.add('receive_request_total', { status: String(response.status_code) });
    return response;
  }

  async #admitted(call: Call, route: Route): Promise<Json | undefined> {
    const { admission } = this.#options;
    const id = call.params.id ?? '';
    const whose = this.#customerOf(call, route);
    const customer = typeof whose === 'string' ? whose : await whose;
    const leave = admission.enter(customer, route.method === 'POST' && route.path === '/v1/activeflows');
    try {
      return await this.#turns.run(customer, () => route.handler(call), id);
    } finally {
      leave();
    }
  }

  /** Those whose customer is not known would stand in one queue, as if they were all of one that floods. */
  #customerOf({ request, params }: Call, route: Route): string | Promise<string> {
    const given = request.data.customer_id;
    if (typeof given === 'string') return given.toLowerCase();
    return params.id !== undefined && route.path.startsWith('/v1/activeflows/') ? this.#options.customerOf(params.id) : '';
  }

  #failed(thrown: unknown, seen: Seen): Response {
    const error = toFlowError(thrown);
    const fields = {
      uri: seen.request?.path,
      method: seen.request?.method,
      request_id: seen.request?.request_id,
      reason: error.reason,
    };
    if (error.status === 'INTERNAL')
      this.#options.log.error({ ...fields, error: String(error.stack ?? error) }, 'a request failed inside');
    else this.#options.log.info({ ...fields, status: error.status, message: error.message }, 'a request was refused');
    const response = errorResponse(hideInternal(error));
    this.#options.meter.add('receive_request_total', { status: String(response.status_code) });
    return response;
  }
}

function setAside(reason: string): Verdict {
  const error = new FlowError('INTERNAL', 'SET_ASIDE', `this request was set aside: ${reason}`);
  return { kind: 'dead', reason, reply: JSON.stringify(errorResponse(error)) };
}

interface Seen {
  type: string;
  method: string;
  request?: Request;
}

/**
 * A key passes through here, to be a text by itself: as a piece of the hash it would keep the whole of it in memory, and be
 * compared outside of compiled code with each of the sixteen keys that an activeflow remembers (2 % of a `next`).
 */
const keyBytes = Buffer.alloc(22);

/**
 * The key by which a repeat is known: the caller's request_id, else the message id, else where the answer goes.
 * Hashed: keys are stored with what they changed, and callers choose their length. With the method and the path:
 * a request_id may be that of a whole chain of requests, and another request is no repeat.
 */
export function keyOf(request: Pick<Request, 'request_id' | 'method' | 'path'>, caller: Caller): string {
  const given =
    request.request_id || caller.message_id || (caller.correlation_id && `${caller.reply_to}/${caller.correlation_id}`);
  if (!given) return '';
  keyBytes.write(hash('sha256', `${request.method} ${request.path} ${given}`, 'base64url'), 'latin1');
  return keyBytes.toString('latin1');
}

function isEnvelope(text: string): boolean {
  try {
    parseRequest(text);
    return true;
  } catch {
    return false;
  }
}

function reasonOf(response: Response): string {
  return fieldOf(response, 'reason');
}

function messageOf(response: Response): string {
  return fieldOf(response, 'message');
}

function fieldOf({ data }: Response, name: string): string {
  return isJsonObject(data) && typeof data[name] === 'string' ? data[name] : '';
}
