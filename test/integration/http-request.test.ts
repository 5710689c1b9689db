/** The action that asks the web: on real servers and embedded, against a web server of the test's own. */
import { expect } from 'chai';
import { ACTION_START } from '../../pkg/model/id.ts';
import { action } from '../support/caller.ts';
import { Canary } from '../support/canary.ts';
import { eachStage } from '../support/stage.ts';

const HIDDEN = 'hidden-from-everybody';

eachStage(
  'http_request',
  (get) => {
    let web: Canary;
    let base: string;
    before(async () => {
      web = await Canary.start();
      base = `http://127.0.0.1:${web.port}`;
    });
    beforeEach(() => {
      web.requests.length = 0;
      web.answer = (response) => response.end('{"ok":true}');
    });
    after(() => web.stop());

    const told = action('talk', { text: '${voipbin.error.reason}: ${voipbin.error.message}' });

    async function first(actions: readonly object[]) {
      const { caller } = get();
      const { id } = await caller.started(actions);
      const response = await caller.rpc('GET', `/v1/activeflows/${id}/next`, { current_action_id: ACTION_START });
      return { id, response, said: (response.data as { option?: { text?: string } }).option?.text };
    }

    it('sends what its option says, with variables, and sets variables from the answer', async () => {
      web.answer = (response) => response.writeHead(201).end('{"name":"Anna","orders":[{"n":1}]}');
      const set = action('variable_set', { key: 'key', value: HIDDEN });
      const ask = action('http_request', {
        method: 'POST',
        url: `${base}/customers?key=\${key}`,
        headers: { Authorization: 'Bearer ${key}', 'X-Wait': 5 },
        query: { q: '${key}' },
        body: { who: '${voipbin.activeflow.reference_type}' },
        timeout: '${wait}',
        extract: { name: '/name', order: '/orders/0' },
      });
      const { id, said } = await first([
        set,
        action('variable_set', { key: 'wait', value: 5_000 }),
        ask,
        action('talk', { text: '${name} ${order} ${order.n}' }),
      ]);
      expect(said).to.equal('Anna {"n":1} 1');
      expect(web.requests).to.have.length(1);
      const [seen] = web.requests;
      expect(seen).to.include({ method: 'POST', path: `/customers?key=${HIDDEN}&q=${HIDDEN}` });
      expect(JSON.parse(seen?.body ?? '')).to.deep.equal({ who: 'call' });
      expect(seen?.headers).to.include({ authorization: `Bearer ${HIDDEN}`, 'x-wait': '5', 'content-type': 'application/json' });
      expect(seen?.headers['idempotency-key']).to.match(/^[0-9a-f-]{36}$/);

      const { caller } = get();
      const trace = await caller.ok<{ reason: string; outcome: string }[]>('GET', `/v1/activeflows/${id}/trace`);
      expect(trace.map(({ reason }) => reason)).to.include(`POST 127.0.0.1:${web.port}: 201; sets name, order`);
      const whole = await caller.ok<{ executed_actions: { type: string; option: object }[] }>('GET', `/v1/activeflows/${id}`);
      const shown = whole.executed_actions.find(({ type }) => type === 'http_request');
      expect(shown?.option).to.deep.include({ url: `${base}/customers?key=***`, query: { q: '***' } });
      expect(JSON.stringify([trace, shown])).not.to.include(HIDDEN);
    });

    it('leaves an Idempotency-Key of its author alone', async () => {
      await first([action('http_request', { url: base, headers: { 'Idempotency-KEY': 'mine' } }), told]);
      expect(web.requests[0]?.headers['idempotency-key']).to.equal('mine');
    });

    it('has the same Idempotency-Key on every try', async () => {
      web.answer = (response) => response.writeHead(web.requests.length < 3 ? 503 : 200).end('{}');
      const done = action('talk', { text: 'done' });
      const { said } = await first([action('http_request', { url: base }, { retry: { attempts: 3, initial_ms: 1 } }), done]);
      expect(said).to.equal('done');
      expect(web.requests).to.have.length(3);
      expect(new Set(web.requests.map(({ headers }) => headers['idempotency-key'])).size).to.equal(1);
    });

    it('stops the flow at an unexpected status, and goes where on_error_target_id says', async () => {
      web.answer = (response) => response.writeHead(302, { location: `${base}/elsewhere` }).end();
      const { response, id } = await first([action('http_request', { url: `${base}/?secret=1` }), told]);
      expect([response.status_code, (response.data as { reason: string }).reason]).to.deep.equal([409, 'HTTP_STATUS_UNEXPECTED']);
      const { status } = await get().caller.ok<{ status: string }>('GET', `/v1/activeflows/${id}`);
      expect(status).to.equal('ended');
      const { said } = await first([
        action('http_request', { url: base }, { on_error_target_id: told.id }),
        action('talk', { text: 'not this' }),
        told,
      ]);
      expect(said).to.equal(
        `HTTP_STATUS_UNEXPECTED: GET 127.0.0.1:${web.port}: answered with status 302, expected 2xx; redirects are not followed`,
      );
      expect(web.requests.map(({ path }) => path)).not.to.include('/elsewhere');
    });

    it('takes the statuses that it is told to expect', async () => {
      web.answer = (response) => response.writeHead(404).end('nobody');
      const { said } = await first([
        action('http_request', { url: base, expect: [200, 404], extract: { answer: '' } }),
        action('talk', { text: '${answer}' }),
      ]);
      expect(said).to.equal('nobody');
    });

    const failures: readonly (readonly [string, () => object, number, string])[] = [
      ['an address that is not public', () => ({ url: `http://127.0.0.2:${web.port}/` }), 403, 'HTTP_ADDRESS_NOT_ALLOWED'],
      ['an internal door', () => ({ url: 'http://[::1]:8080/rpc' }), 403, 'HTTP_ADDRESS_NOT_ALLOWED'],
      ['no address', () => ({}), 400, 'NO_URL'],
      ['another scheme', () => ({ url: 'file:///etc/passwd' }), 400, 'HTTP_URL_INVALID'],
      ['a method there is not', () => ({ url: base, method: 'CONNECT' }), 400, 'HTTP_METHOD_INVALID'],
      ['a header of the connection', () => ({ url: base, headers: { Host: 'x' } }), 400, 'HTTP_HEADER_INVALID'],
      ['a value that is not in the answer', () => ({ url: base, extract: { x: '/none' } }), 409, 'HTTP_VALUE_MISSING'],
      ['a name of the service', () => ({ url: base, extract: { 'voipbin.activeflow.id': '' } }), 400, 'VARIABLE_RESERVED'],
    ];
    for (const [what, option, code, reason] of failures) {
      it(`fails for ${what}: ${code} ${reason}, and the trace says so`, async () => {
        const { id, response } = await first([action('http_request', option()), told]);
        expect([response.status_code, (response.data as { reason: string }).reason], JSON.stringify(response)).to.deep.equal([
          code,
          reason,
        ]);
        const trace = await get().caller.ok<{ reason: string }[]>('GET', `/v1/activeflows/${id}/trace`);
        expect(trace.at(-1)?.reason).to.include(reason);
        if (code === 403) expect(trace.at(-1)?.reason).to.include('not allowed');
      });
    }

    it('fails when there is no answer in its time: 503', async () => {
      web.answer = () => undefined;
      const { response } = await first([action('http_request', { url: base, timeout: 50 }), told]);
      expect([response.status_code, (response.data as { reason: string }).reason]).to.deep.equal([503, 'HTTP_TIMEOUT']);
    });
  },
  { http_allow_private: '127.0.0.1' },
);

eachStage(
  'http_request beyond the limits of its customer',
  (get) => {
    let web: Canary;
    before(async () => {
      web = await Canary.start();
    });
    after(() => web.stop());

    it('waits for its turn, and fails with 429 when its time is over', async () => {
      let finish: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        web.answer = (response) => {
          finish = () => response.end('{}');
          resolve();
        };
      });
      const { caller } = get();
      const done = action('talk', { text: 'done' });
      const url = `http://127.0.0.1:${web.port}/`;
      const holding = await caller.started([action('http_request', { url }), done]);
      const waiting = await caller.started([action('http_request', { url, timeout: 100 }), done]);
      const next = (id: string) => caller.rpc('GET', `/v1/activeflows/${id}/next`, { current_action_id: ACTION_START });
      const first = next(holding.id);
      await held;
      const second = await next(waiting.id);
      expect([second.status_code, (second.data as { reason: string }).reason]).to.deep.equal([429, 'HTTP_CUSTOMER_OVER_LIMIT']);
      finish();
      expect((await first).status_code).to.equal(200);
      expect(web.requests).to.have.length(1);
    });
  },
  { http_allow_private: '127.0.0.1', http_customer_concurrency: 1 },
);
