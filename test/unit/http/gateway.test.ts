import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { Type } from 'typebox';
import { FlowError } from '../../../pkg/error/index.ts';
import type { GatewayOptions } from '../../../pkg/http/gateway.ts';
import { gatewayRoute, uuid } from '../../../pkg/http/route.ts';
import { CUSTOMER, startGateway, type TestGateway, token } from '../../support/gateway.ts';

const ID = '7AFADC1A-64C7-46F0-95F8-CCD9B4A1DAA5';
const answers = { 200: { description: 'what was read' } };

const ROUTES = [
  gatewayRoute({
    method: 'POST',
    path: '/v1/things/{id}',
    summary: 'Says what it has read',
    access: 'public',
    params: Type.Object({ id: uuid('Id of the thing.') }),
    query: Type.Object({ size: Type.Optional(Type.Integer({ minimum: 1, maximum: 9, default: 3 })) }),
    headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String({ maxLength: 5 })) }),
    body: Type.Object(
      { name: Type.String({ minLength: 1 }), kind: Type.Optional(Type.Union([Type.Integer(), Type.Null()])) },
      { additionalProperties: false },
    ),
    answers: { 201: { description: 'made', body: Type.Object({ id: Type.String() }) } },
    handler: async ({ params, query, headers, body, user }) => {
      const nobody: undefined = user;
      const key = headers['idempotency-key'] ?? '';
      return { status: 201, body: { id: params.id, size: query.size ?? 0, name: body.name, key, user: nobody ?? null } };
    },
  }),
  gatewayRoute({
    method: 'GET',
    path: '/v1/things/{id}',
    summary: 'For users',
    access: 'user',
    answers,
    handler: async ({ params, user: { id, customer_id, teams, roles, permissions } }) => {
      return { status: 200, body: { thing: params.id ?? '', id, customer_id, teams, roles, permissions } };
    },
  }),
  gatewayRoute({
    method: 'GET',
    path: '/v1/guarded',
    summary: 'For some users',
    access: { roles: ['org.admin'], permissions: ['thing.read', 'thing.write'] },
    answers,
    handler: async () => ({ status: 200 }),
  }),
  gatewayRoute({
    method: 'PUT',
    path: '/v1/raw/{name}',
    summary: 'Takes any bytes',
    access: 'public',
    raw_body: 'Anything.',
    body_bytes: 20,
    answers,
    handler: async ({ raw, params, query, ip }) => ({
      status: 200,
      headers: { 'x-more': 'yes' },
      body: { bytes: raw.toString('hex'), name: params.name ?? '', query, ip },
    }),
  }),
  gatewayRoute({
    method: 'GET',
    path: '/v1/fails/{how}',
    summary: 'Fails',
    access: 'public',
    answers,
    handler: async ({ params }) => {
      if (params.how === 'inside') throw new Error('a secret of the inside');
      if (params.how === 'gone') throw new FlowError('GONE', 'OVER', 'it is over');
      throw new FlowError('UNAVAILABLE', 'LATER', 'come again');
    },
  }),
  gatewayRoute({
    method: 'GET',
    path: '/v1/live',
    summary: 'Goes on',
    access: 'user',
    token_in_query: true,
    upgrade: true,
    answers,
    handler: async ({ upgrade, query, user }) => {
      if (query.full) throw new FlowError('RESOURCE_EXHAUSTED', 'TOO_MANY', 'too many streams');
      if (upgrade) {
        return {
          upgrade: (_request, socket, _head, closing) => {
            socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n${user.id}`);
            closing.addEventListener('abort', () => socket.end('bye'));
          },
        };
      }
      return {
        stream: (response, closing) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${JSON.stringify(query)}\n\n`);
          if (!query.deaf) closing.addEventListener('abort', () => response.end('data: bye\n\n'));
        },
      };
    },
  }),
];

interface ErrorBody {
  readonly reason: string;
  readonly status: string;
  readonly message: string;
  readonly details?: readonly { readonly field: string; readonly value?: unknown; readonly expected?: string }[];
}

