import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { FlowError } from '../../../pkg/error/index.ts';
import { CustomerLimits } from '../../../pkg/http/customer-limits.ts';
import { SafeHttpClient, type SafeHttpClientOptions } from '../../../pkg/http/safe-client.ts';
import { Canary } from '../../support/canary.ts';
import { RecordingMeter } from '../../support/recorders.ts';

async function failureOf(work: Promise<unknown>): Promise<FlowError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FlowError)) throw new Error(`expected a FlowError, got ${String(error)}`);
  return error;
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const BREAKS: readonly ((socket: Socket) => void)[] = [
  (socket) => socket.write(OK),
  (socket) => socket.destroy(),
  (socket) => socket.write(OK),
  (socket) => socket.resetAndDestroy(),
  (socket) => socket.end(OK),
  (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le'),
  (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no'),
];

/** Says that connections stay, and breaks them in every way, before and after its answers. */
class BreakingServer {
  readonly paths: string[] = [];
  readonly #server = createServer((socket) => {
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString();
      for (let end = text.indexOf('\r\n\r\n'); end >= 0 && !socket.destroyed; end = text.indexOf('\r\n\r\n')) {
        this.paths.push(text.split(' ')[1] ?? '');
        text = text.slice(end + 4);
        BREAKS[this.paths.length % BREAKS.length]?.(socket);
      }
    });
  });

  static async start(): Promise<BreakingServer> {
    const server = new BreakingServer();
    await new Promise<void>((done) => server.#server.listen(0, '127.0.0.1', done));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    await new Promise((done) => this.#server.close(done));
  }
}

