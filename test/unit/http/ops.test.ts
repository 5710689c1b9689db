import { expect } from 'chai';
import { type OpsOptions, type OpsServer, serveOps } from '../../../pkg/http/ops.ts';
import { type Check, Readiness } from '../../../pkg/http/readiness.ts';

const up: Check = async () => {};
const down: Check = async () => {
  throw new Error('connect ECONNREFUSED 127.0.0.1:5672');
};

describe('the port for operators', () => {
  let server: OpsServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  async function get(path: string, options: Partial<OpsOptions> = {}) {
    const metrics = { contentType: 'text/plain; version=0.0.4', render: async () => 'flow_manager_x 1\n' };
    server ??= await serveOps({ host: '127.0.0.1', port: 0 }, { endpoint: '/metrics', metrics, checks: {}, ...options });
    const response = await fetch(`http://127.0.0.1:${server.address.port}${path}`);
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  }

  it('serves the metrics at the given path', async () => {
    expect(await get('/custom', { endpoint: '/custom' })).to.deep.include({ status: 200, body: 'flow_manager_x 1\n' });
  });

  it('listens on every address, of both families', async () => {
    const metrics = { contentType: 'text/plain', render: async () => '' };
    server = await serveOps({ host: '', port: 0 }, { endpoint: '/metrics', metrics, checks: {} });
    expect((await get('/healthz')).status).to.equal(200);
  });

  it('is ready when every check passes', async () => {
    const { status, body } = await get('/readyz', { checks: { rabbitmq: up, database: up } });
    expect([status, JSON.parse(body)]).to.deep.equal([200, { ready: true, missing: [] }]);
  });

  it('says which server is missing and why, and stays healthy', async () => {
    const { status, body } = await get('/readyz', { checks: { database: up, rabbitmq: down } });
    expect(status).to.equal(503);
    expect(JSON.parse(body)).to.deep.equal({ ready: false, missing: ['rabbitmq: connect ECONNREFUSED 127.0.0.1:5672'] });
    expect((await get('/healthz')).status).to.equal(200);
  });

  it('is ready without an optional server, and still names it', async () => {
    const { status, body } = await get('/readyz', { checks: { redis: down }, optional: ['redis'] });
    expect(status).to.equal(200);
    expect(JSON.parse(body)).to.deep.equal({ ready: true, missing: ['redis: connect ECONNREFUSED 127.0.0.1:5672'] });
  });

  it('is not ready once it stops', async () => {
    const { status, body } = await get('/readyz', { checks: { rabbitmq: up }, stopping: AbortSignal.abort() });
    expect(status).to.equal(503);
    expect(JSON.parse(body).ready).to.equal(false);
  });
});

describe('readiness', () => {
  it('does not wait for a server that does not answer', async () => {
    const readiness = new Readiness({ checks: { database: () => new Promise(() => {}) }, timeout_ms: 5 });
    expect(await readiness.state()).to.deep.equal({ ready: false, missing: ['database: no answer within 5 ms'] });
  });

  it('asks the servers once in a while, however often it is asked', async () => {
    let asked = 0;
    let now = 0;
    const seen: boolean[] = [];
    const checks = {
      rabbitmq: async () => {
        if (++asked > 1) throw new Error('gone');
      },
    };
    const readiness = new Readiness({ checks, cache_ms: 1_000, now: () => now, onCheck: (_, isUp) => seen.push(isUp) });
    const states = await Promise.all([readiness.state(), readiness.state()]);
    now = 999;
    states.push(await readiness.state());
    expect(states.map(({ ready }) => ready)).to.deep.equal([true, true, true]);
    expect(asked).to.equal(1);
    now = 1_000;
    expect(await readiness.state()).to.deep.equal({ ready: false, missing: ['rabbitmq: gone'] });
    expect(seen).to.deep.equal([true, false]);
  });
});
