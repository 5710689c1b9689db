/** A request that comes again by its key gets the answer that it got, and changes nothing: at once, later, and after a restart. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_START } from '../../pkg/model/id.ts';
import type { Response } from '../../pkg/rpc/envelope.ts';
import { action, type Caller, CUSTOMER, type FlowView } from '../support/caller.ts';
import { eventually, gate } from '../support/inbox.ts';
import { eachStage, type Stage } from '../support/stage.ts';

interface Request {
  readonly method: string;
  readonly uri: string;
  readonly data?: object;
  /** What must not change by the repeat. */
  readonly look: readonly string[];
}

interface Done extends Request {
  readonly key: string;
  readonly response: Response;
}

const talk = action('talk', { text: 'hello' });
const other = action('answer');

/** A walk of two steps in a stack that was pushed: the second one is what the caller is at. */
async function inPushedStack(caller: Caller): Promise<{ id: string; stack: string }> {
  const { id } = await caller.started([talk]);
  await caller.ok('POST', `/v1/activeflows/${id}/push_actions`, { actions: [other, action('beep')] });
  await caller.next(id);
  return { id, stack: (await caller.get(id)).current_stack_id };
}

async function atBlock(caller: Caller): Promise<{ id: string; block: string }> {
  const block = action('block');
  const { id } = await caller.started([block, action('variable_set', { key: 'went', value: 'on' })], {
    reference_type: 'conversation',
  });
  expect((await caller.next(id)).id).to.equal(block.id);
  return { id, block: block.id };
}

function activeflow(id: string, method: string, path: string, data?: object): Request {
  const uri = `/v1/activeflows/${id}`;
  return { method, uri: `${uri}${path}`, ...(data && { data }), look: [uri, `${uri}/trace`, `/v1/variables/${id}`] };
}

/** Every route that changes something, each on things of its own. */
const CHANGES: { readonly [name: string]: (caller: Caller) => Promise<Request> } = {
  'POST /flows': async () => {
    const customer_id = randomUUID();
    const look = ['/v1/flows', '/v1/flows/count_by_customer'];
    return { method: 'POST', uri: '/v1/flows', data: { customer_id, persist: true, actions: [{ type: 'answer' }] }, look };
  },
  'PUT /flows/{id}': (caller) => ofFlow(caller, 'PUT', '', { name: 'new', actions: [{ type: 'beep' }] }),
  'PUT /flows/{id}/actions': (caller) => ofFlow(caller, 'PUT', '/actions', { actions: [{ type: 'beep' }] }),
  'DELETE /flows/{id}': (caller) => ofFlow(caller, 'DELETE', ''),
  'POST /flows/{id}/versions/1/restore': (caller) => ofFlow(caller, 'POST', '/versions/1/restore'),
  'POST /flows/{id}/direct-hash-regenerate': (caller) => ofFlow(caller, 'POST', '/direct-hash-regenerate'),
  'POST /activeflows': async (caller) => {
    const flow = await caller.flow([talk], { customer_id: randomUUID() });
    const data = { customer_id: flow.customer_id, flow_id: flow.id, reference_type: 'call', variables: { 'voipbin.x': 1, y: 2 } };
    return { method: 'POST', uri: '/v1/activeflows', data, look: ['/v1/activeflows'] };
  },
  'DELETE /activeflows/{id}': async (caller) => activeflow((await caller.started([talk])).id, 'DELETE', ''),
  'GET /activeflows/{id}/next': async (caller) =>
    activeflow((await caller.started([talk])).id, 'GET', '/next', { current_action_id: ACTION_START }),
  'PUT /activeflows/{id}/forward_action_id': async (caller) =>
    activeflow((await caller.started([other, talk])).id, 'PUT', '/forward_action_id', {
      forward_action_id: talk.id,
      forward_now: true,
    }),
  'POST /activeflows/{id}/execute': async (caller) =>
    activeflow((await caller.started([action('block')], { reference_type: 'api' })).id, 'POST', '/execute'),
  'POST /activeflows/{id}/continue': async (caller) => {
    const { id, block } = await atBlock(caller);
    return activeflow(id, 'POST', '/continue', { current_action_id: block });
  },
  'POST /activeflows/{id}/stop': async (caller) => activeflow((await caller.started([talk])).id, 'POST', '/stop'),
  'POST /activeflows/{id}/add_actions': async (caller) =>
    activeflow((await inPushedStack(caller)).id, 'POST', '/add_actions', { actions: [{ type: 'hangup' }] }),
  'POST /activeflows/{id}/push_actions': async (caller) =>
    activeflow((await caller.started([talk])).id, 'POST', '/push_actions', { actions: [{ type: 'hangup' }] }),
  'POST /activeflows/{id}/service_stop': async (caller) => {
    const { id, stack } = await inPushedStack(caller);
    return activeflow(id, 'POST', '/service_stop', { service_id: stack });
  },
  'POST /variables/{id}/variables': async (caller) => {
    const { id } = await caller.started([talk], { variables: { a: '1' } });
    return { ...activeflow(id, 'POST', ''), uri: `/v1/variables/${id}/variables`, data: { variables: { a: '${a}1' } } };
  },
  'DELETE /variables/{id}/variables/{name}': async (caller) => {
    const { id } = await caller.started([talk], { variables: { a: '1' } });
    return { ...activeflow(id, 'DELETE', ''), uri: `/v1/variables/${id}/variables/a` };
  },
};