describe('the gateway', () => {
  let gateway: TestGateway;
  const start = async (more: Partial<GatewayOptions> = {}) => {
    gateway = await startGateway(ROUTES, more);
    return gateway;
  };
  afterEach(() => gateway.close());

  async function call(method: string, path: string, init: { body?: string | Buffer; headers?: Record<string, string> } = {}) {
    const answer = await fetch(gateway.url + path, { method, ...init } as RequestInit);
    const text = await answer.text();
    const body = (answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text) as never;
    return { status: answer.status, headers: answer.headers, body };
  }

  async function refused(
    method: string,
    path: string,
    init: Parameters<typeof call>[2] = {},
  ): Promise<[number, ErrorBody, Headers]> {
    const { status, headers, body } = await call(method, path, init);
    return [status, body, headers];
  }

  const bearer = async (claims: object = {}) => ({ authorization: `Bearer ${await token({ ...claims })}` });

  describe('reads a request by its schemas', () => {
    beforeEach(() => start());

    it('gives the handler ids in lower case, numbers of a query as numbers, defaults, headers and the body', async () => {
      const headers = { 'idempotency-key': 'k1' };
      const { status, body } = await call('POST', `/v1/things/${ID}?size=7`, { headers, body: '{"name":"n"}' });
      expect([status, body]).to.deep.equal([201, { id: ID.toLowerCase(), size: 7, name: 'n', key: 'k1', user: null }]);
      const other = await call('POST', `/v1/things/${ID}`, { body: '{"name":"n","kind":null}' });
      expect(other.body).to.include({ size: 3, key: '' });
    });

    const wrong: readonly (readonly [string, string, string | Buffer, string, string, string?])[] = [
      ['an id', '/v1/things/7', '{"name":"n"}', 'id', 'a UUID such as'],
      ['a query', `/v1/things/${ID}?size=many`, '{"name":"n"}', 'size', 'a whole number from 1 to 9'],
      ['a query above its most', `/v1/things/${ID}?size=10`, '{"name":"n"}', 'size', 'from 1 to 9'],
      ['a header', `/v1/things/${ID}`, '{"name":"n"}', 'idempotency-key', 'at most 5 characters', 'too long'],
      ['a missing field', `/v1/things/${ID}`, '{}', '/name', 'text'],
      ['no body', `/v1/things/${ID}`, '', '/name', 'text'],
      ['a field of another type', `/v1/things/${ID}`, '{"name":5}', '/name', 'text'],
      ['an empty text', `/v1/things/${ID}`, '{"name":""}', '/name', 'at least 1 characters'],
      ['none of a union', `/v1/things/${ID}`, '{"name":"n","kind":"k"}', '/kind', 'a whole number or null'],
      ['an unknown field', `/v1/things/${ID}`, '{"name":"n","more":1}', '/more', 'one of name, kind'],
      ['another body', `/v1/things/${ID}`, '[]', 'body', 'an object'],
      ['no JSON', `/v1/things/${ID}`, '{"name"', 'body', 'JSON'],
      ['no UTF-8', `/v1/things/${ID}`, Buffer.from([0x22, 0xff, 0x22]), 'body', 'UTF-8'],
    ];
    for (const [what, path, body, field, expected, key] of wrong) {
      it(`refuses ${what} with its field, value and what is expected`, async () => {
        const headers = key === undefined ? {} : { 'idempotency-key': key };
        const [status, error] = await refused('POST', path, { body, headers });
        expect([status, error.status], JSON.stringify(error)).to.deep.equal([400, 'INVALID_ARGUMENT']);
        expect(error.details?.[0]?.field).to.equal(field);
        expect(error.details?.[0]?.expected).to.include(expected);
        expect(error.details?.[0]).to.have.property('value');
      });
    }

    it('names everything that is wrong at once', async () => {
      const [, error] = await refused('POST', `/v1/things/${ID}`, { body: '{"name":1,"kind":"k","more":1}' });
      expect(error.details?.map(({ field }) => field)).to.have.members(['/name', '/kind', '/more']);
      expect(error.message).to.include('(and 2 more)');
    });

    it('hands over the very bytes of a body without a schema', async () => {
      const { body, headers } = await call('PUT', '/v1/raw/a%2Fb?x=1&x=2', { body: Buffer.from([0, 255, 13]) });
      expect(body).to.deep.equal({ bytes: '00ff0d', name: 'a/b', query: { x: ['1', '2'] }, ip: '127.0.0.1' });
      expect(headers.get('x-more')).to.equal('yes');
      expect(headers.get('cache-control')).to.equal('no-store');
    });

    it('refuses a body above the limit of its route, or of all', async () => {
      const [status, error] = await refused('PUT', '/v1/raw/x', { body: 'x'.repeat(21) });
      expect([status, error.reason]).to.deep.equal([413, 'MESSAGE_TOO_LARGE']);
      expect((await refused('POST', `/v1/things/${ID}`, { body: 'x'.repeat(10_001) }))[0]).to.equal(413);
      expect((await call('PUT', '/v1/raw/x', { body: 'x'.repeat(20) })).status).to.equal(200);
    });
  });

  describe('answers in the one form of errors', () => {
    beforeEach(() => start());

    it('404 for an unknown route, and 405 with Allow for a wrong method', async () => {
      const [status, error] = await refused('GET', '/v1/nothing?access_token=hidden');
      expect([status, error.status, error.reason]).to.deep.equal([404, 'NOT_FOUND', 'ROUTE_NOT_FOUND']);
      expect(JSON.stringify(error)).not.to.include('hidden');
      for (const method of ['DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'QUERY']) {
        const [code, body, headers] = await refused(method, `/v1/things/${ID}`);
        expect([code, body?.reason], method).to.deep.equal([405, 'METHOD_NOT_ALLOWED']);
        expect(headers.get('allow')).to.equal('POST, GET');
      }
    });

    it('no insides of a failure, but in the log', async () => {
      const [status, error] = await refused('GET', '/v1/fails/inside');
      expect([status, error.status]).to.deep.equal([500, 'INTERNAL']);
      expect(JSON.stringify(error)).not.to.include('secret');
      expect(gateway.log.lines.join()).to.include('error {"route":"/v1/fails/{how}","method":"GET"');
    });

    it('410 for what is over, and 503 with Retry-After for later', async () => {
      expect((await refused('GET', '/v1/fails/gone'))[0]).to.equal(410);
      const [status, , headers] = await refused('GET', '/v1/fails/later');
      expect([status, headers.get('retry-after')]).to.deep.equal([503, '1']);
    });

    it('400 for a path or a request that cannot be read', async () => {
      const [status, error] = await refused('GET', '/v1/fails/%E0%A4%A');
      expect([status, error.status]).to.deep.equal([400, 'INVALID_ARGUMENT']);
      expect((await refused('GET', `/v1/fails/${'x'.repeat(600)}`))[0]).to.equal(414);
      const socket = connect(gateway.port, '127.0.0.1');
      socket.write('nonsense\r\n\r\n');
      const text = String(await once(socket, 'data'));
      expect(text)
        .to.match(/^HTTP\/1\.1 400 /)
        .and.include('"domain":"flow-manager"');
    });

    it('503 when as many requests as may be are under way', async () => {
      await gateway.close();
      await start({ capacity: 0 });
      const [status, error] = await refused('GET', '/openapi.json');
      expect([status, error.reason]).to.deep.equal([503, 'OVERLOADED']);
    });
  });

  describe('tells users', () => {
    beforeEach(() => start());

    it('gives their claims to the handler', async () => {
      const claims = { org: CUSTOMER.toUpperCase(), teams: ['t 1'], roles: ['r'], permissions: ['p'] };
      const { body } = await call('GET', '/v1/things/x', { headers: await bearer(claims) });
      const user = { id: 'anna', customer_id: CUSTOMER, teams: ['t 1'], roles: ['r'], permissions: ['p'] };
      expect(body).to.deep.equal({ thing: 'x', ...user });
    });

    it('401 without a token, before the body is looked at', async () => {
      const [status, error, headers] = await refused('GET', '/v1/things/x');
      expect([status, error.status, error.reason]).to.deep.equal([401, 'UNAUTHENTICATED', 'TOKEN_MISSING']);
      expect(headers.get('www-authenticate')).to.equal('Bearer realm="flow-manager"');
    });

    it('403 without one of the roles or permissions, 200 with any of them', async () => {
      const [status, error] = await refused('GET', '/v1/guarded', { headers: await bearer({ roles: ['thing.read'] }) });
      expect([status, error.reason]).to.deep.equal([403, 'PERMISSION_MISSING']);
      expect(error.details?.[0]?.expected).to.equal('role org.admin or permission thing.read or permission thing.write');
      for (const claims of [{ roles: ['org.admin'] }, { permissions: ['thing.write'] }]) {
        expect((await call('GET', '/v1/guarded', { headers: await bearer(claims) })).status).to.equal(200);
      }
    });

    it('takes ?access_token= only where the route says so, and never shows or logs it', async () => {
      const given = await token();
      expect((await refused('GET', `/v1/things/x?access_token=${given}`))[0]).to.equal(401);
      const [status, error] = await refused('GET', `/v1/live?full=1&access_token=${given}`);
      expect([status, error.reason]).to.deep.equal([429, 'TOO_MANY']);
      const live = await fetch(`${gateway.url}/v1/live?a=b&access_token=${given}`);
      const first = await live.body?.getReader().read();
      expect(Buffer.from(first?.value ?? []).toString()).to.equal('data: {"a":"b"}\n\n');
      expect(gateway.log.lines.join() + JSON.stringify(gateway.meter.measured)).not.to.include(given.slice(-20));
    });

    it('503 with the reason when no way to check tokens is configured, while routes without user work', async () => {
      await gateway.close();
      await start({ jwt: { secret: '', jwks_url: '', issuer: '', audience: '' } });
      const [status, error] = await refused('GET', '/v1/things/x', { headers: await bearer() });
      expect([status, error.reason]).to.deep.equal([503, 'AUTHENTICATION_NOT_CONFIGURED']);
      expect(error.message).to.include('--http_jwt_secret').and.include('--http_jwks_url');
      expect((await call('POST', `/v1/things/${ID}`, { body: '{"name":"n"}' })).status).to.equal(201);
    });
  });

  describe('lets pages of the web call', () => {
    const origin = 'https://app.example.com';
    const asking = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };

    it('those of the flag, with the methods of the path', async () => {
      await start({ cors_origins: `${origin}, https://other.example.com` });
      const { status, headers } = await call('OPTIONS', `/v1/things/${ID}`, { headers: asking });
      expect([status, headers.get('access-control-allow-origin')]).to.deep.equal([204, origin]);
      expect(headers.get('access-control-allow-methods')).to.equal('POST, GET');
      expect(headers.get('access-control-allow-headers')).to.include('authorization').and.include('idempotency-key');
      const [code, , marked] = await refused('GET', '/v1/things/x', { headers: { origin } });
      expect([code, marked.get('access-control-allow-origin'), marked.get('vary')]).to.deep.equal([401, origin, 'Origin']);
      const live = await fetch(`${gateway.url}/v1/live`, { headers: { ...(await bearer()), origin } });
      expect(live.headers.get('access-control-allow-origin')).to.equal(origin);
      await live.body?.cancel();
    });

    it('and no others', async () => {
      await start({ cors_origins: 'https://other.example.com' });
      const [status, error, headers] = await refused('OPTIONS', `/v1/things/${ID}`, { headers: asking });
      expect([status, error.reason, headers.get('access-control-allow-origin')]).to.deep.equal([403, 'ORIGIN_NOT_ALLOWED', null]);
    });

    it('any with *', async () => {
      await start({ cors_origins: '*' });
      expect((await call('OPTIONS', '/v1/guarded', { headers: asking })).status).to.equal(204);
    });

    it('refuses a flag that holds no origins', async () => {
      await start();
      for (const cors_origins of ['app.example.com', 'https://a.example.com/path', 'null']) {
        const failed = await startGateway([], { cors_origins }).then(
          () => undefined,
          (error: FlowError) => error,
        );
        expect(failed?.message, cors_origins).to.include('http_cors_origins');
      }
    });
  });

  describe('request envelopes', () => {
    const rpc = async (envelope: string) => ({ status_code: 200, data_type: 'application/json', data: envelope });

    it('are taken only when it is told so', async () => {
      await start();
      expect((await refused('POST', '/rpc', { body: '{}' }))[0]).to.equal(404);
      await gateway.close();
      await start({ rpc });
      expect((await call('POST', '/rpc', { body: '{"ü":1}' })).body).to.include({ data: '{"ü":1}' });
    });

    it('are not taken from a page of the web that found this address', async () => {
      await start({ rpc });
      const headers = { origin: 'https://evil.example.com', 'content-type': 'text/plain' };
      expect((await refused('POST', '/rpc', { body: '{}', headers }))[0]).to.equal(403);
    });
  });

  it('believes X-Forwarded-For only from the proxies of the flag', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.9' };
    const seen: string[] = [];
    for (const trust_proxy of ['', 'true', '127.0.0.0/8', '10.0.0.0/8']) {
      await start({ trust_proxy });
      const { body } = await call('PUT', '/v1/raw/x', { headers });
      seen.push((body as { ip: string }).ip);
      if (trust_proxy !== '10.0.0.0/8') await gateway.close();
    }
    expect(seen).to.deep.equal(['127.0.0.1', '203.0.113.9', '203.0.113.9', '127.0.0.1']);
  });

  it('counts requests by the pattern of their route, and nothing that a caller chose', async () => {
    await start();
    await call('POST', `/v1/things/${ID}`, { body: '{}' });
    await call('GET', '/v1/secret-path');
    await call('DELETE', '/v1/guarded');
    const counted = gateway.meter.of('http_gateway_request_total').map(({ labels }) => labels);
    expect(counted).to.deep.equal([
      { route: '/v1/things/{id}', method: 'POST', status: '400' },
      { route: 'unknown', method: 'other', status: '404' },
      { route: '/v1/guarded', method: 'other', status: '405' },
    ]);
    expect(gateway.meter.of('http_gateway_request_seconds').map(({ labels }) => labels)).to.have.length(3);
  });

  describe('carries streams', () => {
    const upgradeHeaders = { connection: 'Upgrade', upgrade: 'echo' };

    async function upgraded(path: string, headers: Record<string, string>) {
      const asked = httpRequest(gateway.url + path, { headers: { ...upgradeHeaders, ...headers } });
      asked.end();
      return await new Promise<{ status: number; text: Promise<string> }>((resolve, reject) => {
        const textOf = async (source: AsyncIterable<Uint8Array>, head: Uint8Array) => {
          const chunks = [head];
          for await (const chunk of source) chunks.push(chunk);
          return Buffer.concat(chunks).toString();
        };
        asked.once('error', reject);
        asked.once('upgrade', (answer: IncomingMessage, socket, head) =>
          resolve({ status: answer.statusCode ?? 0, text: textOf(socket, head) }),
        );
        asked.once('response', (answer) => resolve({ status: answer.statusCode ?? 0, text: textOf(answer, Buffer.alloc(0)) }));
      });
    }

    it('hands over a socket to a user, and refuses others as any request', async () => {
      await start();
      const { status, text } = await upgraded('/v1/live', await bearer());
      expect(status).to.equal(101);
      expect((await upgraded('/v1/live', {})).status).to.equal(401);
      expect((await upgraded('/v1/live?full=1', await bearer())).status).to.equal(429);
      expect((await upgraded('/v1/unknown', {})).status).to.equal(404);
      const plain = await upgraded('/v1/things/x', await bearer());
      expect([plain.status, await plain.text]).to.satisfy(
        ([code, body]: [number, string]) => code === 200 && body.includes('anna'),
      );
      await gateway.close();
      expect(await text).to.equal('annabye');
      const counted = gateway.meter.of('http_gateway_request_total').filter(({ labels }) => labels.status === '101');
      expect(counted).to.have.length(1);
    });

    it('tells streams that it closes', async () => {
      await start();
      const live = await fetch(`${gateway.url}/v1/live`, { headers: await bearer() });
      await gateway.close();
      expect(await live.text()).to.equal('data: {}\n\ndata: bye\n\n');
    });

    it('cuts those that do not listen, and closes', async () => {
      await start({ stream_grace_ms: 10 });
      const live = await fetch(`${gateway.url}/v1/live?deaf=1`, { headers: await bearer() });
      await gateway.close();
      const broken = await live.text().then(
        () => undefined,
        (error: Error) => error,
      );
      expect(broken).to.be.instanceOf(Error);
    });
  });
});
