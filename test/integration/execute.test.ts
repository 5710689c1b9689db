/** Activeflows that run by themselves: executed, blocked, continued, asleep, and followed by others. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, NIL } from '../../pkg/model/id.ts';
import { type ActiveflowView, action, type Caller } from '../support/caller.ts';
import { eventually, gate } from '../support/inbox.ts';
import { eachStage } from '../support/stage.ts';

/** An activeflow once it has this status, or stands at this action. */
async function until(caller: Caller, id: string, holds: (view: ActiveflowView) => boolean): Promise<ActiveflowView> {
  let view = await caller.get(id);
  await eventually(`${id} is there`, async () => {
    view = await caller.get(id);
    return holds(view);
  });
  return view;
}

const ended = (view: ActiveflowView): boolean => view.status === 'ended';
const set = (key: string, value: string) => action('variable_set', { key, value });

eachStage('execute', (get) => {
  const api = { reference_type: 'api' };

  it('answers at once and runs to the end without the caller', async () => {
    const { caller, siblings } = get();
    const send = action('message_send', {
      source: { type: 'tel', target: '+1' },
      destinations: [{ type: 'tel', target: '+2' }],
      text: '${a}',
    });
    const { id } = await caller.started([set('a', 'b'), send, set('c', 'd')], api);
    const { open, opened } = gate();
    siblings.script('message', async () => {
      await opened;
      return undefined;
    });
    expect(await caller.rpc('POST', `/v1/activeflows/${id}/execute`)).to.deep.equal({
      status_code: 200,
      data_type: 'application/json',
    });
    await caller.ok('POST', `/v1/activeflows/${id}/execute`);
    expect((await caller.get(id)).status, 'it waits for its sibling').to.equal('running');
    open();
    const view = await until(caller, id, ended);
    expect(view.current_action.id).to.equal(ACTION_FINISH);
    expect(await caller.variables(id)).to.include({ a: 'b', c: 'd' });
    // Again, under another key: it was executed, and that is all.
    await caller.ok('POST', `/v1/activeflows/${id}/execute`);
    expect(await caller.get(id)).to.deep.equal(view);
    expect(siblings.of('message', '"+1"').filter((one) => one.data.text === 'b').length).to.be.at.least(1);
  });

  it('stops at a block until it is continued, and only there', async () => {
    const { caller } = get();
    const block = action('block');
    const { id } = await caller.started([set('before', '1'), block, set('after', '1')], { reference_type: 'conversation' });
    await caller.refused(409, 'POST', `/v1/activeflows/${id}/continue`, { current_action_id: block.id });
    await caller.ok('POST', `/v1/activeflows/${id}/execute`);
    await until(caller, id, (view) => view.current_action.id === block.id);
    expect(await caller.variables(id)).not.to.have.property('after');
    const wrong = await caller.refused(409, 'POST', `/v1/activeflows/${id}/continue`, { current_action_id: randomUUID() });
    expect(wrong.message).to.include(id);
    await caller.ok('POST', `/v1/activeflows/${id}/continue`, { current_action_id: block.id });
    await until(caller, id, ended);
    expect((await caller.variables(id)).after).to.equal('1');
    await caller.refused(409, 'POST', `/v1/activeflows/${id}/continue`, { current_action_id: block.id });
  });

  it('sleeps as long as it should, not shorter', async () => {
    const { caller } = get();
    const { id } = await caller.started([action('sleep', { duration: 700 }), set('woke', 'up')], api);
    const since = performance.now();
    await caller.ok('POST', `/v1/activeflows/${id}/execute`);
    await until(caller, id, ended);
    const slept = performance.now() - since;
    expect(slept).to.be.within(700, 3_000);
    expect((await caller.variables(id)).woke).to.equal('up');
    const outcomes = (await caller.trace(id)).map(({ outcome }) => outcome);
    expect(outcomes).to.include.members(['waiting', 'resumed']);
  });

  it('that is stopped in its sleep does not wake', async () => {
    const { caller } = get();
    const { id } = await caller.started([action('sleep', { duration: 300 }), set('woke', 'up')], api);
    await caller.ok('POST', `/v1/activeflows/${id}/execute`);
    await until(caller, id, (view) => view.current_action.type === 'sleep');
    const stopped = await caller.ok<ActiveflowView>('POST', `/v1/activeflows/${id}/stop`);
    const other = await caller.started([action('sleep', { duration: 600 })], api);
    await caller.ok('POST', `/v1/activeflows/${other.id}/execute`);
    await until(caller, other.id, ended);
    expect(await caller.get(id)).to.deep.equal(stopped);
  });

  it('ends with the error of its failing action', async () => {
    const { caller, siblings } = get();
    siblings.script('message', () => ({ error: 500 }));
    const send = action('message_send', {
      source: { type: 'tel', target: '+1' },
      destinations: [{ type: 'tel', target: '+2' }],
      text: 'x',
    });
    const { id } = await caller.started([send, set('after', '1')], api);
    await caller.ok('POST', `/v1/activeflows/${id}/execute`);
    expect((await until(caller, id, ended)).current_action.id).to.equal(send.id);
  });
});

