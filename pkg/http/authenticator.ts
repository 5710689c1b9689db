/**
 * Who calls: a bearer JWT, signed with the secret that the operator shares with whoever issues tokens, or with a key
 * of a JWKS. Algorithms are pinned per kind of key, so that a public key can never pass as a secret.
 */
import { errors, type JWTHeaderParameters, type JWTPayload, jwtVerify } from 'jose';
import { FlowError, unavailable } from '../error/index.ts';
import { isSet, isUuid } from '../model/id.ts';
import type { User } from '../model/user.ts';
import type { Log } from '../service/ports.ts';
import { RemoteKeys } from './remote-keys.ts';
import type { Access } from './route.ts';

export interface JwtOptions {
  /** Empty: tokens signed with a secret are not taken. */
  readonly secret: string;
  /** Empty: tokens signed with a private key are not taken. */
  readonly jwks_url: string;
  /** Empty: any. */
  readonly issuer: string;
  readonly audience: string;
}

const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'];
const KEY_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
/** How far the clock of who issues tokens may be off. */
const CLOCK_TOLERANCE_S = 5;
const LONGEST_ID = 255;

export class Authenticator {
  readonly #options: JwtOptions;
  readonly #secret: Uint8Array | undefined;
  readonly #keys: RemoteKeys | undefined;

  constructor(options: JwtOptions, log: Log) {
    this.#options = options;
    this.#secret = options.secret === '' ? undefined : new TextEncoder().encode(options.secret);
    this.#keys = options.jwks_url === '' ? undefined : new RemoteKeys(new URL(options.jwks_url), log);
    if (this.#secret !== undefined && this.#secret.byteLength < 32) {
      log.warn({}, '--http_jwt_secret has less than 32 bytes: whoever has one token can find it by trying');
    }
  }

  /**
   * The user whom a token names. Throws FlowError: UNAVAILABLE when tokens cannot be checked now, UNAUTHENTICATED for
   * a token that is missing or not valid. No message repeats the token.
   */
  async user(token: string | undefined): Promise<User> {
    if (this.#secret === undefined && this.#keys === undefined) {
      const why = 'users cannot be told: neither --http_jwt_secret nor --http_jwks_url is set';
      throw unavailable('AUTHENTICATION_NOT_CONFIGURED', why);
    }
    if (token === undefined) throw refused('TOKEN_MISSING', 'expected Authorization: Bearer and a token');
    const { issuer, audience } = this.#options;
    const rules = {
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_S,
      ...(issuer === '' ? {} : { issuer }),
      ...(audience === '' ? {} : { audience }),
    };
    const algorithms = [...(this.#secret ? SECRET_ALGORITHMS : []), ...(this.#keys ? KEY_ALGORITHMS : [])];
    try {
      const { payload } = await jwtVerify(token, (header) => this.#key(header), { ...rules, algorithms });
      return userOf(payload);
    } catch (error) {
      throw told(error);
    }
  }

  #key(header: JWTHeaderParameters) {
    const shared = SECRET_ALGORITHMS.includes(header.alg);
    if (shared && this.#secret) return this.#secret;
    // jose has checked the algorithm against the list, so there is a set of keys.
    if (!shared && this.#keys) return this.#keys.get(header);
    throw refused('TOKEN_INVALID', 'no key for its algorithm');
  }
}

/** Throws PERMISSION_DENIED that names what the user lacks. */
export function authorize(user: User, access: Access): void {
  if (access === 'public' || access === 'user') return;
  const { roles = [], permissions = [] } = access;
  if (roles.some((role) => user.roles.includes(role)) || permissions.some((one) => user.permissions.includes(one))) return;
  const expected = [...roles.map((role) => `role ${role}`), ...permissions.map((one) => `permission ${one}`)].join(' or ');
  throw new FlowError('PERMISSION_DENIED', 'PERMISSION_MISSING', `expected ${expected}`, [{ field: 'authorization', expected }]);
}

function refused(reason: string, message: string): FlowError {
  return new FlowError('UNAUTHENTICATED', reason, message, [{ field: 'authorization', expected: 'a valid bearer token' }]);
}

function told(error: unknown): FlowError {
  if (error instanceof FlowError) return error;
  if (error instanceof errors.JWTExpired) return refused('TOKEN_EXPIRED', 'the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refused('TOKEN_INVALID', `the token's claim ${error.claim} is missing or not as expected`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return refused('TOKEN_INVALID', "the token's algorithm is not allowed");
  if (error instanceof errors.JWKSMultipleMatchingKeys) return refused('TOKEN_INVALID', 'the token does not say which key (kid)');
  return refused('TOKEN_INVALID', 'the token is not valid');
}

function userOf(payload: JWTPayload): User {
  const org = typeof payload.org === 'string' ? payload.org.toLowerCase() : '';
  if (!isUuid(org) || !isSet(org)) throw badClaim('org', 'the UUID of a customer');
  if (typeof payload.sub !== 'string' || payload.sub === '' || payload.sub.length > LONGEST_ID) {
    throw badClaim('sub', `text of 1 to ${LONGEST_ID} characters`);
  }
  return {
    customer_id: org,
    id: payload.sub,
    teams: texts(payload, 'teams'),
    roles: texts(payload, 'roles'),
    permissions: texts(payload, 'permissions'),
    expires_at: ((payload.exp ?? 0) + CLOCK_TOLERANCE_S) * 1_000,
  };
}

function texts(payload: JWTPayload, claim: string): readonly string[] {
  const value = payload[claim] ?? [];
  if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string')) return value;
  throw badClaim(claim, 'a list of texts');
}

function badClaim(claim: string, expected: string): FlowError {
  return refused('TOKEN_INVALID', `the token's claim ${claim}: expected ${expected}`);
}
