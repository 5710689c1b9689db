/** What is done to an activeflow besides asking for the next action: forward, push, add, leave, and its variables. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START, MAIN_STACK } from '../../pkg/model/id.ts';
import { type ActiveflowView, action, type Caller } from '../support/caller.ts';
import { eventually } from '../support/inbox.ts';
import { service } from '../support/siblings.ts';
import { eachStage } from '../support/stage.ts';

/** Ids of what the caller is handed from here to the end. */
async function walk(caller: Caller, id: string, from: string = ACTION_START): Promise<string[]> {
  const ids: string[] = [];
  for (let at = from; at !== ACTION_FINISH; ) {
    at = (await caller.next(id, at)).id;
    ids.push(at);
  }
  return ids.slice(0, -1);
}

const [a, b, c, d] = [talk('a'), talk('b'), talk('c'), talk('d')];

function talk(text: string): { id: string } {
  return action('talk', { text });
}

eachStage('control', (get) => {
  it('forward goes there next, and with forward_now tells the call so', async () => {
    const { caller, siblings } = get();
    const { id, reference_id } = await caller.started([a, b, c]);
    const uri = `/v1/activeflows/${id}/forward_action_id`;
    await caller.next(id);
    await caller.ok('PUT', uri, { forward_action_id: c.id });
    expect(siblings.of('call', String(reference_id))).to.deep.equal([]);
    await caller.ok('PUT', uri, { forward_action_id: c.id, forward_now: true });
    const [asked] = siblings.of('call', String(reference_id));
    expect(asked).to.deep.include({ method: 'POST', uri: `/v1/calls/${reference_id}/action-next`, data: { force: true } });
    expect(await caller.get(id)).to.include({ forward_action_id: c.id, forward_stack_id: MAIN_STACK });
    expect(await walk(caller, id, a.id)).to.deep.equal([c.id]);
    await caller.refused(409, 'PUT', uri, { forward_action_id: a.id });
  });

  it('push enters a new stack next and comes back', async () => {
    const { caller } = get();
    const { id } = await caller.started([a, b]);
    await caller.next(id);
    await caller.ok('POST', `/v1/activeflows/${id}/push_actions`, { actions: [c, d] });
    const shown = await caller.get(id);
    expect(Object.keys(shown.stack_map)).to.have.length(2);
    expect(await walk(caller, id, a.id)).to.deep.equal([c.id, d.id, b.id]);
    await caller.refused(409, 'POST', `/v1/activeflows/${id}/push_actions`, { actions: [c] });
  });

  it('add puts actions right after the current one, in a stack that is not the main one', async () => {
    const { caller } = get();
    const { id } = await caller.started([a]);
    const refused = await caller.refused(400, 'POST', `/v1/activeflows/${id}/add_actions`, { actions: [d] });
    expect(refused.message).to.include('main');
    await caller.ok('POST', `/v1/activeflows/${id}/push_actions`, { actions: [b, c] });
    await caller.next(id);
    await caller.ok('POST', `/v1/activeflows/${id}/add_actions`, { actions: [d] });
    await caller.refused(400, 'POST', `/v1/activeflows/${id}/add_actions`, { actions: [d] });
    expect(await walk(caller, id, b.id)).to.deep.equal([d.id, c.id, a.id]);
  });

  it('service_stop leaves the stack that a service has pushed, and no other', async () => {
    const { caller, siblings } = get();
    const serviceId = randomUUID();
    siblings.script('conference', () => service([b, c], serviceId));
    const { id } = await caller.started([action('conference_join', { conference_id: randomUUID() }), d]);
    const uri = `/v1/activeflows/${id}/service_stop`;
    await caller.refused(409, 'POST', uri, { service_id: serviceId });
    await caller.refused(409, 'POST', uri, { service_id: MAIN_STACK });
    expect((await caller.next(id)).id).to.equal(b.id);
    expect((await caller.get(id)).current_stack_id).to.equal(serviceId);
    await caller.refused(409, 'POST', uri, { service_id: randomUUID() });
    await caller.ok('POST', uri, { service_id: serviceId });
    await caller.refused(409, 'POST', uri, { service_id: serviceId });
    expect(await walk(caller, id, b.id)).to.deep.equal([d.id]);
  });

  it('service_stop lets a flow that stands still in that stack go on, and nothing of its wait is left', async () => {
    const { caller, siblings } = get();
    const ai = () => action('ai_talk', { assistance_type: 'ai', assistance_id: randomUUID() });
    for (const inside of [action('block'), action('sleep', { duration: 300 })]) {
      const serviceId = randomUUID();
      siblings.script('ai', () => service([inside], serviceId));
      const after = action('block');
      const { id } = await caller.started([ai(), after], { reference_type: 'conversation' });
      await caller.ok('POST', `/v1/activeflows/${id}/execute`);
      const isAt = (wanted: string) => async () => (await caller.get(id)).current_action.id === wanted;
      await eventually('it stands in the service', isAt(inside.id));
      await caller.ok('POST', `/v1/activeflows/${id}/service_stop`, { service_id: serviceId });
      await eventually('it stands after it', isAt(after.id));
      await caller.refused(409, 'POST', `/v1/activeflows/${id}/continue`, { current_action_id: inside.id });
      await caller.ok('POST', `/v1/activeflows/${id}/continue`, { current_action_id: after.id });
      await eventually('it ends', async () => (await caller.get(id)).status === 'ended');
      const outcomes = (await caller.trace(id)).map(({ outcome }) => outcome);
      expect(outcomes).to.deep.equal(['pushed', 'waiting', 'resumed', 'waiting', 'resumed', 'finished']);
    }
  });

  it('stop and delete may come again, all else is refused after the end', async () => {
    const { caller } = get();
    const { id } = await caller.started([a, b]);
    await caller.next(id);
    const stopped = await caller.ok<ActiveflowView>('POST', `/v1/activeflows/${id}/stop`);
    expect(stopped).to.include({ status: 'ended' });
    expect(stopped.current_action.id).to.equal(a.id);
    expect(await caller.ok('POST', `/v1/activeflows/${id}/stop`)).to.deep.equal(stopped);
    for (const [path, data] of [
      ['push_actions', { actions: [c] }],
      ['add_actions', { actions: [c] }],
      ['execute', {}],
      ['continue', { current_action_id: a.id }],
      ['service_stop', { service_id: randomUUID() }],
    ] as const) {
      expect((await caller.refused(409, 'POST', `/v1/activeflows/${id}/${path}`, data)).reason, path).to.equal(
        'ACTIVEFLOW_ENDED',
      );
    }
    await caller.refused(409, 'POST', `/v1/variables/${id}/variables`, { variables: { x: '1' } });
    await caller.refused(409, 'DELETE', `/v1/variables/${id}/variables/x`);
    expect(await caller.variables(id)).to.have.property('voipbin.activeflow.id', id);
    const deleted = await caller.ok<ActiveflowView>('DELETE', `/v1/activeflows/${id}`);
    expect(deleted.tm_delete).to.be.a('string');
    expect(await caller.ok('DELETE', `/v1/activeflows/${id}`)).to.deep.equal(deleted);
  });
});

