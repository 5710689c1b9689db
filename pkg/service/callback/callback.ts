import type { Effect } from '../../action/definition.ts';
import { callbackSignal } from '../../action/types/callback_wait.ts';
import { formatTime } from '../../engine/world.ts';
import { conflict, exhausted, FlowError, notFound } from '../../error/index.ts';
import type { Activeflow } from '../../model/activeflow.ts';
import type { Arrival, Callback, TakenArrival } from '../../model/callback.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import type { ControlService } from '../activeflow/control.ts';
import type { Context } from '../context.ts';
import { AddressBook, sameText, sha256, signatureOf } from './address.ts';
import { type CallbackRequest, header, payloadOf } from './request.ts';

/** What a request to a callback is answered. */
export interface CallbackAnswer {
  /** 200: the flow has it, or had it before; 202: it is kept until the flow asks for it. */
  readonly code: 200 | 202;
  /** Of the request that was taken. */
  readonly id: string;
  readonly duplicate: boolean;
}

type CreateEffect = Extract<Effect, { kind: 'callback' }>;

/**
 * Addresses that flows give to others, and what comes to them. A request is one commit of its activeflow: the flow
 * that waits has it and goes on, or it is kept until the flow asks. So nothing that was answered with 200 or 202 is
 * ever lost, and of all that happens at the same time (another request, the end of the time, the end of the flow)
 * one compare-and-set decides.
 */
export class CallbackService {
  readonly #context: Context;
  readonly #control: ControlService;

  constructor(context: Context, control: ControlService) {
    this.#context = context;
    this.#control = control;
  }

  /** GET /v1/activeflows/{id}/callbacks. `customer_id`: whose it must be, absent: anybody's. */
  async list(activeflow_id: string, customer_id?: string): Promise<JsonObject[]> {
    const row = await this.#context.store.activeflows.get(activeflow_id);
    if (!row || (customer_id !== undefined && row.customer_id !== customer_id)) throw notFound('activeflow', activeflow_id);
    const { callbacks, arrivals } = await this.#context.store.callbacks.ofActiveflow(activeflow_id);
    return callbacks.map(({ token_hash, step, customer_id: _, ...callback }) => ({
      ...callback,
      requests: arrivals
        .filter(({ callback_id }) => callback_id === callback.id)
        .map(({ callback_id, activeflow_id: __, ...rest }) => rest),
    }));
  }

  /** A request to an address. Throws FlowError, and keeps why, for everything that is not taken. */
  async arrive(request: CallbackRequest): Promise<CallbackAnswer> {
    const { store, meter } = this.#context;
    const callback = await store.callbacks.get(request.id);
    if (!callback) throw unknownAddress();
    try {
      const answer = await this.#take(callback, request);
      meter.add('callback_request_total', {
        outcome: answer.duplicate ? 'duplicate' : answer.code === 200 ? 'consumed' : 'kept',
      });
      return answer;
    } catch (thrown) {
      if (thrown instanceof FlowError && thrown.status !== 'UNAVAILABLE' && thrown.status !== 'INTERNAL') {
        meter.add('callback_request_total', { outcome: 'rejected' });
        await this.#reject(callback, request, thrown);
      }
      throw thrown;
    }
  }

