import type { Json } from './json.ts';

export const CALLBACK_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export const CALLBACK_AUTHS = ['none', 'token', 'hmac'] as const;
export type CallbackAuth = (typeof CALLBACK_AUTHS)[number];

/** An address that others call, made by an action of a flow. */
export interface Callback {
  readonly id: string;
  readonly activeflow_id: string;
  readonly customer_id: string;
  /** Unique among the good ones of its activeflow: a later one of the same name takes its place. */
  readonly name: string;
  /** Of the cursor, where it was made. */
  readonly step: number;
  readonly methods: readonly string[];
  /** What a caller must show besides the address: nothing, a bearer token, a signature over the body. */
  readonly auth: CallbackAuth;
  /** True: it may be called more than once. */
  readonly multi: boolean;
  /** SHA-256 of the token in the address, in hex: the token itself is in the flow's variable only. */
  readonly token_hash: string;
  /** RFC 3339; null: as long as its activeflow runs. */
  readonly expires_at: string | null;
  readonly tm_create: string;
}

/** A request to a callback: `kept` until the flow asks for it, `consumed` once it has it, or `rejected`. */
export interface Arrival {
  readonly id: string;
  readonly activeflow_id: string;
  readonly callback_id: string;
  readonly status: 'kept' | 'consumed' | 'rejected';
  /** HTTP's status that it was answered with. */
  readonly code: number;
  /** Why it was rejected, as errors say it; else empty. */
  readonly reason: string;
  readonly method: string;
  /** Of the body. */
  readonly bytes: number;
  readonly tm_create: string;
  readonly tm_consume: string | null;
}

/** An arrival that was taken, on its way into the store. */
export interface TakenArrival extends Arrival {
  /** SHA-256 of its Idempotency-Key; null: it has none. */
  readonly key_hash: string | null;
  /** SHA-256 of all that it says. */
  readonly body_hash: string;
  /** What the flow gets; null when it has it already. */
  readonly payload: Json;
}

/** What the secrets of callbacks begin with, so that they are known wherever they are shown. */
export const CALLBACK_SECRET_PREFIX = 'cbsec_';

/** One look through a text for both takes half the time of two, and some are of many actions. */
const ANY = new RegExp(`/callbacks/|${CALLBACK_SECRET_PREFIX}`);
const TOKEN = /(\/v1\/callbacks\/[0-9a-f-]{36}\/)[\w-]{16,}/gi;
const SECRET = /\bcbsec_[\w-]{16,}/g;

/** A text without the tokens of callbacks' addresses, and without the secrets of those who call them. */
export function maskCallbacks(text: string): string {
  if (!ANY.test(text)) return text;
  return text.replace(TOKEN, '$1***').replace(SECRET, `${CALLBACK_SECRET_PREFIX}***`);
}
