import { type CryptoKey, createRemoteJWKSet, errors, type JWSHeaderParameters } from 'jose';
import { unavailable } from '../error/index.ts';
import type { Log } from '../service/ports.ts';

const TIMEOUT_MS = 3_000;
const MAX_AGE_MS = 600_000;
/** How long nothing is asked after it was, so that tokens with invented keys do not become requests. */
const COOLDOWN_MS = 30_000;

/**
 * The public keys at an address of the operator's. Those that are known go on being used while they cannot be
 * fetched anew; a token whose key is not among them may be valid then, so its caller is told to come again.
 */
export class RemoteKeys {
  readonly #remote;
  readonly #log: Log;
  readonly #now: () => number;
  #asked_at = Number.NEGATIVE_INFINITY;
  #fetched_at = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(url: URL, log: Log, now: () => number = () => performance.now()) {
    // Its age is watched here: jose would refuse everybody as soon as keys are old and cannot be fetched.
    this.#remote = createRemoteJWKSet(url, {
      timeoutDuration: TIMEOUT_MS,
      cacheMaxAge: Number.POSITIVE_INFINITY,
      cooldownDuration: Number.POSITIVE_INFINITY,
    });
    this.#log = log;
    this.#now = now;
  }

  /** Throws FlowError UNAVAILABLE, or jose's JWKSNoMatchingKey and JWKSMultipleMatchingKeys. */
  async get(header: JWSHeaderParameters): Promise<CryptoKey> {
    if (this.#remote.jwks() === undefined) await this.#fetch();
    else if (this.#since(this.#fetched_at) >= MAX_AGE_MS && this.#since(this.#asked_at) >= COOLDOWN_MS) {
      this.#fetch().catch(() => undefined); // is logged, and the keys that are known go on
    }
    try {
      return await this.#remote(header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    // Perhaps a new key. While the last fetch has failed, nobody knows.
    if (this.#fetching !== undefined || this.#since(this.#asked_at) >= COOLDOWN_MS) await this.#fetch();
    else if (this.#asked_at > this.#fetched_at) throw this.#away();
    return await this.#remote(header);
  }

  #since(moment: number): number {
    return this.#now() - moment;
  }

  /** Whoever comes meanwhile waits for the same answer. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#reload().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #reload(): Promise<void> {
    const asked_at = this.#now();
    this.#asked_at = asked_at;
    try {
      await this.#remote.reload();
      this.#fetched_at = asked_at;
    } catch (error) {
      this.#log.warn({ error }, 'the keys of --http_jwks_url could not be fetched');
      throw this.#away(error);
    }
  }

  #away(cause?: unknown) {
    return unavailable('KEYS_UNAVAILABLE', 'the keys that tokens are signed with cannot be fetched at this moment', { cause });
  }
}