eachStage('on_complete_flow_id', (get) => {
  it('starts another activeflow, by itself, with the variables of the one that ended', async () => {
    const { caller, events } = get();
    const after = await caller.flow([set('seen', '${first}, ${voipbin.activeflow.complete_count}')]);
    const flow = await caller.flow([set('first', 'done')], { on_complete_flow_id: after.id });
    const made = await caller.activeflow(flow, { webhook_uri: 'https://example.com/hook' });
    expect((await caller.next(made.id)).id).to.equal(ACTION_FINISH);
    let child: ActiveflowView | undefined;
    const filter = { flow_id: after.id };
    await eventually('the child has ended', async () => {
      [child] = await caller.ok<ActiveflowView[]>('GET', '/v1/activeflows', filter);
      return child !== undefined && ended(child);
    });
    const { reference_type, reference_id, customer_id } = made;
    expect(child).to.include({ reference_type, reference_id, customer_id, reference_activeflow_id: made.id, webhook_uri: '' });
    expect(await caller.variables(child?.id ?? '')).to.include({ first: 'done', seen: 'done, 1' });
    const types = (await events.until(child?.id ?? '', 'activeflow_created')).map(({ type }) => type);
    expect(types.filter((type) => type === 'activeflow_created')).to.have.length(1);
    expect(await caller.ok<unknown[]>('GET', '/v1/activeflows', filter)).to.have.length(1);
  });

  it('starts one too when the activeflow is stopped, deleted or fails, and not twice', async () => {
    const { caller, siblings } = get();
    siblings.script('queue', () => ({ error: 500 }));
    for (const way of ['stop', 'delete', 'fail']) {
      const after = await caller.flow([]);
      const flow = await caller.flow([action('queue_join', { queue_id: randomUUID() })], { on_complete_flow_id: after.id });
      const { id } = await caller.activeflow(flow);
      const uri = `/v1/activeflows/${id}`;
      if (way === 'fail') await caller.refused(503, 'GET', `${uri}/next`, { current_action_id: ACTION_FINISH.replace('2', '1') });
      else await caller.ok(way === 'stop' ? 'POST' : 'DELETE', way === 'stop' ? `${uri}/stop` : uri);
      await caller.ok('DELETE', uri);
      expect(await caller.ok<unknown[]>('GET', '/v1/activeflows', { flow_id: after.id }), way).to.have.length(1);
    }
  });

  it('goes at most five deep', async () => {
    const { caller } = get();
    const customer_id = randomUUID();
    const flow = await caller.flow([], { customer_id });
    await caller.ok('PUT', `/v1/flows/${flow.id}`, { actions: [], on_complete_flow_id: flow.id });
    const { id } = await caller.activeflow(flow);
    await caller.next(id);
    let all: ActiveflowView[] = [];
    await eventually('the chain is at its end', async () => {
      all = await caller.ok<ActiveflowView[]>('GET', '/v1/activeflows', { customer_id });
      return all.length >= 6 && all.every(ended);
    });
    expect(all).to.have.length(6);
    const depths = await Promise.all(
      all.map(async (one) => (await caller.variables(one.id))['voipbin.activeflow.complete_count']),
    );
    expect(depths).to.deep.equal(['5', '4', '3', '2', '1', '0']);
    const last = all[0]?.id ?? '';
    expect((await caller.trace(last)).map(({ reason }) => reason).join()).to.include('5 deep');
    const parent = { customer_id, reference_activeflow_id: last };
    const error = await caller.refused(429, 'POST', '/v1/activeflows', parent);
    expect(error.message).to.include('5');
    expect(await caller.activeflow({ id: NIL, customer_id }, { reference_activeflow_id: id })).to.include({
      reference_activeflow_id: id,
    });
  });
});