eachStage('variables', (get) => {
  const set = (id: string, variables: object): Promise<unknown> =>
    get().caller.ok('POST', `/v1/variables/${id}/variables`, { variables });

  it('are set in order, shown as text, reached into, substituted and deleted', async () => {
    const { caller } = get();
    const { id, reference_id } = await caller.started([action('talk', { text: '${who.name}: ${who.tags.1}' })]);
    await set(id, { first: '1', second: '${first}2', who: { name: 'Sam', tags: ['x', 'y'] }, missing: '<${nobody}>' });
    const shown = await caller.variables(id);
    expect(shown).to.include({ first: '1', second: '12', who: '{"name":"Sam","tags":["x","y"]}', missing: '<>' });
    expect(shown).to.include({ 'voipbin.activeflow.reference_id': reference_id, 'voipbin.activeflow.complete_count': '0' });
    const text = await caller.ok<unknown>('POST', `/v1/variables/${id}/substitute`, { data: '${second}/${who.name}/${none}' });
    expect(text).to.deep.equal({ data: '12/Sam/' });
    await caller.ok('DELETE', `/v1/variables/${id}/variables/first`);
    await set(id, { 'a/b c': 'odd' });
    await caller.ok('DELETE', `/v1/variables/${id}/variables/${encodeURIComponent('a/b c')}`);
    expect(Object.keys(await caller.variables(id))).not.to.include.members(['first', 'a/b c']);
    expect((await caller.next(id)).option).to.deep.equal({ text: 'Sam: y' });
  });

  it('have limits, and what is over them is refused whole', async () => {
    const { caller } = get();
    const { id } = await caller.started([]);
    const many = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, at) => [`v${at}`, 'x']));
    const refused = async (variables: object): Promise<string> =>
      (await caller.refused(400, 'POST', `/v1/variables/${id}/variables`, { variables })).message;
    await set(id, many(100));
    const before = await caller.variables(id);
    expect(Object.keys(before)).to.have.length(106);
    expect(await refused({ v0: 'changed', one: 'more' })).to.include('100');
    expect(await refused({ v0: 'x'.repeat(32 * 1024 + 1) })).to.include(String(32 * 1024));
    expect(await refused({ v0: 'x'.repeat(32 * 1024), v1: 'x'.repeat(32 * 1024) })).to.include(String(64 * 1024));
    expect(await refused({ '': 'x' })).to.include('name');
    expect(await refused({ 'voipbin.activeflow.id': 'x' })).to.include('voipbin.activeflow.id');
    await caller.refused(400, 'DELETE', `/v1/variables/${id}/variables/voipbin.activeflow.id`);
    expect(await caller.variables(id)).to.deep.equal(before);
    await set(id, { v0: 'x'.repeat(32 * 1024) });
  });

  it('of a new activeflow: those under voipbin. and too many are dropped with a warning, a parent’s are inherited', async () => {
    const { caller } = get();
    const parent = await caller.started([], { variables: { kept: 'yes', 'voipbin.sneaky': 'no' } });
    expect((parent.warnings as { path: string }[])[0]?.path).to.equal('/variables/voipbin.sneaky');
    expect(await caller.variables(parent.id))
      .to.include({ kept: 'yes' })
      .and.not.have.property('voipbin.sneaky');
    const child = await caller.activeflow(
      { id: String(parent.flow_id), customer_id: parent.customer_id },
      { reference_activeflow_id: parent.id, variables: { big: 'x'.repeat(32 * 1024 + 1), small: 'x' } },
    );
    expect((child.warnings as { path: string }[])[0]?.path).to.equal('/variables');
    const shown = await caller.variables(child.id);
    expect(shown).to.include({ kept: 'yes', 'voipbin.activeflow.complete_count': '1', 'voipbin.activeflow.id': child.id });
    expect(shown).not.to.have.any.keys('small', 'big');
  });
});
