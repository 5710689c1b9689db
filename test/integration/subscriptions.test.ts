/** Notifications to endpoints of customers: on real servers and embedded. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_START } from '../../pkg/model/id.ts';
import { action } from '../support/caller.ts';
import { JWT_SECRET, token } from '../support/gateway.ts';
import { eachStage } from '../support/stage.ts';
import { verify, WebhookReceiver } from '../support/webhook-receiver.ts';

interface Subscribed {
  readonly id: string;
  readonly secret: string;
  readonly enabled: boolean;
  readonly disabled_reason: string;
}

interface DeliveryView {
  readonly id: string;
  readonly sequence: number;
  readonly status: string;
  readonly attempts: number;
  readonly response_code: number | null;
  readonly activeflow_id: string;
  readonly next_try_at: string | null;
  readonly tm_update: string | null;
}

eachStage(
  'subscriptions',
  (get) => {
    let receiver: WebhookReceiver;
    beforeEach(async () => {
      receiver = await WebhookReceiver.start();
    });
    afterEach(() => receiver.stop());

    const subscribe = (customer_id: string, more: object = {}) =>
      get().caller.ok<Subscribed>('POST', '/v1/subscriptions', { customer_id, callback_url: `${receiver.url}/hook`, ...more });

    async function activeflow(customer_id: string, actions: readonly object[], more: object = {}) {
      const { caller } = get();
      const flow = await caller.ok<{ id: string }>('POST', '/v1/flows', {
        customer_id,
        name: 'f',
        persist: true,
        actions,
        ...more,
      });
      return caller.ok<{ id: string }>('POST', '/v1/activeflows', {
        customer_id,
        flow_id: flow.id,
        reference_type: 'call',
        reference_id: randomUUID(),
      });
    }

    const next = (id: string, from: string) => get().caller.rpc('GET', `/v1/activeflows/${id}/next`, { current_action_id: from });

    it('tells of a whole transaction, in order, signed', async () => {
      const customer = randomUUID();
      const { secret } = await subscribe(customer, { access_key: 'key of the customer', login_name: 'anna' });
      const talk = action('talk', { text: 'hello' }, { name: 'Blacklist Check' });
      const { id } = await activeflow(customer, [action('variable_set', { key: 'a', value: 'b' }), talk]);
      await next(id, ACTION_START);
      await next(id, talk.id);
      await receiver.until(() => receiver.received.length >= 7);
      const told = receiver.received;
      for (const one of told) verify(one, secret);
      expect(told.map(({ body }) => [body.sequence, body.notificationType])).to.deep.equal([
        [1, 'TRANSACTION_EVENT'],
        [2, 'TRANSACTION_EVENT'],
        [3, 'WORKFLOW_EVENT'],
        [4, 'NODE_EVENT'],
        [5, 'NODE_EVENT'],
        [6, 'WORKFLOW_EVENT'],
        [7, 'TRANSACTION_EVENT'],
      ]);
      expect(told.map(({ body }) => body.payLoad.status ?? body.payLoad.event ?? body.payLoad.name)).to.deep.equal([
        'CREATED',
        'STARTED',
        'EXECUTION_STARTED',
        '1:variable_set',
        '2:Blacklist Check',
        'EXECUTION_ENDED',
        'PASSED',
      ]);
      const [, , , , node] = told;
      expect(node?.headers).to.include({
        'access-key': 'key of the customer',
        'content-type': 'application/json;charset=UTF-8',
      });
      expect(node?.body).to.include({ tenantId: customer, transactionId: id, transId: id });
      expect(node?.body.payLoad).to.deep.include({
        id: 2,
        type: 'talk',
        cacheHit: false,
        input: [{ name: 'text', value: 'hello' }],
      });
      expect(node?.body.node).to.deep.equal(node?.body.payLoad);
    });

    /** An activeflow without actions: CREATED, then its end when it is asked. */
    const simple = (customer: string) => activeflow(customer, []);
    const quick = { retry: { attempts: 2, initial_ms: 1, max_ms: 2 } };
    const deliveries = (id: string, rest = '') =>
      get().caller.ok<DeliveryView[]>('GET', `/v1/subscriptions/${id}/deliveries${rest}`);
    /** Looks until the log says so: what came in is in it a moment later. */
    async function logged(id: string, holds: (log: DeliveryView[]) => boolean): Promise<DeliveryView[]> {
      for (;;) {
        const log = await deliveries(id);
        if (holds(log)) return log;
      }
    }

    it('tells only of what is wanted: by type, by flow, by customer', async () => {
      const [customer, other] = [randomUUID(), randomUUID()];
      const { caller } = get();
      const mine = await activeflow(customer, [action('answer')]);
      const { flow_id } = await caller.ok<{ flow_id: string }>('GET', `/v1/activeflows/${mine.id}`);
      await subscribe(customer, { callback_url: `${receiver.url}/types`, notification_types: ['TRANSACTION_EVENT'] });
      await subscribe(customer, { callback_url: `${receiver.url}/flow`, workflow_id: flow_id });
      await subscribe(other, { callback_url: `${receiver.url}/other` });
      const third = await simple(customer);
      await next(third.id, ACTION_START);
      await next(mine.id, ACTION_START);
      await caller.ok('POST', `/v1/activeflows/${mine.id}/stop`);
      await receiver.until(() => receiver.of('/types').length >= 4 && receiver.of('/flow').length >= 5);
      // What was committed before somebody subscribed is not told: no CREATED of the first one.
      const told = (path: string) => receiver.of(path).map(({ body }) => body.payLoad.status ?? body.payLoad.event ?? 'node');
      expect(told('/types').toSorted()).to.deep.equal(['CREATED', 'PASSED', 'PASSED', 'STARTED']);
      expect(told('/flow')).to.deep.equal(['STARTED', 'EXECUTION_STARTED', 'node', 'EXECUTION_ENDED', 'PASSED']);
      expect(receiver.of('/flow').every(({ body }) => body.transactionId === mine.id && body.flowId === flow_id)).to.equal(true);
      expect(receiver.of('/other')).to.have.length(0);
    });

    it('tells the webhook_uri of an activeflow, and of a flow, by its method', async () => {
      const { caller } = get();
      const customer_id = randomUUID();
      const own = { webhook_uri: `${receiver.url}/own`, webhook_method: 'put' };
      await caller.ok('POST', '/v1/activeflows', { customer_id, reference_type: 'call', reference_id: randomUUID(), ...own });
      await activeflow(customer_id, [], { webhook_uri: `${receiver.url}/flows` });
      await receiver.until(() => receiver.received.length >= 2);
      expect(receiver.of('/own')[0]).to.include({ method: 'PUT' });
      expect(receiver.of('/flows')[0]).to.include({ method: 'POST' });
      const list = await caller.ok<{ origin: string; callback_url: string }[]>('GET', '/v1/subscriptions', { customer_id });
      expect(list.map(({ origin }) => origin)).to.deep.equal(['webhook_uri', 'webhook_uri']);
    });

    it('tries again what may go better, under the same id and before all that comes behind it', async () => {
      const customer = randomUUID();
      const { id } = await subscribe(customer, { ...quick, notification_types: ['TRANSACTION_EVENT'] });
      let failures = 2;
      receiver.answer = (response) => {
        failures -= 1;
        if (failures === 1) response.writeHead(503).end();
        else if (failures === 0) response.socket?.destroy();
        else response.end();
      };
      const made = await simple(customer);
      await next(made.id, ACTION_START);
      await receiver.until(() => receiver.received.length >= 4);
      expect(receiver.received.map(({ body }) => body.sequence)).to.deep.equal([1, 1, 1, 2]);
      expect(new Set(receiver.received.slice(0, 3).map((one) => one.id)).size).to.equal(1);
      const log = await logged(id, (rows) => rows.every(({ status }) => status === 'delivered'));
      const first = log.find(({ sequence }) => sequence === 1);
      expect(first).to.include({ id: receiver.received[0]?.id, attempts: 3, response_code: 200, error: null, next_try_at: null });
    });

    it('gives up for good, goes on, says what is missing, and sends it again when it is asked', async () => {
      const customer = randomUUID();
      const { id } = await subscribe(customer, { ...quick, notification_types: ['TRANSACTION_EVENT'], lane: 'subscription' });
      const first = await simple(customer);
      await receiver.until(() => receiver.received.length >= 1);
      receiver.answer = (response) => response.writeHead(500).end();
      const second = await simple(customer);
      await receiver.until(() => receiver.received.length >= 4);
      await logged(id, (rows) => rows.some(({ status }) => status === 'failed'));
      receiver.answer = (response) => response.writeHead(302, { location: `${receiver.url}/elsewhere` }).end();
      const third = await simple(customer);
      await logged(id, (rows) => rows.filter(({ status }) => status === 'failed').length === 2);
      receiver.answer = (response) => response.end();
      await simple(customer);
      await receiver.until(() => receiver.received.length >= 6);
      const shown = receiver.received.map(({ body }) => [body.sequence, body.missing]);
      const none = undefined;
      expect(shown).to.deep.equal([
        [1, none],
        [2, none],
        [2, none],
        [2, none],
        [3, [2]],
        [4, [2, 3]],
      ]);
      expect(receiver.of('/elsewhere')).to.have.length(0);
      const { caller } = get();
      const [failed] = await deliveries(id, '?status=failed');
      expect(failed).to.include({ activeflow_id: third.id, attempts: 1, response_code: 302 });
      await logged(id, (rows) => rows.filter(({ status }) => status === 'delivered').length === 2);
      await caller.ok('POST', `/v1/subscriptions/${id}/deliveries/${failed?.id}/replay`);
      await receiver.until(() => receiver.received.length >= 7);
      expect(receiver.received[6]).to.include({ id: failed?.id });
      expect(receiver.received[6]?.body).to.include({ sequence: 3, transactionId: third.id }).and.not.have.property('missing');
      await logged(id, (rows) => rows.filter(({ status }) => status === 'delivered').length === 3);
      const since = '2000-01-01T00:00:00Z';
      expect(await caller.ok('POST', `/v1/subscriptions/${id}/replay?since=${since}`)).to.deep.equal({ count: 1 });
      await receiver.until(() => receiver.received.length >= 8);
      expect(receiver.received[7]?.body).to.include({ sequence: 2, transactionId: second.id });
      expect(first.id).to.equal(receiver.received[0]?.body.transactionId);
    });

    it('waits as long as Retry-After says', async () => {
      const customer = randomUUID();
      const { id } = await subscribe(customer, quick);
      receiver.answer = (response) => response.writeHead(429, { 'retry-after': '600' }).end();
      await simple(customer);
      const [row] = await logged(id, ([one]) => one?.attempts === 1);
      const wait = Date.parse(row?.next_try_at ?? '') - Date.parse(row?.tm_update ?? '');
      expect(row).to.include({ status: 'pending', response_code: 429 });
      // The clock is read once for each of the two.
      expect(wait).to.be.closeTo(600_000, 1_000);
    });

    it('is disabled by 410, says so, and takes up what waits when it is enabled again', async () => {
      const customer = randomUUID();
      const { caller, events } = get();
      const { id } = await subscribe(customer, { ...quick, notification_types: ['TRANSACTION_EVENT'], lane: 'subscription' });
      receiver.answer = (response) => response.writeHead(410).end();
      await simple(customer);
      await logged(id, ([one]) => one?.status === 'failed');
      const disabled = await caller.ok<Subscribed>('GET', `/v1/subscriptions/${id}`);
      expect(disabled).to.include({ enabled: false, disabled_reason: 'answered with status 410' });
      await events.until(id, 'subscription_disabled');
      receiver.answer = (response) => response.end();
      await caller.ok('PUT', `/v1/subscriptions/${id}`, { enabled: true });
      await simple(customer);
      await receiver.until(() => receiver.received.length >= 2);
      expect(receiver.received[1]?.body).to.deep.include({ sequence: 2, missing: [1] });
    });

    it('signs with the new secret and the one before, and shows neither again', async () => {
      const customer = randomUUID();
      const { caller } = get();
      const { id, secret } = await subscribe(customer, { headers: { 'X-Token': 'hidden-value' }, access_key: 'hidden-key' });
      const rotated = await caller.ok<Subscribed>('POST', `/v1/subscriptions/${id}/rotate`);
      await simple(customer);
      await receiver.until(() => receiver.received.length >= 1);
      const [one] = receiver.received;
      if (!one) throw new Error('nothing came');
      verify(one, secret);
      verify(one, rotated.secret);
      expect(one.headers).to.include({ 'x-token': 'hidden-value', 'access-key': 'hidden-key' });
      const shown = JSON.stringify(await caller.ok('GET', `/v1/subscriptions/${id}`));
      for (const hidden of [secret, rotated.secret, 'hidden-value', 'hidden-key']) expect(shown).not.to.include(hidden);
    });

    it('makes one subscription of a request that comes twice', async () => {
      const { caller } = get();
      const data = { customer_id: randomUUID(), callback_url: receiver.url };
      const [first, again] = [
        await caller.ok<Subscribed>('POST', '/v1/subscriptions', data, `s-${data.customer_id}`),
        await caller.ok<Subscribed>('POST', '/v1/subscriptions', data, `s-${data.customer_id}`),
      ];
      expect(again).to.deep.equal(first);
    });

    it('tries an endpoint out, and never reaches one that is not public', async () => {
      const { caller } = get();
      const { id, secret } = await subscribe(randomUUID());
      expect(await caller.ok('POST', `/v1/subscriptions/${id}/test`)).to.include({ status: 'delivered', response_code: 200 });
      const [one] = receiver.received;
      if (!one) throw new Error('nothing came');
      verify(one, secret);
      expect(one.body).to.include({ notificationType: 'TEST' });
      const hidden = await subscribe(randomUUID(), { callback_url: receiver.url.replace('127.0.0.1', '127.0.0.2') });
      const refused = await caller.ok<{ error: string }>('POST', `/v1/subscriptions/${hidden.id}/test`);
      expect(refused).to.include({ status: 'failed', response_code: null });
      expect(refused.error).to.match(/^HTTP_ADDRESS_NOT_ALLOWED: 127\.0\.0\.2: not allowed/);
    });

    it('tells of failures, of deadlines, of refused requests and of cases', async () => {
      const customer = randomUUID();
      const { caller, siblings, bus } = get();
      await subscribe(customer, { notification_types: ['TRANSACTION_EVENT', 'CASE_EVENT'] });
      const status = (wanted: string) => receiver.received.find(({ body }) => body.payLoad.status === wanted);
      const failing = await activeflow(customer, [action('http_request', {})]);
      await next(failing.id, ACTION_START);
      await receiver.until(() => status('FAILED') !== undefined);
      expect(status('FAILED')?.body.transactionId).to.equal(failing.id);
      const late = await activeflow(customer, [action('block')], { deadline_ms: 1 });
      await receiver.until(() => status('EXPIRED') !== undefined);
      expect(status('EXPIRED')?.body.transactionId).to.equal(late.id);
      const nowhere = { customer_id: customer, flow_id: randomUUID() };
      await caller.refused(404, 'POST', '/v1/activeflows', nowhere);
      await receiver.until(() => status('INVALID') !== undefined);
      expect(status('INVALID')?.body).to.deep.include({ flowId: nowhere.flow_id });
      const caseId = randomUUID();
      const ends = { source: { type: 'tel', target: '+1' }, destination: { type: 'tel' } };
      siblings.script('call', () => ({ data: { direction: 'incoming', ...ends } }));
      siblings.script('contact', () => ({ data: { id: caseId } }));
      const made = await activeflow(customer, [action('case_create', { name: 'help' })]);
      const { reference_id } = await caller.ok<{ reference_id: string }>('GET', `/v1/activeflows/${made.id}`);
      await next(made.id, ACTION_START);
      const cases = () => receiver.received.filter(({ body }) => body.notificationType === 'CASE_EVENT');
      await receiver.until(() => cases().length >= 1);
      const data = { id: caseId, customer_id: customer, status: 'closed', reference_id };
      const event = { type: 'case_updated', publisher: 'contact-manager', data_type: 'application/json', data };
      await bus.declareExchange('bin-manager.contact-manager.event');
      await bus.publish([
        { exchange: 'bin-manager.contact-manager.event', routing_key: 'case_updated', body: JSON.stringify(event) },
      ]);
      await receiver.until(() => cases().length >= 2);
      expect(cases().map(({ body }) => [body.transactionId, body.payLoad])).to.deep.equal([
        [made.id, { caseId, event: 'CREATED', name: 'help' }],
        [made.id, { caseId, event: 'STATUS_CHANGED', status: 'closed' }],
      ]);
    });

    it('tells of inputs that a workflow refuses, by every door, each refusal once', async () => {
      const customer = randomUUID();
      const { caller, gateway } = get();
      const { id } = await subscribe(customer, { notification_types: ['TRANSACTION_EVENT'] });
      const workflow = async (actions: readonly object[], settings: object) => {
        const data = { customer_id: customer, name: 'w', persist: true, actions };
        const flow = await caller.ok<{ id: string }>('POST', '/v1/flows', data);
        await caller.ok('PUT', `/v1/flows/${flow.id}/callable`, settings);
        return flow.id;
      };
      const schema = { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } };
      const strict = await workflow([action('empty')], { alias: 'strict', input_schema: schema });
      const told = () => receiver.received.filter(({ body }) => body.payLoad.status === 'INVALID').map(({ body }) => body);

      const uri = '/v1/workflows/strict/call';
      const asked = { customer_id: customer, inputs: { n: 'one' } };
      for (let times = 0; times < 2; times += 1) {
        const { status_code } = await caller.rpc('POST', uri, asked, `refused-${customer}`);
        expect(status_code).to.equal(400);
      }
      await receiver.until(() => told().length >= 1);
      const [first] = told();
      expect(first).to.include({ flowId: strict, tenantId: customer });
      expect(first?.payLoad.error).to.deep.include({ status: 'INVALID_ARGUMENT' });
      expect(JSON.stringify(first?.payLoad.error)).to.include('/inputs/n');

      const user = { org: customer, sub: 'anna', roles: ['org.user.workflow_call.write'] };
      const headers = { authorization: `Bearer ${await token(user)}`, 'content-type': 'application/json' };
      const conversationId = randomUUID();
      const execution = { method: 'POST', headers, body: JSON.stringify({ conversationId, n: 'one' }) };
      expect((await fetch(`${gateway}/api/v2/flow/execution/strict`, execution)).status).to.equal(400);
      await receiver.until(() => told().length >= 2);
      expect(told()[1]).to.include({ flowId: strict, referenceId: conversationId });

      const before = await workflow([action('empty')], { alias: 'before' });
      const made = await caller.rpc('POST', '/v1/workflows/before/call', {
        customer_id: customer,
        asyncResponse: { type: 'WORKFLOW', id: 'strict' },
      });
      expect(made.status_code, before).to.equal(202);
      await receiver.until(() => told().length >= 3);
      expect(told()[2]).to.include({ flowId: strict });

      // Who must not call is no refusal of the customer's inputs.
      await caller.ok('PUT', `/v1/flows/${strict}/callable`, { allowed_users: ['bob'] });
      const forbidden = { method: 'POST', headers, body: '{"inputs": {}}' };
      expect((await fetch(`${gateway}${uri}`, forbidden)).status).to.equal(403);
      // Beside the refusals, the one that was made is told of three times: made, begun, over.
      await receiver.until(() => receiver.received.length >= 6);
      expect(await deliveries(id)).to.have.length(6);
    });

    describe('over HTTP', () => {
      async function ask(
        method: string,
        path: string,
        claims: object,
        body?: object,
      ): Promise<{ status: number; data: Subscribed }> {
        const answer = await fetch(`${get().gateway}/v1/subscriptions${path}`, {
          method,
          headers: { authorization: `Bearer ${await token(claims as Record<string, unknown>)}`, 'idempotency-key': 'k' },
          ...(body ? { body: JSON.stringify(body) } : {}),
        });
        return { status: answer.status, data: (await answer.json()) as Subscribed };
      }

      it('serves a customer its own, by permission', async () => {
        const org = randomUUID();
        const [write, read] = ['write', 'read'].map((may) => ({ org, permissions: [`org.permission.subscription.${may}`] }));
        const made = await ask('POST', '', write ?? {}, { callback_url: receiver.url });
        expect(made.status).to.equal(201);
        expect(made.data.secret).to.match(/^whsec_/);
        const { id } = made.data;
        expect((await ask('POST', '', write ?? {}, { callback_url: receiver.url })).data.id).to.equal(id);
        expect((await ask('GET', '', read ?? {})).data).to.have.length(1);
        const routes = [
          ['GET', `/${id}`, undefined],
          ['PUT', `/${id}`, {}],
          ['POST', `/${id}/test`, undefined],
          ['POST', `/${id}/rotate`, undefined],
          ['POST', `/${id}/replay?since=2026-01-01T00:00:00Z`, undefined],
          ['GET', `/${id}/deliveries?status=failed`, undefined],
          ['POST', `/${id}/deliveries/${randomUUID()}/replay`, undefined],
          ['DELETE', `/${id}`, undefined],
        ] as const;
        for (const [method, path, body] of routes) {
          expect((await ask(method, path, { ...write, org: randomUUID() }, body)).status, path).to.equal(404);
          expect((await ask(method, path, { org }, body)).status, path).to.equal(403);
          expect((await ask(method, path, read ?? {}, body)).status === 403, path).to.equal(method !== 'GET');
        }
        for (const [method, path, body] of routes) {
          const expected = path.includes('/deliveries/') ? 404 : 200;
          expect((await ask(method, path, write ?? {}, body)).status, path).to.equal(expected);
        }
        expect((await ask('POST', '', write ?? {}, { callback_url: 5 })).status).to.equal(400);
        expect((await ask('GET', `/${id}`, read ?? {})).status).to.equal(404);
      });
    });
  },
  { http_allow_private: '127.0.0.1', http_jwt_secret: JWT_SECRET },
);

