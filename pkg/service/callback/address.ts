import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { CALLBACK_SECRET_PREFIX } from '../../model/callback.ts';
import { asUuid } from '../context.ts';

/** Where in its activeflow a callback was made: the same place makes the same callback, whatever crashes. */
export interface CallbackPlace {
  readonly activeflow_id: string;
  readonly step: number;
  readonly name: string;
}

/** Everything about an address that is a secret, derived with `--callback_secret`; 256 bits each. */
export class AddressBook {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  id(place: CallbackPlace): string {
    return asUuid(this.#derive('id', place).digest('hex'));
  }

  token(place: CallbackPlace): string {
    return this.#derive('token', place).digest('base64url');
  }

  /** What callers show or sign with, where the address is not enough. */
  secret(place: CallbackPlace): string {
    return CALLBACK_SECRET_PREFIX + this.#derive('secret', place).digest('base64url');
  }

  #derive(what: string, { activeflow_id, step, name }: CallbackPlace) {
    return createHmac('sha256', this.#secret).update(`${what}/${activeflow_id}/${step}/${name}`);
  }
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** In constant time, whatever their lengths. */
export function sameText(one: string, other: string): boolean {
  return timingSafeEqual(createHash('sha256').update(one).digest(), createHash('sha256').update(other).digest());
}

/** `sha256=<hex>` of a body, as its sender must show it. */
export function signatureOf(body: Uint8Array, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
