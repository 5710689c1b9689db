// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
/** Participants and workflows beside a conversation, over the gateway. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_START } from '../../pkg/model/id.ts';
import type { Json } from '../../pkg/model/json.ts';
import { type ActiveflowView, action, CUSTOMER } from '../support/caller.ts';
import { JWT_SECRET, token } from '../support/gateway.ts';
import { eventually } from '../support/inbox.ts';
import { eachStage } from '../support/stage.ts';

const CREATE = { org: CUSTOMER, permissions: ['org.permission.workflow_call.create'] };
const BOTH = { org: CUSTOMER, permissions: ['org.permission.participant.read', 'org.permission.participant.write'] };

eachStage(
  'executions and participants over the gateway',
  (get) => {
    async function http(method: string, path: string, claims: object | undefined, body?: unknown, headers: object = {}) {
      const bearer = claims ? { authorization: `Bearer ${await token({ ...claims })}` } : {};
      const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
      const answer = await fetch(`${get().gateway}${path}`, { method, headers: { ...bearer, ...headers }, ...sent });
      return { status: answer.status, body: (await answer.json()) as Record<string, Json> };
    }

    const execute = (flow: string, body: unknown, claims: object = CREATE, headers: object = {}) =>
      http('POST', `/api/v2/flow/execution/${flow}`, claims, body, headers);

    it('start a workflow with its inputs beside a conversation, and it is that one while it runs', async () => {
      const { caller } = get();
      const flow = await caller.flow([
        action('participant_set', { key: 'number', value: '${input.number} ${input.deep.er}' }),
        action('block'),
      ]);
      const conversationId = randomUUID();
      const { status, body } = await execute(flow.id, { conversationId, number: '+49', deep: { er: [1] } });
      expect(status).to.equal(200);
      expect(Object.keys(body)).to.deep.equal(['id']);
      const made = await caller.get(String(body.id));
      expect(made).to.include({ reference_type: 'api', reference_id: conversationId, flow_id: flow.id });
      expect((await execute(flow.id.toUpperCase(), { conversationId })).body).to.deep.equal(body);
      const path = `/v1/participants/conversation/${conversationId}`;
      const entries = async () => {
        const read = await http('GET', path, { ...BOTH, permissions: [], roles: ['org.user.participant.read'] });
        const list = read.body.entries as { key: string; value: Json }[];
        return Object.fromEntries(list.map(({ key, value }) => [key, value]));
      };
      await eventually('it has set its entry', async () => (await entries()).number === '+49 [1]');
      expect((await entries())[`job.${flow.id}`]).to.deep.equal({ status: 'ONGOING', id: body.id });
      await caller.ok('POST', `/v1/activeflows/${String(body.id)}/stop`);
      expect((await entries())[`job.${flow.id}`]).to.deep.include({ status: 'FAILED' });
      expect((await execute(flow.id, { conversationId })).body.id).not.to.equal(body.id);
    });

    it('share the data of the call that runs with that id', async () => {
      const { caller } = get();
      const flow = await caller.flow([action('participant_set', { key: 'name', value: 'Lee' })]);
      const ivr = [action('talk', { text: 'x' }), action('talk', { text: 'Hello ${participant.name}' })];
      const call: ActiveflowView = await caller.started(ivr);
      const first = await caller.next(call.id, ACTION_START);
      const { body } = await execute(flow.id, { conversationId: call.reference_id });
      await eventually('it is over', async () => (await caller.get(String(body.id))).status === 'ended');
      expect((await caller.next(call.id, first.id)).option).to.deep.equal({ text: 'Hello Lee' });
    });

    it('know a repeat by its Idempotency-Key, also after the end', async () => {
      const { caller } = get();
      const flow = await caller.flow([action('empty')]);
      const conversationId = randomUUID();
      const again = () => execute(flow.id, { conversationId }, CREATE, { 'idempotency-key': 'k' });
      const { body } = await again();
      await eventually('it is over', async () => (await caller.get(String(body.id))).status === 'ended');
      expect((await again()).body).to.deep.equal(body);
      expect((await execute(flow.id, { conversationId })).body).not.to.deep.equal(body);
    });

    it('are for who may, and for the customer’s own flows', async () => {
      const { caller } = get();
      const flow = await caller.flow([action('empty')]);
      const body = { conversationId: randomUUID() };
      expect((await http('POST', `/api/v2/flow/execution/${flow.id}`, undefined, body)).status).to.equal(401);
      expect((await execute(flow.id, body, { org: CUSTOMER })).status).to.equal(403);
      expect((await execute(flow.id, body, { org: CUSTOMER, roles: ['org.user.workflow_call.write'] })).status).to.equal(200);
      for (const [id, claims] of [
        [flow.id, { ...CREATE, org: randomUUID() }],
        [randomUUID(), CREATE],
        ['no-such-alias', CREATE],
      ] as const) {
        const refused = await execute(id, body, claims);
        expect([refused.status, refused.body.reason], JSON.stringify(refused.body)).to.deep.equal([404, 'WORKFLOW_NOT_FOUND']);
      }
      const path = `/v1/participants/call/${randomUUID()}`;
      expect((await http('GET', path, CREATE)).status).to.equal(403);
      expect(
        (await http('POST', path, { org: CUSTOMER, roles: ['org.user.participant.read'] }, { key: 'a', value: 1 })).status,
      ).to.equal(403);
    });

    it('take the alias of a workflow as its id, on the workflow’s own terms', async () => {
      const { caller } = get();
      const flow = await caller.flow([action('block')], { persist: true });
      const alias = `w${randomUUID().slice(0, 8)}`;
      const settings = { alias, allowed_users: ['u-1'], input_schema: { type: 'object', required: ['number'] } };
      await caller.ok('PUT', `/v1/flows/${flow.id}/callable`, settings);
      const body = { conversationId: randomUUID(), number: '+49' };
      const started = await execute(alias, body, { ...CREATE, sub: 'u-1' });
      expect(started.status, JSON.stringify(started.body)).to.equal(200);
      expect((await execute(flow.id, body, { ...CREATE, sub: 'u-1' })).body).to.deep.equal(started.body);
      expect((await execute(alias, body, { ...CREATE, sub: 'u-2' })).body.reason).to.equal('WORKFLOW_NOT_ALLOWED');
      const unfit = await execute(alias, { conversationId: randomUUID() }, { ...CREATE, sub: 'u-1' });
      expect([unfit.status, JSON.stringify(unfit.body)].join(' ')).to.match(/^400 .*number/);
      await caller.ok('PUT', `/v1/flows/${flow.id}/callable`, { enabled: false });
      expect((await execute(alias, body, { ...CREATE, sub: 'u-1' })).status).to.equal(404);
    });

    it('say what is wrong with a request', async () => {
      const { caller } = get();
      const flow = await caller.flow([action('empty')]);
      const conversationId = randomUUID();
      for (const [body, field] of [
        [{}, '/conversationId'],
        [{ conversationId: 'x' }, '/conversationId'],
        [{ conversationId: 5 }, '/conversationId'],
        [{ conversationId, big: 'x'.repeat(40_000) }, '/big'],
        [[], ''],
        ['{', ''],
      ] as const) {
        const refused = await execute(flow.id, body);
        expect(refused.status, JSON.stringify(body).slice(0, 80)).to.equal(400);
        if (field !== '') expect(JSON.stringify(refused.body.details)).to.include(`"${field}"`);
      }
      const path = `/v1/participants/call/${randomUUID()}`;
      for (const body of [
        { key: 'a' },
        { value: 1 },
        { key: 'a b', value: 1 },
        { key: 'job.a', value: 1 },
        { key: 'a', value: 1, revision: -1 },
        { key: 'a', value: 1, from: 1 },
      ]) {
        expect((await http('POST', path, BOTH, body)).status, JSON.stringify(body)).to.equal(400);
      }
      expect((await http('GET', '/v1/participants/planet/x', BOTH)).status).to.equal(400);
      const made = await http('POST', path, BOTH, { key: 'a', value: null, revision: 0 });
      expect(made.body).to.include({ key: 'a', value: null, revision: 1 });
      const late = await http('POST', path, BOTH, { key: 'a', value: 2, revision: 0 });
      expect([late.status, late.body.reason]).to.deep.equal([409, 'PARTICIPANT_CHANGED']);
    });
  },
  { http_jwt_secret: JWT_SECRET },
);