describe('SafeHttpClient', () => {
  let web: Canary;
  let base: string;
  const clients: SafeHttpClient[] = [];

  function client(options: SafeHttpClientOptions = {}): SafeHttpClient {
    const made = new SafeHttpClient({ allowPrivate: '127.0.0.1', ...options });
    clients.push(made);
    return made;
  }

  beforeEach(async () => {
    web = await Canary.start();
    base = `http://127.0.0.1:${web.port}`;
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((one) => one.close()));
    await web.stop();
  });

  it('sends JSON with a method of any case, and reads JSON', async () => {
    web.answer = (response) => response.writeHead(201).end('[1,{"a":null}]');
    const answer = await client().request({ method: 'post', url: `${base}/actions?key=1`, body: { a: 'ü' } });
    expect([answer.status, answer.body]).to.deep.equal([201, [1, { a: null }]]);
    expect(web.requests).to.have.length(1);
    expect(web.requests[0]).to.include({ method: 'POST', path: '/actions?key=1', body: '{"a":"ü"}' });
    expect(web.requests[0]?.headers).to.include({ 'content-type': 'application/json', 'accept-encoding': 'identity' });
  });

  it('sends a body with GET too, and none where there is none', async () => {
    await client().request({ method: 'GET', url: base, body: { a: 1 } });
    await client().request({ method: 'GET', url: base });
    expect(web.requests.map(({ body }) => body)).to.deep.equal(['{"a":1}', '']);
    expect(web.requests[1]?.headers).to.not.have.property('content-type');
  });

  it('sends headers, a query and a text as they are given, and reads the headers of the answer', async () => {
    web.answer = (response) => response.writeHead(200, { 'X-One': '1', 'Set-Cookie': ['a=1', 'b=2'] }).end('');
    const answer = await client().request({
      method: 'POST',
      url: `${base}/a?b=1`,
      headers: { Authorization: 'Bearer x', 'Content-Type': 'text/csv', Accept: '*/*' },
      query: [
        ['c', 'ü&='],
        ['c', '2'],
      ],
      text: 'a;b',
    });
    expect(answer.headers).to.include({ 'x-one': '1', 'set-cookie': 'a=1, b=2' });
    expect(web.requests[0]).to.include({ path: '/a?b=1&c=%C3%BC%26%3D&c=2', body: 'a;b' });
    expect(web.requests[0]?.headers).to.include({ authorization: 'Bearer x', 'content-type': 'text/csv', accept: '*/*' });
  });

  it('sends each request once, whatever becomes of its connection', async () => {
    const broken = await BreakingServer.start();
    try {
      const http = client({ connections: 2 });
      const asked = Array.from({ length: 200 }, (_, at) =>
        http.request({ method: ['GET', 'PUT', 'POST', 'DELETE'][at % 4] ?? 'GET', url: `${broken.url}/${at}` }),
      );
      const outcomes = await Promise.allSettled(asked);
      const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as FlowError] : []));
      expect(new Set(failed.map(({ reason }) => reason))).to.deep.equal(new Set(['HTTP_FAILED']));
      expect(broken.paths).to.have.members(asked.map((_, at) => `/${at}`));
    } finally {
      await broken.stop();
    }
  });

  it('refuses headers of the connection, Host, and what is no header, without their values', async () => {
    const names = [
      ...['Host', 'host', 'Connection', 'Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Proxy-Authorization'],
      ...['Content-Length', 'Expect', 'Accept-Encoding', 'Proxy-Connection', 'x y', 'x:', '', 'ü', 'a\r\nHost'],
    ];
    const headers = names.map((name) => ({ [name]: 'secret' }));
    const values = ['secret\r\nHost: x', 'secret\n', 'secret\0', 'secret€', `secret${'x'.repeat(8_192)}`].map((value) => ({
      x: value,
    }));
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`x-${at}`, 'secret']));
    for (const given of [...headers, ...values, many]) {
      const error = await failureOf(client().request({ method: 'GET', url: base, headers: given }));
      expect(error, JSON.stringify(given)).to.include({ status: 'INVALID_ARGUMENT', reason: 'HTTP_HEADER_INVALID' });
      expect(error.message + JSON.stringify(error.details)).not.to.include('secret');
    }
    expect(web.connections).to.equal(0);
  });

  it('gives up on an answer whose headers are too large', async () => {
    web.answer = (response) => response.writeHead(200, { 'x-large': 'x'.repeat(20_000) }).end();
    expect(await failureOf(client().request({ method: 'GET', url: base }))).to.include({ reason: 'HTTP_FAILED' });
  });

  it('lets a request have a time of its own', async () => {
    web.answer = () => undefined;
    const error = await failureOf(client().request({ method: 'GET', url: base, timeout_ms: 30 }));
    expect(error).to.include({ reason: 'HTTP_TIMEOUT' });
    expect(error.message).to.contain('30 ms');
  });

  it('counts how requests come out', async () => {
    const meter = new RecordingMeter();
    const limits = new CustomerLimits({ concurrency: 1, per_second: 1_000 });
    const one = client({ meter, limits });
    await one.request({ method: 'GET', url: base, customer_id: 'c' });
    await failureOf(one.request({ method: 'GET', url: 'http://10.0.0.1/' }));
    await failureOf(one.request({ method: 'GET', url: '' }));
    web.answer = () => undefined;
    const held = failureOf(one.request({ method: 'GET', url: base, customer_id: 'c', timeout_ms: 100 }));
    const waits = await failureOf(one.request({ method: 'GET', url: base, customer_id: 'c', timeout_ms: 20 }));
    expect(waits).to.include({ status: 'RESOURCE_EXHAUSTED', reason: 'HTTP_CUSTOMER_OVER_LIMIT' });
    expect(await held).to.include({ reason: 'HTTP_TIMEOUT' });
    expect(limits.size).to.be.at.most(1);
    const outcomes = meter.of('http_client_request_total').map(({ labels }) => labels.outcome);
    expect(outcomes).to.deep.equal(['answered', 'not_allowed', 'invalid', 'over_limit', 'timeout']);
  });

  it('gives text where the answer is no JSON', async () => {
    for (const text of ['hello', '{"a":', '']) {
      web.answer = (response) => response.setHeader('content-type', 'application/json').end(text);
      expect(await client().request({ method: 'GET', url: base })).to.include({ status: 200, body: text });
    }
  });

  it('hands back errors and redirects as they are, and follows none', async () => {
    for (const status of [301, 302, 303, 307, 308, 404, 500]) {
      web.answer = (response) => response.writeHead(status, { location: `${base}/elsewhere` }).end();
      expect(await client().request({ method: 'GET', url: `${base}/here` })).to.include({ status });
    }
    expect(new Set(web.requests.map(({ path }) => path))).to.deep.equal(new Set(['/here']));
  });

  it('sends credentials of the URL in a header, and never shows them', async () => {
    const url = `http://me%40home:p%3Aw@127.0.0.1:${web.port}/private?token=secret`;
    await client().request({ method: 'GET', url });
    expect(web.requests[0]?.headers.authorization).to.equal(`Basic ${Buffer.from('me@home:p:w').toString('base64')}`);
    web.answer = (response) => response.destroy();
    const error = await failureOf(client().request({ method: 'GET', url }));
    expect(error).to.include({ status: 'UNAVAILABLE', reason: 'HTTP_FAILED' });
    for (const hidden of ['secret', 'p%3Aw', 'p:w', 'private', 'me']) expect(error.message.split(' ')[0]).to.not.contain(hidden);
  });

  it('refuses other schemes, what is no URL, and odd methods', async () => {
    const urls = [
      '',
      'nonsense',
      '/path',
      'ftp://127.0.0.1/',
      'file:///etc/passwd',
      'gopher://127.0.0.1/',
      'data:,x',
      'http://',
      'ws://127.0.0.1/',
    ];
    for (const url of urls) {
      const error = await failureOf(client().request({ method: 'GET', url }));
      expect(error, url).to.include({ status: 'INVALID_ARGUMENT', reason: 'HTTP_URL_INVALID' });
    }
    for (const method of ['', 'CONNECT', 'TRACE', 'GET / HTTP/1.1\r\nx: y']) {
      const error = await failureOf(client().request({ method, url: base }));
      expect(error, method).to.include({ status: 'INVALID_ARGUMENT', reason: 'HTTP_METHOD_INVALID' });
    }
    expect(web.connections).to.equal(0);
  });

  it('gives up on an answer that does not begin, or does not end, in time', async () => {
    const slow = client({ timeout_ms: 60 });
    const answers: Canary['answer'][] = [
      () => undefined,
      (response) => {
        response.write('{"a":');
      },
      (response) => {
        const drip = setInterval(() => response.write(' '), 10);
        response.on('close', () => clearInterval(drip));
      },
    ];
    for (const answer of answers) {
      web.answer = answer;
      const began = Date.now();
      const error = await failureOf(slow.request({ method: 'GET', url: `${base}/?token=secret` }));
      expect(error).to.include({ status: 'UNAVAILABLE', reason: 'HTTP_TIMEOUT' });
      expect(error.message).to.contain('60 ms').and.to.not.contain('secret');
      expect(Date.now() - began).to.be.within(50, 2_000);
    }
  });

  it('gives up on a name that is never found', async () => {
    const stuck = client({ timeout_ms: 60, resolve: () => new Promise(() => undefined) });
    const error = await failureOf(stuck.request({ method: 'GET', url: 'http://stuck.example/' }));
    expect(error).to.include({ reason: 'HTTP_TIMEOUT' });
  });

  it('takes an answer of exactly the size allowed, and breaks off a larger one, announced or not', async () => {
    const small = client({ max_bytes: 1_000 });
    web.answer = (response) => response.end('x'.repeat(1_000));
    expect((await small.request({ method: 'GET', url: base })).body).to.have.length(1_000);
    web.answer = (response) => response.end('x'.repeat(1_001));
    expect(await failureOf(small.request({ method: 'GET', url: base }))).to.include({ reason: 'HTTP_ANSWER_TOO_LARGE' });
    let closed: Promise<unknown> = Promise.resolve();
    web.answer = (response) => {
      closed = new Promise((done) => response.on('close', done));
      const flood = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      };
      response.on('drain', flood);
      flood();
    };
    expect(await failureOf(small.request({ method: 'GET', url: base }))).to.include({ reason: 'HTTP_ANSWER_TOO_LARGE' });
    await closed;
  });

  it('refuses to send more than allowed, counted in bytes', async () => {
    const small = client({ max_bytes: 10 });
    web.answer = (response) => response.end();
    await small.request({ method: 'POST', url: base, body: 'x'.repeat(8) });
    const error = await failureOf(small.request({ method: 'POST', url: base, body: 'ü'.repeat(5) }));
    expect(error).to.include({ status: 'INVALID_ARGUMENT', reason: 'HTTP_BODY_TOO_LARGE' });
    expect(web.requests).to.have.length(1);
  });

  it('says what went wrong on the way', async () => {
    const { port } = web;
    await web.stop();
    const error = await failureOf(client().request({ method: 'GET', url: `http://127.0.0.1:${port}/?token=secret` }));
    expect(error).to.include({ status: 'UNAVAILABLE', reason: 'HTTP_FAILED' });
    expect(error.message).to.contain('ECONNREFUSED').and.to.not.contain('secret');
    const lost = client({ resolve: () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })) });
    expect((await failureOf(lost.request({ method: 'GET', url: 'http://gone.example/' }))).message).to.contain('ENOTFOUND');
    const empty = client({ resolve: async () => [] });
    expect((await failureOf(empty.request({ method: 'GET', url: 'http://gone.example/' }))).message).to.contain('no address');
    web = await Canary.start();
  });
});