eachStage(
  'a lane that is full',
  (get) => {
    it('drops what is over its limit, and says what is missing', async () => {
      const receiver = await WebhookReceiver.start();
      const { caller } = get();
      const customer_id = randomUUID();
      const answers: (() => void)[] = [];
      receiver.answer = (response) => void answers.push(() => response.end());
      const { id } = await caller.ok<Subscribed>('POST', '/v1/subscriptions', {
        customer_id,
        callback_url: receiver.url,
        lane: 'subscription',
        notification_types: ['TRANSACTION_EVENT'],
      });
      const log = () => caller.ok<DeliveryView[]>('GET', `/v1/subscriptions/${id}/deliveries`);
      for (let made = 1; made <= 4; made += 1) {
        await caller.ok('POST', '/v1/activeflows', { customer_id });
        while ((await log()).length < made);
      }
      expect((await log()).map(({ sequence, status }) => [sequence, status])).to.deep.equal([
        [4, 'dropped'],
        [3, 'dropped'],
        [2, 'pending'],
        [1, 'pending'],
      ]);
      receiver.answer = (response) => response.end();
      answers[0]?.();
      while (!(await log()).every(({ status }) => status !== 'pending'));
      const dropped = (await log())[0];
      await caller.refused(409, 'POST', `/v1/subscriptions/${id}/deliveries/${dropped?.id}/replay`);
      await caller.ok('POST', '/v1/activeflows', { customer_id });
      await receiver.until(() => receiver.received.length >= 3);
      expect(receiver.received.map(({ body }) => [body.sequence, body.missing])).to.deep.equal([
        [1, undefined],
        [2, undefined],
        [5, [3, 4]],
      ]);
      await receiver.stop();
    });
  },
  { http_allow_private: '127.0.0.1', webhook_backlog: 2 },
);
