import type { CallbackOptions } from '../service/context.ts';
import { wrong } from './flags.ts';

/** A shorter one could be guessed from one address. */
const SHORTEST = 16;

/** Throws FlowError INVALID_ARGUMENT that names the flag. */
export function callbackOptions(
  public_url: string,
  text: (name: string) => string,
  count: (name: string) => number,
): CallbackOptions {
  const secret = text('callback_secret');
  if (secret !== '' && secret.length < SHORTEST) throw wrong({ name: 'callback_secret' }, `at least ${SHORTEST} characters`);
  return {
    secret,
    url: public_url.replace(/\/+$/, ''),
    max_body: count('callback_max_body'),
    inbox: count('limit_callback_inbox'),
  };
}
