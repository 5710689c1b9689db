/** Flows that others call: by users over HTTP, by services over the wire; how they are answered, and what is pushed. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { action, type FlowView } from '../support/caller.ts';
import { JWT_SECRET, token } from '../support/gateway.ts';
import { eventually } from '../support/inbox.ts';
import { PushReader } from '../support/push-reader.ts';
import { eachStage, type Stage } from '../support/stage.ts';

const FLAGS = { http_listen_addr: '127.0.0.1:0', http_jwt_secret: JWT_SECRET, limit_workflow_depth: 2, lease_ms: 1_000 };
const ROLES = ['org.user.workflow_call.write', 'org.user.workflow.write'];

interface CallView {
  readonly id: string;
  readonly state: string;
  readonly status: number | null;
  readonly code: string | null;
  readonly workflow: string;
  readonly workflowResponse: Record<string, unknown> | null;
  readonly calledWith: Record<string, unknown>;
  readonly delivery: { readonly state: string; readonly reason?: string; readonly workflow_call_id?: string } | null;
  readonly tm_end: string | null;
}

interface Answered<T> {
  readonly status: number;
  readonly body: T & { readonly reason?: string; readonly details?: readonly { readonly field: string }[] };
}

const respond = (data: unknown, more: object = {}) => action('workflow_response', { data, ...more });

/** A user at the gateway of a stage. */
class Visitor {
  readonly #stage: Stage;
  readonly headers: { readonly authorization: string };

  constructor(stage: Stage, jwt: string) {
    this.#stage = stage;
    this.headers = { authorization: `Bearer ${jwt}` };
  }

