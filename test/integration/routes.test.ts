/** Every route of the wire once as it should be asked, and in the ways that it should not. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START, MAIN_STACK, NIL } from '../../pkg/model/id.ts';
import { type ActionView, type ActiveflowView, action, CUSTOMER, type FlowView } from '../support/caller.ts';
import { eachStage } from '../support/stage.ts';

/** A method and a path with an id, and data that is fine: all routes about one thing. */
const OF_A_FLOW = [
  ['GET', '', {}],
  ['PUT', '', { name: 'n', detail: '', actions: [] }],
  ['DELETE', '', {}],
  ['GET', '/actions', {}],
  ['PUT', '/actions', { actions: [] }],
  ['GET', `/actions/${ACTION_START}`, {}],
  ['GET', '/versions', {}],
  ['POST', '/versions/1/restore', {}],
  ['POST', '/direct-hash-regenerate', {}],
] as const;
const OF_AN_ACTIVEFLOW = [
  ['GET', '', {}],
  ['DELETE', '', {}],
  ['GET', '/next', { current_action_id: ACTION_START }],
  ['PUT', '/forward_action_id', { forward_action_id: ACTION_START }],
  ['POST', '/execute', {}],
  ['POST', '/continue', { current_action_id: ACTION_START }],
  ['POST', '/stop', {}],
  ['POST', '/add_actions', { actions: [{ type: 'answer' }] }],
  ['POST', '/push_actions', { actions: [{ type: 'answer' }] }],
  ['POST', '/service_stop', { service_id: ACTION_START }],
  ['GET', '/trace', {}],
  ['GET', '/history', {}],
] as const;
const OF_VARIABLES = [
  ['GET', '', {}],
  ['POST', '/variables', { variables: { a: 'b' } }],
  ['DELETE', '/variables/a', {}],
  ['POST', '/substitute', { data: 'x' }],
] as const;
const OF_A_SUBSCRIPTION = [
  ['GET', '', {}],
  ['PUT', '', {}],
  ['DELETE', '', {}],
  ['POST', '/rotate', {}],
  ['POST', '/test', {}],
  ['POST', '/replay?since=2026-11-21T08:45:10Z', {}],
  ['GET', '/deliveries', {}],
  ['POST', `/deliveries/${ACTION_START}/replay`, {}],
] as const;
const ALL = [
  ...OF_A_FLOW.map(([method, path, data]) => [method, '/v1/flows', path, data] as const),
  ...OF_AN_ACTIVEFLOW.map(([method, path, data]) => [method, '/v1/activeflows', path, data] as const),
  ...OF_A_SUBSCRIPTION.map(([method, path, data]) => [method, '/v1/subscriptions', path, data] as const),
  ...OF_VARIABLES.map(([method, path, data]) => [method, '/v1/variables', path, data] as const),
];

/** Method, URI, data, and the field that the 400 must name. */
const BAD: readonly (readonly [string, string, object, string])[] = [
  ['POST', '/v1/flows', { name: 7 }, '/name'],
  ['POST', '/v1/flows', { customer_id: 'nobody' }, '/customer_id'],
  ['POST', '/v1/flows', { type: 'stream' }, '/type'],
  ['POST', '/v1/flows', { persist: 'yes' }, '/persist'],
  ['POST', '/v1/flows', { on_complete_flow_id: 5 }, '/on_complete_flow_id'],
  ['POST', '/v1/flows', { actions: 'talk' }, '/actions'],
  ['POST', '/v1/flows', { actions: [{ type: 'juggle' }] }, '/actions/0/type'],
  ['POST', '/v1/flows', { actions: [{ type: 'talk', option: { text: [] } }] }, '/actions/0/option/text'],
  ['POST', '/v1/subscriptions', { callback_url: 'https://a.example' }, '/customer_id'],
  ['POST', '/v1/subscriptions', { customer_id: CUSTOMER }, '/callback_url'],
  ['POST', '/v1/subscriptions', { customer_id: CUSTOMER, callback_url: 'ftp://a.example' }, '/callback_url'],
  ...(
    [
      [{ notification_types: [] }, '/notification_types'],
      [{ notification_types: ['NODE_EVENT', 'ALL'] }, '/notification_types/1'],
      [{ workflow_id: 'mine' }, '/workflow_id'],
      [{ login_name: 5 }, '/login_name'],
      [{ access_key: 'two\nlines' }, '/access_key'],
      [{ secrets: ['whsec_short'] }, '/secrets'],
      [{ headers: { 'x-y': 5 } }, '/headers/x-y'],
      [{ headers: { Host: 'elsewhere' } }, '/headers'],
      [{ lane: 'fast' }, '/lane'],
      [{ enabled: 1 }, '/enabled'],
      [{ method: 'GET' }, '/method'],
      [{ timeout_ms: 1 }, '/timeout_ms'],
      [{ retry: 3 }, '/retry'],
      [{ retry: { attempts: 1_000 } }, '/retry/attempts'],
    ] as const
  ).map(
    ([wrong, field]) =>
      ['POST', '/v1/subscriptions', { customer_id: CUSTOMER, callback_url: 'https://a.example', ...wrong }, field] as const,
  ),
  ['GET', '/v1/flows', { deleted: 'maybe' }, '/deleted'],
  ['GET', '/v1/flows?page_size=0', {}, 'page_size'],
  ['GET', '/v1/flows?page_size=ten', {}, 'page_size'],
  ['GET', '/v1/flows?page_token=yesterday', {}, 'page_token'],
  ['GET', '/v1/flows/count_by_customer', {}, '/customer_id'],
  ['POST', '/v1/activeflows', { reference_type: 'pigeon' }, '/reference_type'],
  ['POST', '/v1/activeflows', { flow_id: 'f' }, '/flow_id'],
  ['POST', '/v1/activeflows', { variables: ['a'] }, '/variables'],
  ['POST', '/v1/activeflows', { user_id: -1 }, '/user_id'],
  ['GET', '/v1/activeflows?page_size=-1', {}, 'page_size'],
  ['GET', '/v1/activeflows', { customer_id: 3 }, '/customer_id'],
];