  async #take(callback: Callback, request: CallbackRequest): Promise<CallbackAnswer> {
    this.#check(callback, request);
    const key = header(request, 'idempotency-key');
    const { body, method, query } = request;
    const marks = {
      key_hash: key === '' ? null : sha256(key),
      body_hash: sha256(`${method} ${JSON.stringify(query)} ${sha256(body)}`),
    };
    const payload = payloadOf(request, formatTime(this.#context.clock.now()));
    const arrival = { ...this.#arrival(callback, request), ...marks, payload };
    let known: CallbackAnswer | undefined;
    const allowed = async (row: Activeflow): Promise<boolean> => {
      known = await this.#known(callback, row, marks);
      return !known;
    };
    try {
      const signal = callbackSignal(callback.name);
      const taken = await this.#control.signal(callback.activeflow_id, signal, payload, arrival, allowed);
      return known ?? { code: taken ? 200 : 202, id: arrival.id, duplicate: false };
    } catch (thrown) {
      throw refusal(thrown);
    }
  }

  /** What the address and the request themselves say. */
  #check(callback: Callback, request: CallbackRequest): void {
    if (!sameText(sha256(request.token), callback.token_hash)) throw unknownAddress();
    const allowed = callback.methods.join(', ');
    if (!callback.methods.includes(request.method)) {
      throw new FlowError('METHOD_NOT_ALLOWED', 'METHOD_NOT_ALLOWED', `this callback takes ${allowed}, not ${request.method}`, [
        { field: 'method', value: request.method, expected: allowed },
      ]);
    }
    this.#checkSender(callback, request);
    const { max_body } = this.#options;
    if (request.body.length > max_body) {
      throw new FlowError('PAYLOAD_TOO_LARGE', 'CALLBACK_TOO_LARGE', `body: expected at most ${max_body} bytes`, [
        { field: 'body', value: `${request.body.length} bytes`, expected: `at most ${max_body} bytes (--callback_max_body)` },
      ]);
    }
  }

  #checkSender(callback: Callback, request: CallbackRequest): void {
    const { auth } = callback;
    if (auth === 'none') return;
    const secret = new AddressBook(this.#options.secret).secret(callback);
    const shown =
      auth === 'token' ? header(request, 'authorization').replace(/^bearer +/i, '') : header(request, 'x-callback-signature');
    const right = auth === 'token' ? secret : signatureOf(request.body, secret);
    const where = auth === 'token' ? 'header authorization' : 'header x-callback-signature';
    const expected =
      auth === 'token' ? 'Bearer and the secret of this callback' : 'sha256= and the HMAC-SHA256 of the body in hex';
    if (!sameText(shown, right)) {
      throw new FlowError('UNAUTHENTICATED', 'BAD_SIGNATURE', `${where}: expected ${expected}`, [{ field: where, expected }]);
    }
    if (auth === 'hmac' && Object.keys(request.query).length > 0) {
      const message = 'query: expected none, because the signature says nothing of it';
      throw new FlowError('UNAUTHENTICATED', 'QUERY_NOT_SIGNED', message, [{ field: 'query', expected: 'none' }]);
    }
  }

  /** The answer to what came before; else throws what speaks against taking it, as things stand in this very row. */
  async #known(
    callback: Callback,
    row: Activeflow,
    { key_hash, body_hash }: Pick<TakenArrival, 'key_hash' | 'body_hash'>,
  ): Promise<CallbackAnswer | undefined> {
    const { callbacks } = this.#context.store;
    const { kept, first, same_key } = await callbacks.standing(callback, key_hash);
    const same = same_key ?? (!callback.multi && first?.body_hash === body_hash ? first.id : undefined);
    if (same !== undefined) return { code: 200, id: same, duplicate: true };
    // Before anything that changes with time: who comes second is told so, whatever has become of the flow.
    if (!callback.multi && first) throw conflict('CALLBACK_TAKEN', 'this callback has taken another request, and takes one only');
    if (row.status === 'ended') throw over();
    if (callback.expires_at !== null && callback.expires_at <= formatTime(this.#context.clock.now())) {
      throw gone('CALLBACK_EXPIRED', `this callback was good until ${callback.expires_at}`);
    }
    const newest = await callbacks.newest(callback.activeflow_id, callback.name);
    if (newest && newest.id !== callback.id) throw gone('CALLBACK_REPLACED', 'the flow has made a new callback of this name');
    const { inbox } = this.#options;
    if (kept < inbox) return undefined;
    throw exhausted('CALLBACK_INBOX_FULL', `${kept} requests wait for the flow of this callback`, [
      { field: 'activeflow', value: kept, expected: `fewer than ${inbox} (--limit_callback_inbox)` },
    ]);
  }

  /** As one that is kept. */
  #arrival(callback: Callback, request: CallbackRequest): Arrival {
    const { ids, clock } = this.#context;
    return {
      id: ids.next(),
      activeflow_id: callback.activeflow_id,
      callback_id: callback.id,
      status: 'kept',
      code: 202,
      reason: '',
      method: request.method,
      bytes: request.body.length,
      tm_create: formatTime(clock.now()),
      tm_consume: null,
    };
  }

