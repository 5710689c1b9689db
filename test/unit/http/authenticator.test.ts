import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { FlowError } from '../../../pkg/error/index.ts';
import { Authenticator, type JwtOptions } from '../../../pkg/http/authenticator.ts';
import { RemoteKeys } from '../../../pkg/http/remote-keys.ts';
import { CUSTOMER, JWT_SECRET, token } from '../../support/gateway.ts';
import { RecordingLog } from '../../support/recorders.ts';

const NOTHING: JwtOptions = { secret: '', jwks_url: '', issuer: '', audience: '' };
const WITH_SECRET = { ...NOTHING, secret: JWT_SECRET };
const PAST = Math.floor(Date.now() / 1_000) - 60;

async function failureOf(work: Promise<unknown>): Promise<string> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof FlowError ? `${thrown.code} ${thrown.reason} ${thrown.message}` : `not refused: ${String(thrown)}`;
}

describe('tokens signed with a secret', () => {
  const check = (given: string | undefined, options: Partial<JwtOptions> = {}) =>
    new Authenticator({ ...WITH_SECRET, ...options }, new RecordingLog()).user(given);

  it('name a user', async () => {
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const exp = Math.floor(Date.now() / 1_000) + 60;
      const { customer_id, id, roles, expires_at } = await check(await token({ sub: 'ä b/1', exp }, JWT_SECRET, alg));
      expect({ customer_id, id, roles }).to.deep.equal({ customer_id: CUSTOMER, id: 'ä b/1', roles: [] });
      // As long as it would be taken once more.
      expect(expires_at).to.equal((exp + 5) * 1_000);
    }
  });

  const bad: readonly (readonly [string, () => Promise<string | undefined>, string])[] = [
    ['that are not there', async () => undefined, '401 TOKEN_MISSING'],
    ['that are none', async () => 'a.b.c', '401 TOKEN_INVALID'],
    ['of another secret', () => token({}, `${JWT_SECRET}.`), '401 TOKEN_INVALID'],
    ['that have expired', () => token({ exp: PAST }), '401 TOKEN_EXPIRED'],
    ['that never expire', () => token({ exp: undefined }), 'claim exp'],
    ['that are not valid yet', () => token({ nbf: PAST + 3_600 }), 'claim nbf'],
    ['without a customer', () => token({ org: undefined }), 'claim org'],
    ['of a customer that is no id', () => token({ org: 'acme' }), 'claim org'],
    ['of no customer', () => token({ org: '00000000-0000-0000-0000-000000000000' }), 'claim org'],
    ['without a user', () => token({ sub: undefined }), 'claim sub'],
    ['with an empty user', () => token({ sub: '' }), 'claim sub'],
    ['with a very long user', () => token({ sub: 'x'.repeat(256) }), 'claim sub'],
    ['whose roles are no list', () => token({ roles: 'admin' }), 'claim roles'],
    ['whose teams are no texts', () => token({ teams: [1] }), 'claim teams'],
    ['whose permissions are an object', () => token({ permissions: {} }), 'claim permissions'],
    [
      'that nobody has signed',
      async () => new UnsecuredJWT({ org: CUSTOMER, sub: 'a', exp: PAST + 999 }).encode(),
      'TOKEN_INVALID',
    ],
    [
      'of a private key',
      async () => {
        const { privateKey } = await generateKeyPair('ES256');
        return await new SignJWT({ org: CUSTOMER, sub: 'a', exp: PAST + 999 })
          .setProtectedHeader({ alg: 'ES256' })
          .sign(privateKey);
      },
      'algorithm is not allowed',
    ],
  ];
  for (const [what, make, expected] of bad) {
    it(`are refused: those ${what}`, async () => {
      const given = await make();
      const refused = await failureOf(check(given));
      expect(refused).to.match(/^401 /).and.include(expected);
      if (given !== undefined) expect(refused).not.to.include(given.split('.')[2] || given);
    });
  }

  it('must have the issuer and the audience that are set', async () => {
    const claims = { iss: 'https://id.example.com', aud: ['flow', 'other'] };
    const rules = { issuer: claims.iss, audience: 'flow' };
    expect((await check(await token(claims), rules)).id).to.equal('anna');
    expect(await failureOf(check(await token(), rules)))
      .to.include('401')
      .and.include('claim');
    expect(await failureOf(check(await token({ ...claims, iss: 'x' }), rules))).to.include('claim iss');
    expect(await failureOf(check(await token({ ...claims, aud: 'x' }), rules))).to.include('claim aud');
  });

  it('of a secret that can be guessed are taken, and the operator is warned', () => {
    const log = new RecordingLog();
    new Authenticator({ ...NOTHING, secret: 'short' }, log);
    expect(log.lines.join()).to.include('warn').and.include('--http_jwt_secret').and.not.include('short');
  });
});