  async ask<T = CallView>(method: string, path: string, body?: unknown, more: object = {}): Promise<Answered<T>> {
    const response = await fetch(`${this.#stage.gateway}${path}`, {
      method,
      headers: { ...this.headers, 'content-type': 'application/json', ...more },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answered<T>['body'] };
  }

  call(workflow: string, body: object = {}, key?: string): Promise<Answered<CallView>> {
    return this.ask('POST', `/v1/workflows/${workflow}/call`, body, key === undefined ? {} : { 'idempotency-key': key });
  }

  /** The call, once it is answered. */
  async ended(id: string): Promise<CallView> {
    let seen: CallView | undefined;
    await eventually(`${id} is answered`, async () => {
      seen = (await this.ask('GET', `/v1/workflow_calls/${id}`)).body;
      return seen.tm_end !== null;
    });
    return seen as CallView;
  }

  listen(query = '', headers: Readonly<Record<string, string>> = {}): Promise<PushReader> {
    return PushReader.open(`${this.#stage.gateway}/v1/events${query}`, { ...this.headers, ...headers });
  }
}

eachStage(
  'workflows',
  (get) => {
    let org = '';
    let anna: Visitor;
    beforeEach(async () => {
      org = randomUUID();
      anna = await visitor();
    });

    async function visitor(claims: object = {}): Promise<Visitor> {
      return new Visitor(get(), await token({ org, sub: 'anna', roles: ROLES, ...claims }));
    }

    /** A callable flow of these actions. */
    async function workflow(actions: readonly object[], settings: object = {}, customer_id = org): Promise<FlowView> {
      const { caller } = get();
      const flow = await caller.flow(actions, { customer_id });
      await caller.ok('PUT', `/v1/flows/${flow.id}/callable`, settings);
      return flow;
    }

    it('answers at once, and then as the flow does, by its id and its alias', async () => {
      const flow = await workflow([respond({ to: '${input.mail}', deep: '${input.x.y}', ctx: '${client_context.c}' })], {
        alias: '6070aa8cd7b765001400f590',
      });
      const given = { inputs: { mail: 'a@b.c ${input.x.y}', x: { y: 7 } }, clientContext: { c: '1' } };
      for (const name of [flow.id, flow.id.toUpperCase(), '6070aa8cd7b765001400f590']) {
        const made = await anna.call(name, given);
        expect(made.status).to.equal(202);
        expect(made.body).to.include({ workflow: name, state: 'PENDING', status: null, tm_end: null });
        expect(made.body.calledWith).to.deep.equal(given);
        const ended = await anna.ended(made.body.id);
        expect(ended).to.include({ state: 'SUCCESS', status: 200, code: 'SUCCESS' });
        expect(ended.workflowResponse).to.deep.equal({ to: 'a@b.c ${input.x.y}', deep: '7', ctx: '1' });
        const { variables } = await get().caller.ok<{ variables: object }>('GET', `/v1/variables/${made.body.id}`);
        expect(variables).to.include({ 'input.mail': 'a@b.c ${input.x.y}', 'input.x': '{"y":7}', 'client_context.c': '1' });
      }
    });

    it('an end without a response is SUCCESS with an empty one; a response of its own may say anything', async () => {
      const empty = await anna.ended((await anna.call((await workflow([action('empty')])).id)).body.id);
      expect(empty).to.include({ state: 'SUCCESS', status: 200, code: 'SUCCESS' });
      expect(empty.workflowResponse).to.deep.equal({});
      const bad = await workflow([respond('{"a": [1]}', { status: 422, code: 'NO_STOCK' }), respond('second'), action('empty')]);
      const made = await anna.call(bad.id);
      const failed = await anna.ended(made.body.id);
      expect(failed).to.include({ state: 'FAILED', status: 422, code: 'NO_STOCK' });
      expect(failed.workflowResponse).to.deep.equal({ a: [1] });
      const trace = await get().caller.trace(made.body.id);
      expect(trace.map((line) => line.reason).join()).to.include('too late');
    });

    it('an error, a time-out, a stop and a cancellation are responses, too', async () => {
      const { caller, siblings, events } = get();
      siblings.script('message', async () => ({ error: 503 }) as never);
      const sending = await workflow([
        action('condition_call_status', { status: 'x' }),
        action('fetch_flow', { flow_id: randomUUID() }),
      ]);
      const failed = await anna.ended((await anna.call(sending.id)).body.id);
      expect(failed).to.include({ state: 'FAILED' });
      expect(failed.status).to.be.greaterThan(399);
      const blocked = await workflow([action('block')], { timeout: 300 });
      const late = await anna.ended((await anna.call(blocked.id)).body.id);
      expect(late).to.include({ state: 'TIMEOUT', status: 504, code: 'TIMEOUT' });
      const waiting = await workflow([action('block')]);
      const stopped = (await anna.call(waiting.id)).body.id;
      await eventually('it runs', async () => (await anna.ask('GET', `/v1/workflow_calls/${stopped}`)).body.state === 'RUNNING');
      await caller.ok('POST', `/v1/activeflows/${stopped}/stop`);
      expect(await anna.ended(stopped)).to.include({ state: 'CANCELED', code: 'CANCELED' });
      const canceled = (await anna.call(waiting.id)).body.id;
      const answer = await anna.ask('DELETE', `/v1/workflow_calls/${canceled}`);
      expect(answer).to.have.nested.include({ status: 200, 'body.state': 'CANCELED' });
      expect((await anna.ask('DELETE', `/v1/workflow_calls/${canceled}`)).body).to.deep.equal(answer.body);
      expect((await caller.get(canceled)).status).to.equal('ended');
      for (const id of [late.id, stopped, canceled]) {
        const seen = await events.until(id, 'workflow_response_created');
        expect(seen.filter((event) => event.type === 'workflow_response_created')).to.have.lengthOf(1);
      }
    });

    it('answers before the flow ends, when it does so; what comes later does not change that', async () => {
      const flow = await workflow([respond({ n: 1 }), action('block')], { timeout: 600 });
      const { id } = (await anna.call(flow.id)).body;
      const ended = await anna.ended(id);
      expect(ended).to.include({ state: 'SUCCESS' });
      await eventually('its time is over', async () => (await get().caller.get(id)).status === 'ended');
      expect((await anna.ask('GET', `/v1/workflow_calls/${id}`)).body).to.deep.equal(ended);
    });

    it('publishes every response on the bus, once, whatever was asked for', async () => {
      const { caller, events } = get();
      const flow = await workflow([respond({ ok: true })]);
      const plain = (await anna.call(flow.id)).body.id;
      const asked = { customer_id: org, asyncResponse: { type: 'CONVO_ASSISTANT', id: 'x-1' }, inputs: { a: 1 } };
      const internal = await caller.rpc('POST', `/v1/workflows/${flow.id}/call`, asked);
      expect(internal.status_code).to.equal(202);
      const { id } = internal.data as unknown as CallView;
      for (const one of [plain, id]) {
        const seen = (await events.until(one, 'workflow_response_created')).filter(({ type }) => type !== 'activeflow_created');
        const [event] = seen.filter(({ type }) => type === 'workflow_response_created');
        expect(event?.data).to.include({ type: 'workflow_response', customer_id: org, flow_id: flow.id });
        expect(event?.message_id).to.equal(`${one}-response`);
      }
      const [event] = events.of(id).filter(({ type }) => type === 'workflow_response_created');
      expect(event?.data.attributes).to.deep.equal({
        status: 200,
        code: 'SUCCESS',
        workflowResponse: { ok: true },
        calledWith: { inputs: { a: 1 }, asyncResponse: { type: 'CONVO_ASSISTANT', id: 'x-1' } },
      });
      expect(await caller.ok<CallView>('GET', `/v1/workflow_calls/${id}`)).to.have.nested.include({
        'delivery.state': 'published',
      });
    });

    it('pushes in exactly the documented shape, to every tab of the user and to nobody else', async () => {
      const flow = await workflow([respond({ orderStatus: 'shipped' })], { alias: '6070aa8cd7b765001400f590' });
      const [bob, others] = [await visitor({ sub: 'bob' }), await visitor({ org: randomUUID() })];
      const tabs = [await anna.listen(), await anna.listen()];
      const strangers = [await bob.listen('?last_event_id=0'), await others.listen('?last_event_id=0')];
      const given = {
        inputs: { userEmail: 'someEmail@kustomer.com' },
        asyncResponse: { type: 'KVIEW' },
        clientContext: { conversationId: '1' },
      };
      const { id } = (await anna.call('6070aa8cd7b765001400f590', given)).body;
      for (const tab of tabs) {
        const [event] = await tab.until(1);
        expect(tab.ids[0]).to.equal(event?.id);
        expect(event).to.deep.equal({
          id: event?.id,
          name: 'kustomer.workflow_response.create',
          data: {
            type: 'workflow_response',
            id,
            attributes: { status: 200, code: 'SUCCESS', workflowResponse: { orderStatus: 'shipped' }, calledWith: given },
            relationships: {
              org: { links: { self: `/v1/orgs/${org}` }, data: { type: 'org', id: org } },
              workflow: {
                links: { self: '/v1/internal/workflows/6070aa8cd7b765001400f590' },
                data: { type: 'workflow', id: '6070aa8cd7b765001400f590' },
              },
              workflowCall: {
                links: { self: '/v1/internal/workflows/6070aa8cd7b765001400f590/call' },
                data: { type: 'workflow_call', id },
              },
            },
          },
        });
      }
      // A sign of life of the others' channels, so that what did not come is known not to have come.
      const sign = (await bob.call(flow.id, { asyncResponse: { type: 'EMBEDDED' } })).body.id;
      expect((await strangers[0]?.until(1))?.map((event) => event.data.id)).to.deep.equal([sign]);
      expect(strangers[1]?.events).to.deep.equal([]);
      for (const reader of [...tabs, ...strangers]) reader.close();
    });

    it('gives a client that was away what it missed, and only of the calls that it names', async () => {
      const flow = await workflow([respond({})]);
      const kview = { asyncResponse: { type: 'KVIEW' } };
      const first = await anna.listen();
      const made: string[] = [];
      made.push((await anna.call(flow.id, kview)).body.id);
      const [seen] = await first.until(1);
      first.close();
      for (let n = 0; n < 3; n += 1) made.push((await anna.call(flow.id, kview)).body.id);
      await anna.call(flow.id, {});
      for (const id of made) await anna.ended(id);
      const back = await anna.listen('', { 'last-event-id': seen?.id ?? '' });
      expect((await back.until(3)).map((event) => event.data.id)).to.have.members(made.slice(1));
      const all = await anna.listen('?last_event_id=0');
      expect((await all.until(4)).map((event) => event.data.id)).to.have.members(made);
      const one = await anna.listen(`?workflow_call=${made[2]}`);
      expect((await one.until(1)).map((event) => event.data.id)).to.deep.equal([made[2]]);
      for (const reader of [back, all, one]) reader.close();
      expect((await anna.ask('GET', '/v1/events?last_event_id=yesterday')).status).to.equal(400);
      expect((await anna.ask('GET', '/v1/events?workflow_call=7')).status).to.equal(400);
      expect((await fetch(`${get().gateway}/v1/events`)).status).to.equal(401);
    });

    it('pushes over a WebSocket as well, with the token in the query', async () => {
      const flow = await workflow([respond({})]);
      const jwt = anna.headers.authorization.replace('Bearer ', '');
      const socket = new WebSocket(`${get().gateway.replace('http', 'ws')}/v1/events?last_event_id=0&access_token=${jwt}`);
      const message = new Promise<string>((resolve, reject) => {
        socket.once('message', (data) => resolve(String(data)));
        socket.once('error', reject);
      });
      const { id } = (await anna.call(flow.id, { asyncResponse: { type: 'EMBEDDED' } })).body;
      expect(JSON.parse(await message)).to.have.nested.include({ name: 'kustomer.workflow_response.create', 'data.id': id });
      socket.close();
    });

    it('calls the workflow that wanted the response, as deep as allowed; what cannot be delivered can be inspected', async () => {
      const { caller } = get();
      const second = await workflow(
        [respond({ got: '${input.workflowResponse.a}', code: '${input.code}', c: '${client_context.c}' })],
        {
          alias: 'second',
        },
      );
      const first = await workflow([respond({ a: 'x' })], { alias: 'first' });
      const given = { asyncResponse: { type: 'WORKFLOW', id: 'second' }, clientContext: { c: '9' } };
      const made = await anna.ended((await anna.call('first', given)).body.id);
      expect(made.delivery).to.include({ type: 'WORKFLOW', state: 'called' });
      const next = await anna.ended(made.delivery?.workflow_call_id ?? '');
      expect(next.workflowResponse).to.deep.equal({ got: 'x', code: 'SUCCESS', c: '9' });
      expect(next.calledWith.inputs).to.deep.equal({ status: 200, code: 'SUCCESS', workflowResponse: { a: 'x' } });

      await caller.ok('PUT', `/v1/flows/${second.id}/callable`, { allowed_users: ['bob'] });
      const denied = await anna.ended((await anna.call(first.id, given)).body.id);
      expect(denied.delivery).to.include({ state: 'undeliverable' });
      expect(denied.delivery?.reason).to.include('WORKFLOW_NOT_ALLOWED');
      await caller.ok('DELETE', `/v1/flows/${second.id}`);
      const vanished = await anna.ended((await anna.call(first.id, given)).body.id);
      expect(vanished).to.include({ state: 'SUCCESS' });
      expect(vanished.delivery?.reason).to.include('WORKFLOW_NOT_FOUND');
      const listed = await caller.ok<CallView[]>('GET', '/v1/workflow_calls', { customer_id: org, undeliverable: true });
      expect(listed.map((call) => call.id)).to.deep.equal([vanished.id, denied.id]);
    });

    it('lists the workflows of a customer, those included that cannot be called', async () => {
      const { caller } = get();
      const [one, two] = [await workflow([action('empty')], { alias: 'one' }), await workflow([action('empty')])];
      await workflow([action('empty')], {}, randomUUID());
      await caller.ok('PUT', `/v1/flows/${one.id}/callable`, { enabled: false });
      const listed = await caller.ok<{ id: string }[]>('GET', '/v1/workflows', { customer_id: org });
      expect(listed.map(({ id }) => id)).to.deep.equal([two.id, one.id]);
      expect(listed[1]).to.deep.equal(await caller.ok('GET', `/v1/flows/${one.id}/callable`));
      await caller.refused(400, 'GET', '/v1/workflows');
    });

    it('takes only the types of response that daemon and workflow allow; services may ask for any', async () => {
      const { caller } = get();
      const flow = await workflow([action('empty')], { response_types: ['KVIEW', 'CONVO_ASSISTANT'] });
      for (const type of ['CONVO_ASSISTANT', 'EMBEDDED', 'WORKFLOW', 'kview', '']) {
        const answer = await anna.call(flow.id, { asyncResponse: { type, id: 'x' } });
        expect([type, answer.status]).to.deep.equal([type, type === '' ? 202 : 400]);
        if (type !== '') expect(answer.body.details?.[0]?.field).to.equal('/asyncResponse/type');
      }
      expect((await anna.call(flow.id, { asyncResponse: { type: 'KVIEW' } })).status).to.equal(202);
      const asked = { customer_id: org, asyncResponse: { type: 'ANYTHING' } };
      expect((await caller.rpc('POST', `/v1/workflows/${flow.id}/call`, asked)).status_code).to.equal(202);
    });

    it('lets call who may: role or permission, the workflow’s own list, its customer', async () => {
      const flow = await workflow([action('empty')], { alias: 'mine', allowed_users: ['bob'], allowed_teams: ['blue'] });
      expect((await anna.call(flow.id)).status).to.equal(403);
      expect((await (await visitor({ sub: 'bob' })).call('mine')).status).to.equal(202);
      expect((await (await visitor({ teams: ['blue'] })).call(flow.id)).status).to.equal(202);
      const permitted = { sub: 'bob', roles: [], permissions: ['org.permission.workflow_call.create'] };
      expect((await (await visitor(permitted)).call(flow.id)).status).to.equal(202);
      expect((await (await visitor({ sub: 'bob', roles: [] })).call(flow.id)).status).to.equal(403);
      const stranger = await visitor({ sub: 'bob', org: randomUUID() });
      for (const name of [flow.id, 'mine', 'nothing', randomUUID()]) expect((await stranger.call(name)).status).to.equal(404);
      const made = (await (await visitor({ sub: 'bob' })).call('mine')).body.id;
      for (const method of ['GET', 'DELETE']) {
        expect((await anna.ask(method, `/v1/workflow_calls/${made}`)).status).to.equal(404);
        expect((await stranger.ask(method, `/v1/workflow_calls/${made}`)).status).to.equal(404);
      }
      await get().caller.ok('PUT', `/v1/flows/${flow.id}/callable`, { enabled: false });
      expect((await (await visitor({ sub: 'bob' })).call('mine')).status).to.equal(404);
    });

    it('answers a repeat with the same key the same, and refuses the key for another body', async () => {
      const flow = await workflow([action('empty')], { alias: 'once' });
      const made = await anna.call(flow.id, { inputs: { a: 1 } }, 'k1');
      await anna.ended(made.body.id);
      expect(await anna.call('once', { inputs: { a: 1 } }, 'k1')).to.deep.equal(made);
      expect((await anna.call(flow.id, { inputs: { a: 2 } }, 'k1')).status).to.equal(422);
      expect((await anna.call(flow.id, { inputs: { a: 1 } }, 'k2')).body.id).not.to.equal(made.body.id);
      const bob = await visitor({ sub: 'bob' });
      expect((await bob.call(flow.id, { inputs: { a: 2 } }, 'k1')).status).to.equal(202);
      const both = await Promise.all([anna.call(flow.id, {}, 'k3'), anna.call(flow.id, {}, 'k3')]);
      expect(both[0]).to.deep.equal(both[1]);
      const { caller } = get();
      const rpc = () => caller.rpc('POST', '/v1/workflows/once/call', { customer_id: org }, 'one-request');
      expect(await rpc()).to.deep.equal(await rpc());
    });

    it('checks inputs against the workflow’s schema, and says where they do not fit', async () => {
      const input_schema = {
        type: 'object',
        required: ['mail'],
        properties: { mail: { type: 'string', pattern: '^[^@ ]+@[^@ ]+$' }, order: { $ref: '#/$defs/order' } },
        additionalProperties: false,
        $defs: { order: { type: 'object', properties: { count: { type: 'integer', minimum: 1 } } } },
      };
      const flow = await workflow([action('empty')], { input_schema });
      const fields = async (inputs: object) => {
        const answer = await anna.call(flow.id, { inputs });
        expect(answer.status).to.equal(400);
        return answer.body.details?.map((detail) => detail.field);
      };
      expect((await anna.call(flow.id, { inputs: { mail: 'a@b', order: { count: 2 } } })).status).to.equal(202);
      expect(await fields({})).to.deep.equal(['/inputs/mail']);
      expect(await fields({ mail: 'x', order: { count: 0 }, 'a/b': 1 })).to.have.members([
        '/inputs/mail',
        '/inputs/order/count',
        '/inputs/a~1b',
      ]);
      const free = await workflow([action('empty')]);
      const large = await anna.call(free.id, { inputs: { ok: 1, big: 'x'.repeat(40_000) } });
      expect(large).to.have.nested.include({ status: 400, 'body.details[0].field': '/inputs/big' });
      const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`n${n}`, n]));
      expect((await anna.call(free.id, { clientContext: many })).status).to.equal(400);
    });

    it('refuses what is no request, by the field, and never with 500', async () => {
      const flow = await workflow([action('empty')]);
      const { caller } = get();
      for (const body of [
        '{',
        '[]',
        '"x"',
        '{"inputs": 5}',
        '{"inputs": []}',
        '{"asyncResponse": "KVIEW"}',
        '{"asyncResponse": {}}',
        '{"clientContext": 1}',
        '{"asyncResponse": {"type": "KVIEW" "id": "x"}}',
        '{"asyncResponse": {"type": "WORKFLOW"}}',
        '{"asyncResponse": {"type": "KVIEW", "x": 1}}',
      ]) {
        const answer = await anna.ask('POST', `/v1/workflows/${flow.id}/call`, body);
        expect([body, answer.status]).to.deep.equal([body, 400]);
      }
      for (const data of [
        { inputs: 5 },
        { asyncResponse: 'x' },
        { asyncResponse: { type: 7 } },
        { clientContext: [] },
        { user: 5 },
      ]) {
        await caller.refused(400, 'POST', `/v1/workflows/${flow.id}/call`, { customer_id: org, ...data });
      }
      for (const name of ['inputs', 'clientContext', 'asyncResponse']) {
        const deep = `{"${name}": {"type": "KVIEW", "a": ${'['.repeat(20_000)}${']'.repeat(20_000)}}}`;
        expect((await anna.ask('POST', `/v1/workflows/${flow.id}/call`, deep)).status).to.equal(400);
        const schema = `{"input_schema": {"not": ${'{"not":'.repeat(20_000)}{}${'}'.repeat(20_000)}}}`;
        expect((await anna.ask('PUT', `/v1/flows/${flow.id}/callable`, schema)).status).to.equal(400);
      }
      const users = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
      const text = `{"uri": "/v1/flows/${flow.id}/callable", "method": "PUT", "data": {"allowed_users": ${users}}}`;
      expect((await caller.send(text)).status_code).to.equal(400);
      await caller.refused(400, 'POST', `/v1/workflows/${flow.id}/call`, {});
      await caller.refused(404, 'POST', '/v1/workflows/nothing/call', { customer_id: org });
      expect((await anna.ask('GET', '/v1/workflow_calls/7')).status).to.equal(400);
      expect((await anna.ask('GET', `/v1/workflow_calls/${randomUUID()}`)).status).to.equal(404);
      expect((await anna.call('x'.repeat(300))).status).to.equal(400);
    });

    it('makes a flow callable by the gateway, too; of a managed one only the lists of callers change', async () => {
      const { caller } = get();
      const flow = await caller.flow([action('empty')], { customer_id: org });
      const path = `/v1/flows/${flow.id}/callable`;
      expect((await anna.ask('GET', path)).status).to.equal(404);
      const made = await anna.ask<Record<string, unknown>>('PUT', path, { alias: 'app', managed: true });
      expect(made).to.have.nested.include({ status: 200, 'body.enabled': true, 'body.alias': 'app', 'body.timeout': 0 });
      for (const change of [{ enabled: false }, { alias: 'b' }, { managed: false }, { timeout: 5 }, { input_schema: {} }]) {
        expect((await anna.ask('PUT', path, change)).status).to.equal(409);
        await caller.refused(409, 'PUT', path, change);
      }
      const lists = { allowed_users: ['bob'], allowed_teams: ['blue'], alias: 'app', managed: true };
      expect((await anna.ask('PUT', path, lists)).body)
        .to.include({ alias: 'app' })
        .and.deep.include({ allowed_users: ['bob'] });
      const other = await caller.flow([action('empty')], { customer_id: org });
      expect((await anna.ask('PUT', `/v1/flows/${other.id}/callable`, { alias: 'app' })).status).to.equal(409);
      for (const bad of [
        { alias: randomUUID() },
        { alias: 'a/b' },
        { timeout: -1 },
        { enabled: 'yes' },
        { allowed_users: [7] },
        { input_schema: 5 },
        { input_schema: { type: 'strng' } },
        { input_schema: { $ref: 'https://example.com/x' } },
      ]) {
        expect([bad, (await anna.ask('PUT', `/v1/flows/${other.id}/callable`, bad)).status]).to.deep.equal([bad, 400]);
        await caller.refused(400, 'PUT', `/v1/flows/${other.id}/callable`, bad);
      }
      expect((await anna.ask('PUT', `/v1/flows/${other.id}/callable`, { unknown: 1 })).status).to.equal(400);
      expect((await (await visitor({ org: randomUUID() })).ask('PUT', path, {})).status).to.equal(404);
      expect((await (await visitor({ roles: [] })).ask('PUT', path, {})).status).to.equal(403);
      await caller.ok('DELETE', `/v1/flows/${other.id}`);
      await caller.refused(409, 'PUT', `/v1/flows/${other.id}/callable`, {});
    });

    it('goes with its customer', async () => {
      const { bus } = get();
      const flow = await workflow([respond({})]);
      const { id } = (await anna.call(flow.id, { asyncResponse: { type: 'KVIEW' } })).body;
      await anna.ended(id);
      const event = { type: 'customer_deleted', publisher: 'customer-manager', data_type: 'application/json', data: { id: org } };
      await bus.publish([{ exchange: 'bin-manager.customer-manager.event', routing_key: '', body: JSON.stringify(event) }]);
      await eventually('its calls are gone', async () => (await anna.ask('GET', `/v1/workflow_calls/${id}`)).status === 404);
    });
  },
  FLAGS,
);