async function ofFlow(caller: Caller, method: string, path: string, data?: object): Promise<Request> {
  const { id } = await caller.ok('POST', '/v1/flows', { customer_id: CUSTOMER, persist: true, actions: [talk] });
  return { method, uri: `/v1/flows/${id}${path}`, ...(data && { data }), look: [`/v1/flows/${id}`, `/v1/flows/${id}/versions`] };
}

async function look(stage: Stage, request: Request): Promise<unknown[]> {
  return Promise.all(request.look.map((uri) => stage.caller.ok<unknown>('GET', uri, request.data)));
}

/** Walks that nobody waits for have come to rest. */
async function settled(stage: Stage, request: Request): Promise<unknown[]> {
  for (let before = JSON.stringify(await look(stage, request)); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = await look(stage, request);
    if (JSON.stringify(now) === before) return now;
    before = JSON.stringify(now);
  }
}

eachStage('repeats', (get) => {
  const done: Done[] = [];

  for (const [name, prepare] of Object.entries(CHANGES)) {
    it(`${name}: the same answer, and nothing done twice`, async () => {
      const stage = get();
      const { caller, siblings } = stage;
      const request = await prepare(caller);
      const before = await look(stage, request);
      const key = randomUUID();
      const response = await caller.rpc(request.method, request.uri, request.data, key);
      expect(response.status_code, JSON.stringify(response)).to.equal(200);
      const after = await settled(stage, request);
      if (!name.includes('restore')) expect(after).not.to.deep.equal(before);
      const asked = siblings.asked.filter((one) => one.to !== 'webhook').length;
      for (let i = 0; i < 2; i++) {
        expect(await caller.rpc(request.method, request.uri, request.data, key)).to.deep.equal(response);
      }
      expect(await settled(stage, request)).to.deep.equal(after);
      expect(siblings.asked.filter((one) => one.to !== 'webhook' && !one.uri.endsWith('/action-next'))).to.have.length.of.at.most(
        asked,
      );
      done.push({ ...request, key, response });
    });
  }

  it('of one key for another request is that other request', async () => {
    const { caller } = get();
    const key = randomUUID();
    const flow = await caller.ok('POST', '/v1/flows', { customer_id: CUSTOMER, actions: [talk] }, key);
    const changed = await caller.ok('PUT', `/v1/flows/${flow.id}`, { name: 'changed', actions: [talk] }, key);
    expect(changed.name).to.equal('changed');
    const { id } = await caller.activeflow(flow);
    await caller.next(id, ACTION_START, key);
    await caller.ok('POST', `/v1/activeflows/${id}/stop`, undefined, key);
    expect((await caller.get(id)).status).to.equal('ended');
  });

  it('at the same moment do one thing', async () => {
    const { caller, siblings } = get();
    const customer_id = randomUUID();
    const data = { customer_id, persist: true, actions: [talk] };
    const key = randomUUID();
    const before = siblings.asked.length;
    const { open, opened } = gate();
    siblings.script('direct', () => opened.then(() => undefined));
    const making = Promise.all(Array.from({ length: 5 }, () => caller.rpc('POST', '/v1/flows', data, key)));
    await eventually('all are under way', () => siblings.of('direct', customer_id).length === 5);
    open();
    const made = await making;
    expect(new Set(made.map((response) => JSON.stringify(response))).size).to.equal(1);
    expect(await caller.ok('GET', '/v1/flows/count_by_customer', { customer_id })).to.deep.equal({ count: 1 });
    const [flow] = await caller.ok<FlowView[]>('GET', '/v1/flows', { customer_id });
    const returned = siblings.asked.slice(before).filter((one) => one.to === 'direct' && one.method === 'DELETE');
    expect(returned, 'directs of flows that were not made').to.have.length(4);
    const uri = `/v1/flows/${flow?.id}`;
    const deleted = await Promise.all(Array.from({ length: 5 }, () => caller.ok('DELETE', uri)));
    expect(new Set(deleted.map(({ tm_delete }) => tm_delete)).size).to.equal(1);
    const { id } = await caller.started([talk], { variables: { a: '1' } });
    const set = { variables: { a: '${a}1' } };
    await Promise.all(Array.from({ length: 5 }, () => caller.ok('POST', `/v1/variables/${id}/variables`, set, 'k')));
    expect((await caller.variables(id)).a).to.equal('11');
  });

  it('come to the daemon after its restart, all of them', async function () {
    this.timeout(30_000);
    const stage = get();
    expect(done).to.have.length(Object.keys(CHANGES).length);
    const states = await Promise.all(done.map((request) => look(stage, request)));
    await stage.restart();
    for (const [at, { method, uri, data, key, response }] of done.entries()) {
      expect(await stage.caller.rpc(method, uri, data, key), `${method} ${uri}`).to.deep.equal(response);
      const request = done[at];
      if (request) expect(await look(stage, request)).to.deep.equal(states[at]);
    }
  });
});