describe('tokens signed with a key of a JWKS', () => {
  let server: Server;
  let url = '';
  let fetched = 0;
  let answer: { status: number; keys: object[] };
  const pairs = new Map<string, CryptoKey>();

  async function addKey(kid: string, alg: string): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    pairs.set(kid, privateKey);
    answer.keys.push({ ...(await exportJWK(publicKey)), kid, alg });
  }

  async function signed(kid: string, alg: string, exp = PAST + 3_600): Promise<string> {
    const key = pairs.get(kid);
    if (!key) throw new Error(`no key ${kid}`);
    return await new SignJWT({ org: CUSTOMER, sub: 'anna', exp }).setProtectedHeader({ alg, kid }).sign(key);
  }

  beforeEach(async () => {
    answer = { status: 200, keys: [] };
    fetched = 0;
    server = createServer((_request, response) => {
      fetched += 1;
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: answer.keys }));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  it('name a user, by every kind of key, and the keys are fetched once', async () => {
    const algorithms = ['RS256', 'PS384', 'ES256', 'ES512', 'EdDSA'];
    for (const alg of algorithms) await addKey(`k-${alg}`, alg);
    const authenticator = new Authenticator({ ...NOTHING, jwks_url: url }, new RecordingLog());
    const tokens = await Promise.all(algorithms.map((alg) => signed(`k-${alg}`, alg)));
    const users = await Promise.all(tokens.map((given) => authenticator.user(given)));
    expect(users.map(({ id }) => id)).to.deep.equal(algorithms.map(() => 'anna'));
    expect(fetched).to.equal(1);
  });

  it('are refused when the public key was used as a secret, also beside a secret', async () => {
    await addKey('k', 'RS256');
    const [jwk] = answer.keys as { n: string }[];
    const forged = await token({}, jwk?.n ?? '', 'HS256');
    for (const secret of ['', JWT_SECRET]) {
      const authenticator = new Authenticator({ ...NOTHING, secret, jwks_url: url }, new RecordingLog());
      expect(await failureOf(authenticator.user(forged))).to.include('401 TOKEN_INVALID');
    }
  });

  it('are taken beside those of a secret', async () => {
    await addKey('k', 'ES256');
    const authenticator = new Authenticator({ ...WITH_SECRET, jwks_url: url }, new RecordingLog());
    expect((await authenticator.user(await token())).id).to.equal('anna');
    expect((await authenticator.user(await signed('k', 'ES256'))).id).to.equal('anna');
    expect(await failureOf(authenticator.user(await signed('k', 'ES256', PAST)))).to.include('401 TOKEN_EXPIRED');
  });

  it('are told to come again while the keys cannot be fetched', async () => {
    await addKey('k', 'ES256');
    answer.status = 500;
    const log = new RecordingLog();
    const authenticator = new Authenticator({ ...NOTHING, jwks_url: url }, log);
    expect(await failureOf(authenticator.user(await signed('k', 'ES256')))).to.include('503 KEYS_UNAVAILABLE');
    expect(log.lines.join()).to.include('could not be fetched');
    answer.status = 200;
    expect((await authenticator.user(await signed('k', 'ES256'))).id).to.equal('anna');
  });

  it('go on with the keys that are known while none can be fetched, however old', async () => {
    await addKey('old', 'ES256');
    let now = 0;
    const keys = new RemoteKeys(new URL(url), new RecordingLog(), () => now);
    await keys.get({ alg: 'ES256', kid: 'old' });
    answer.status = 500;
    now += 3_600_000;
    for (let again = 0; again < 3; again += 1)
      expect(await keys.get({ alg: 'ES256', kid: 'old' })).to.have.property('type', 'public');
    // A key that is not known may be a new one.
    for (let again = 0; again < 2; again += 1) {
      expect(await failureOf(keys.get({ alg: 'ES256', kid: 'new' }))).to.include('503 KEYS_UNAVAILABLE');
    }
    expect(fetched).to.equal(2);
  });

  it('find a new key, and do not ask for every one that somebody invents', async () => {
    await addKey('first', 'ES256');
    let now = 0;
    const keys = new RemoteKeys(new URL(url), new RecordingLog(), () => now);
    await keys.get({ alg: 'ES256', kid: 'first' });
    await addKey('second', 'ES256');
    const unknown = (error: Error) => expect(error.name).to.equal('JWKSNoMatchingKey');
    await keys.get({ alg: 'ES256', kid: 'second' }).then(() => expect.fail('asked too soon'), unknown);
    now += 30_000;
    expect(await keys.get({ alg: 'ES256', kid: 'second' })).to.have.property('type', 'public');
    for (let again = 0; again < 5; again += 1) {
      await keys.get({ alg: 'ES256', kid: `invented-${again}` }).then(() => expect.fail('found'), unknown);
    }
    expect(fetched).to.equal(2);
  });
});
