/** Actions that are tried again, and the flow that takes what nothing else takes. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import { action } from '../support/caller.ts';
import { eventually } from '../support/inbox.ts';
import type { Reply } from '../support/siblings.ts';
import { eachStage } from '../support/stage.ts';

const PHONES = { source: { type: 'tel', target: '+1' }, destinations: [{ type: 'tel', target: '+2' }] };
const send = (retry: object) => action('message_send', { ...PHONES, text: '${voipbin.activeflow.id}' }, { retry });
const after = action('talk', { text: 'went on' });
const set = (key: string, value: string) => action('variable_set', { key, value });

/** Each reply once, then well again. */
function inTurn(...replies: Reply[]): () => Reply {
  return () => replies.shift();
}

eachStage('an action with retry', (get) => {
  const often = { attempts: 3, initial_ms: 20, factor: 2 };

  it('keeps its caller waiting, asks under a new id after each answer, and goes on', async () => {
    const { caller, siblings } = get();
    const { id } = await caller.started([send(often), after]);
    siblings.script('message', inTurn({ error: 500 }, { error: 500 }));
    const key = randomUUID();
    // The same request twice: both wait for the one walk.
    const answers = await Promise.all([caller.next(id, ACTION_START, key), caller.next(id, ACTION_START, key)]);
    expect(answers.map((answer) => answer.id)).to.deep.equal([after.id, after.id]);
    const ids = siblings.of('message', id).map((asked) => asked.request_id);
    expect([ids.length, new Set(ids).size]).to.deep.equal([3, 3]);
    const lines = (await caller.trace(id)).map(({ outcome }) => outcome);
    expect(lines).to.deep.equal(['retried', 'retried', 'run', 'handed_over']);
    expect((await caller.get(id)).executed_actions).to.have.length(2);
  });

  it('asks under the same id again when nobody has answered', async () => {
    const { caller, siblings } = get();
    const { id } = await caller.started([send({ attempts: 1, initial_ms: 0 }), after]);
    siblings.script('message', inTurn('silent'));
    expect((await caller.next(id)).id).to.equal(after.id);
    const ids = siblings.of('message', id).map((asked) => asked.request_id);
    expect([ids.length, new Set(ids).size]).to.deep.equal([2, 1]);
  });

  it('fails when its tries are used up, and says how often it was tried', async () => {
    const { caller, siblings } = get();
    const { id } = await caller.started([send({ attempts: 2, initial_ms: 1 }), after]);
    siblings.script('message', () => ({ error: 500 }));
    const error = await caller.refused(503, 'GET', `/v1/activeflows/${id}/next`, { current_action_id: ACTION_START });
    expect(error.reason).to.equal('SIBLING_FAILED');
    const trace = await caller.trace(id);
    expect(trace.map(({ outcome }) => outcome)).to.deep.equal(['retried', 'retried', 'failed']);
    expect(trace[1]?.reason).to.include('try 2 of 3, again in 2 ms');
    expect(siblings.of('message', id)).to.have.length(3);
  });

  it('goes on by itself where nobody asks, over a restart too', async () => {
    const { caller, siblings, restart } = { ...get(), restart: () => get().restart() };
    const { id } = await caller.started([send({ attempts: 2, initial_ms: 700 }), set('done', '1')], { reference_type: 'api' });
    siblings.script('message', inTurn({ error: 500 }));
    await caller.ok('POST', `/v1/activeflows/${id}/execute`);
    await eventually('it pauses', async () => (await caller.trace(id)).length === 1);
    expect((await caller.get(id)).status).to.equal('running');
    await restart();
    await eventually('it has gone on', async () => (await get().caller.get(id)).status === 'ended');
    expect(await get().caller.variables(id)).to.include({ done: '1' });
    expect(siblings.of('message', id)).to.have.length(2);
  });

  it('that is stopped in its pause asks no more, and its caller is told at once', async () => {
    const { caller, siblings } = get();
    const { id } = await caller.started([send({ attempts: 1, initial_ms: 60_000 }), after]);
    siblings.script('message', () => ({ error: 500 }));
    const answer = caller.next(id);
    await eventually('it pauses', async () => (await caller.trace(id)).length === 1);
    await caller.ok('POST', `/v1/activeflows/${id}/stop`);
    expect((await answer).id).to.equal(ACTION_FINISH);
    expect(siblings.of('message', id)).to.have.length(1);
  });

  it('that waits longer than a request may is 503, and known when it is asked again', async () => {
    const { caller, siblings } = get();
    const pauses = { attempts: 1, initial_ms: 3_000_000, max_ms: 3_000_000 };
    const { id } = await caller.started([send(pauses), after]);
    siblings.script('message', () => ({ error: 500 }));
    const uri = `/v1/activeflows/${id}/next`;
    const error = await caller.refused(503, 'GET', uri, { current_action_id: ACTION_START }, 'key');
    expect(error).to.include({ status: 'UNAVAILABLE', reason: 'TRIED_AGAIN_LATER' });
    expect(await caller.refused(503, 'GET', uri, { current_action_id: ACTION_START }, 'key')).to.deep.equal(error);
    expect(siblings.of('message', id)).to.have.length(1);
    await caller.ok('POST', `/v1/activeflows/${id}/stop`);
  });

  it('is refused when it makes no sense', async () => {
    const { caller } = get();
    const error = await caller.refused(400, 'POST', '/v1/flows', { actions: [send({ attempts: 3, initial_ms: 'soon' })] });
    expect(error.message).to.include('/actions/0/retry/initial_ms').and.include('a whole number from 0 to 3600000');
  });
});

eachStage('fallback_flow_id', (get) => {
  const failing = action('queue_join', { queue_id: randomUUID() });

  it('is pushed when an action fails, once, and knows why', async () => {
    const { caller, siblings } = get();
    siblings.script('queue', () => ({ error: 500 }));
    const sorry = action('talk', { text: 'sorry: ${voipbin.error.reason} at ${voipbin.error.type}' });
    const fallback = await caller.flow([sorry]);
    const flow = await caller.flow([failing, after, { ...failing, id: randomUUID() }], { fallback_flow_id: fallback.id });
    const { id } = await caller.activeflow(flow);
    const first = await caller.next(id);
    expect(first).to.deep.include({ id: sorry.id, option: { text: 'sorry: SIBLING_FAILED at queue_join' } });
    expect((await caller.next(id, first.id)).id).to.equal(after.id);
    await caller.refused(503, 'GET', `/v1/activeflows/${id}/next`, { current_action_id: after.id });
    const reasons = (await caller.trace(id)).filter(({ outcome }) => outcome === 'failed').map(({ reason }) => reason);
    expect(reasons[0]).to.include(`goes to fallback_flow_id ${fallback.id}`);
    expect(reasons[1]).to.include('its fallback had taken SIBLING_FAILED');
  });

  it('of another customer, or deleted, is as good as none', async () => {
    const { caller, siblings } = get();
    siblings.script('queue', () => ({ error: 500 }));
    const others = await caller.flow([after], { customer_id: randomUUID() });
    const deleted = await caller.flow([after]);
    await caller.ok('DELETE', `/v1/flows/${deleted.id}`);
    for (const fallback_flow_id of [others.id, deleted.id]) {
      const { id } = await caller.activeflow(await caller.flow([failing, after], { fallback_flow_id }));
      await caller.refused(503, 'GET', `/v1/activeflows/${id}/next`, { current_action_id: ACTION_START });
      expect((await caller.get(id)).status).to.equal('ended');
      expect((await caller.trace(id)).at(-1)?.reason).to.include('was not pushed: no such flow');
    }
  });
});