  async #reject(callback: Callback, request: CallbackRequest, { code, reason }: FlowError): Promise<void> {
    try {
      const arrival = this.#arrival(callback, request);
      await this.#context.store.callbacks.reject({ ...arrival, status: 'rejected', code, reason });
    } catch (error) {
      this.#context.log.warn({ activeflow_id: callback.activeflow_id, error: String(error) }, 'a rejected request is not listed');
    }
  }

  /** The effect `look` of `callback_wait`: what is kept, oldest first, else until when something may come (ms since 1970). */
  readonly look = async (row: Activeflow, name: string): Promise<Json> => {
    const { callbacks } = this.#context.store;
    const callback = await callbacks.newest(row.id, name);
    if (!callback) {
      throw new FlowError('NOT_FOUND', 'CALLBACK_NOT_FOUND', `callback_wait: no callback ${name} was created in this flow`);
    }
    const kept = await callbacks.oldestKept(callback);
    if (kept) return { arrival: { id: kept.id, value: kept.payload } };
    const { first } = await callbacks.standing(callback, null);
    if (first && !callback.multi) {
      throw conflict('CALLBACK_USED', `callback_wait: callback ${name} takes one request only, and has had it`);
    }
    return { expires: callback.expires_at === null ? null : Date.parse(callback.expires_at) };
  };

  /** The effect of `callback_create`. Again at the same step of the same activeflow: the same. */
  readonly create = async (effect: CreateEffect, row: Activeflow, step: number): Promise<Json> => {
    const { clock, store } = this.#context;
    const { url, secret } = this.#options;
    const place = { activeflow_id: row.id, step, name: effect.name };
    const book = new AddressBook(secret);
    const id = book.id(place);
    const token = book.token(place);
    const now = clock.now();
    await store.callbacks.create({
      ...place,
      id,
      customer_id: row.customer_id,
      methods: effect.methods,
      auth: effect.auth,
      multi: effect.multi,
      token_hash: sha256(token),
      expires_at: effect.ttl_ms > 0 ? formatTime(Math.ceil(now + effect.ttl_ms)) : null,
      tm_create: formatTime(now),
    });
    return { url: `${url}/v1/callbacks/${id}/${token}`, secret: book.secret(place) };
  };

  get #options() {
    const { callbacks } = this.#context;
    if (callbacks && callbacks.secret !== '' && callbacks.url !== '') return callbacks;
    const message = 'callbacks are off: expected --callback_secret, and --http_public_url or --http_listen_addr';
    throw new FlowError('FAILED_PRECONDITION', 'CALLBACKS_OFF', message);
  }
}

/** The same for an id that nobody has and for a token that is wrong: which it is helps those who guess. */
function unknownAddress(): FlowError {
  return new FlowError('NOT_FOUND', 'CALLBACK_NOT_FOUND', 'no callback has this address');
}

/** What the activeflow says, in the words of a callback. */
function refusal(thrown: unknown): unknown {
  if (!(thrown instanceof FlowError)) return thrown;
  if (thrown.reason === 'ACTIVEFLOW_NOT_FOUND') return over();
  if (!['VARIABLE_TOO_LARGE', 'VARIABLES_TOO_LARGE', 'TOO_MANY_VARIABLES'].includes(thrown.reason)) return thrown;
  return new FlowError('PAYLOAD_TOO_LARGE', 'CALLBACK_TOO_LARGE', `the flow has no room for it: ${thrown.message}`);
}

function over(): FlowError {
  return gone('CALLBACK_OVER', 'the flow of this callback is over');
}

function gone(reason: string, message: string): FlowError {
  return new FlowError('GONE', reason, message);
}