/** The same about an activeflow that exists. */
const BAD_OF_ONE: readonly (readonly [string, string, object, string])[] = [
  ['GET', '/next', {}, '/current_action_id'],
  ['GET', '/next', { current_action_id: 'first' }, '/current_action_id'],
  ['PUT', '/forward_action_id', {}, '/forward_action_id'],
  ['PUT', '/forward_action_id', { forward_action_id: ACTION_FINISH, forward_now: 'now' }, '/forward_now'],
  ['PUT', '/forward_action_id', { forward_action_id: randomUUID() }, 'forward_action_id'],
  ['POST', '/continue', {}, '/current_action_id'],
  ['POST', '/add_actions', { actions: [{ type: 7 }] }, '/actions/0/type'],
  ['POST', '/push_actions', { actions: {} }, '/actions'],
  ['POST', '/push_actions', { actions: [] }, 'actions'],
  ['POST', '/service_stop', {}, '/service_id'],
];

eachStage('routes', (get) => {
  const talk = action('talk', { text: 'hello' });

  it('makes, shows, changes, counts and deletes a flow', async () => {
    const { caller } = get();
    const customer_id = randomUUID();
    const sent = { customer_id, type: 'flow', name: 'main', detail: 'ivr', actions: [talk], persist: true };
    const made = await caller.ok('POST', '/v1/flows', sent);
    expect(made).to.include({
      customer_id,
      type: 'flow',
      name: 'main',
      detail: 'ivr',
      persist: true,
      tm_update: null,
      tm_delete: null,
    });
    expect(made.actions).to.deep.equal([{ ...talk, next_id: NIL, tm_execute: null }]);
    expect(await caller.ok('GET', `/v1/flows/${made.id.toUpperCase()}`)).to.deep.equal(made);
    expect(await caller.ok('GET', `/v1/flows/${made.id}/actions`)).to.deep.equal(made.actions);
    expect(await caller.ok('GET', `/v1/flows/${made.id}/actions/${talk.id}`)).to.deep.equal(made.actions[0]);
    await caller.refused(404, 'GET', `/v1/flows/${made.id}/actions/${randomUUID()}`);
    const changed = await caller.ok('PUT', `/v1/flows/${made.id}`, { name: 'other', actions: [{ type: 'answer' }] });
    expect(changed).to.include({ name: 'other', detail: '', on_complete_flow_id: NIL });
    expect(changed.actions[0]?.id).to.match(/^[0-9a-f-]{36}$/);
    expect(await caller.ok('GET', '/v1/flows/count_by_customer', { customer_id })).to.deep.equal({ count: 1 });
    const deleted = await caller.ok('DELETE', `/v1/flows/${made.id}`);
    expect(deleted.tm_delete).to.match(/^\d{4}-.*\.\d{6}Z$/);
    expect(await caller.ok('GET', `/v1/flows/${made.id}`)).to.deep.equal(deleted);
    expect(await caller.ok('DELETE', `/v1/flows/${made.id}`)).to.deep.equal(deleted);
    expect(await caller.ok('GET', '/v1/flows/count_by_customer', { customer_id })).to.deep.equal({ count: 0 });
    await caller.refused(409, 'PUT', `/v1/flows/${made.id}`, { actions: [] });
    await caller.refused(404, 'POST', '/v1/activeflows', { customer_id, flow_id: made.id });
  });

  it('makes, shows, walks and deletes an activeflow, by both spellings of its path', async () => {
    const { caller } = get();
    const flow = await caller.flow([talk]);
    const reference_id = randomUUID();
    const made = await caller.ok<ActiveflowView>('POST', '/v1/active-flows', {
      flow_id: flow.id,
      reference_type: 'call',
      reference_id,
    });
    expect(made).to.include({
      customer_id: CUSTOMER,
      flow_id: flow.id,
      call_id: reference_id,
      status: 'running',
      execute_count: 0,
    });
    expect(made.current_action.id).to.equal(ACTION_START);
    expect(made.stack_map[MAIN_STACK]?.actions).to.have.length(1);
    const handed = await caller.ok<ActionView>('GET', `/v1/active-flows/${made.id}/next`, { current_action_id: ACTION_START });
    expect(handed).to.include({ id: talk.id, type: 'talk' });
    expect((await caller.next(made.id, talk.id)).id).to.equal(ACTION_FINISH);
    const ended = await caller.ok<ActiveflowView>('GET', `/v1/active-flows/${made.id}`);
    expect(ended).to.include({ status: 'ended', execute_count: 2 });
    expect(ended.executed_actions.map((one) => one.id)).to.deep.equal([ACTION_START, talk.id]);
    const deleted = await caller.ok<ActiveflowView>('DELETE', `/v1/activeflows/${made.id}`);
    expect(deleted.tm_delete).to.be.a('string');
    expect(await caller.get(made.id)).to.deep.equal(deleted);
  });

  it('takes the old names of references and customers, and echoes them', async () => {
    const { caller } = get();
    const call_id = randomUUID();
    const flow = await caller.flow([talk], { customer_id: undefined, user_id: 17 });
    expect(flow).to.include({ user_id: 17, customer_id: NIL });
    const made = await caller.ok<ActiveflowView>('POST', '/v1/active-flows', { call_id, flow_id: flow.id, user_id: 17 });
    expect(made).to.include({ id: call_id, call_id, reference_type: 'call', reference_id: call_id, user_id: 17 });
    expect((await caller.next(call_id)).type).to.equal('talk');
  });

  for (const [method, base, path, data] of ALL) {
    it(`${method} ${base}/{id}${path}: 400 for a bad id, 404 for an unknown one, 405 for another method`, async () => {
      const { caller } = get();
      const bad = await caller.refused(400, method, `${base}/not-an-id${path}`, data);
      expect(bad).to.include({ status: 'INVALID_ARGUMENT', domain: 'flow-manager' });
      expect(bad.details?.[0]).to.include({ field: 'id', value: '"not-an-id"' });
      expect(bad.details?.[0]?.expected).to.include('UUID');
      const id = randomUUID();
      const unknown = await caller.refused(404, method, `${base}/${id}${path}`, data);
      expect(unknown.status).to.equal('NOT_FOUND');
      expect(JSON.stringify(unknown)).to.include(id);
      expect((await caller.refused(405, 'PATCH', `${base}/${id}${path}`, data)).message).to.include(method);
    });
  }

  for (const [method, uri, data, field] of BAD) {
    it(`${method} ${uri} ${JSON.stringify(data)}: 400 that names ${field}`, async () => {
      const error = await get().caller.refused(400, method, uri, data);
      expect(error.details?.[0]?.field).to.equal(field);
      expect(error.details?.[0]?.expected).to.be.a('string').and.not.equal('');
      expect(error.message).to.include('expected').and.include('got');
    });
  }

  it('refuses what is wrong about an activeflow and changes nothing', async () => {
    const { caller } = get();
    const made = await caller.started([talk]);
    for (const [method, path, data, field] of BAD_OF_ONE) {
      const error = await caller.refused(400, method, `/v1/activeflows/${made.id}${path}`, data);
      expect(error.details?.[0]?.field, `${method} ${path}`).to.equal(field);
    }
    await caller.refused(400, 'POST', `/v1/variables/${made.id}/variables`, {});
    await caller.refused(400, 'POST', `/v1/variables/${made.id}/substitute`, { data: 1 });
    expect(await caller.get(made.id)).to.deep.equal(made);
  });

  it('knows no other route', async () => {
    const { caller } = get();
    for (const uri of ['/', '/v1', '/v1/calls', '/v2/flows', `/v1/flows/${randomUUID()}/friends`, '/v1/activeflows/a/b/c/d/e']) {
      expect((await caller.refused(404, 'GET', uri)).reason, uri).to.equal('ROUTE_NOT_FOUND');
    }
    expect((await caller.refused(405, 'DELETE', '/v1/flows')).message)
      .to.include('POST')
      .and.include('GET');
    await caller.refused(400, 'GET', '/v1/flows/%ZZ');
  });

  it('refuses the flow and the parent of another customer, and an id that is taken', async () => {
    const { caller } = get();
    const flow: FlowView = await caller.flow([talk]);
    const made = await caller.activeflow(flow);
    await caller.refused(403, 'POST', '/v1/activeflows', { customer_id: randomUUID(), flow_id: flow.id });
    const parent = { customer_id: randomUUID(), reference_activeflow_id: made.id };
    await caller.refused(403, 'POST', '/v1/activeflows', parent);
    await caller.refused(409, 'POST', '/v1/activeflows', { id: made.id, flow_id: flow.id });
    await caller.refused(404, 'POST', '/v1/activeflows', { flow_id: randomUUID() });
    await caller.refused(404, 'POST', '/v1/activeflows', { reference_activeflow_id: randomUUID() });
  });

  it('refuses two actions of one id', async () => {
    const error = await get().caller.refused(400, 'POST', '/v1/flows', { actions: [talk, talk] });
    expect(JSON.stringify(error.details)).to.include(talk.id);
  });
});
