/** "What is the next action?": the same request gets the same answer, whatever happens at the same time. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START, NIL } from '../../pkg/model/id.ts';
import { type ActiveflowView, action } from '../support/caller.ts';
import { gate } from '../support/inbox.ts';
import { type Asked, type Reply, service } from '../support/siblings.ts';
import { eachStage } from '../support/stage.ts';

eachStage('next', (get) => {
  const talk = action('talk', { text: 'hello' });
  const beep = action('beep');
  const queue = action('queue_join', { queue_id: randomUUID() });

  it('gets by its key what it got, and by the id before the current action the current one again', async () => {
    const { caller } = get();
    const { id } = await caller.started([talk, beep]);
    expect((await caller.next(id, ACTION_START, 'first')).id).to.equal(talk.id);
    const beeping = await caller.next(id, talk.id, 'second');
    expect(beeping.id).to.equal(beep.id);
    const before = await caller.get(id);
    expect((await caller.next(id, ACTION_START, 'first')).id).to.equal(talk.id);
    expect(await caller.next(id, talk.id, 'second')).to.deep.equal(beeping);
    expect(await caller.next(id, talk.id, 'another key')).to.deep.equal(beeping);
    expect(await caller.next(id, talk.id)).to.deep.equal(beeping);
    expect(await caller.get(id)).to.deep.equal(before);
    expect((await caller.next(id, beep.id)).id).to.equal(ACTION_FINISH);
    expect((await caller.next(id, beep.id)).id, 'again, after the end').to.equal(ACTION_FINISH);
    expect((await caller.next(id, talk.id, 'second')).id).to.equal(beep.id);
    await caller.refused(409, 'GET', `/v1/activeflows/${id}/next`, { current_action_id: talk.id });
  });

  it('refuses any other id with 409 and changes nothing', async () => {
    const { caller } = get();
    const { id } = await caller.started([talk, beep, talk].slice(0, 2));
    const fresh = await caller.get(id);
    for (const current_action_id of [NIL, talk.id, randomUUID(), ACTION_FINISH]) {
      const error = await caller.refused(409, 'GET', `/v1/activeflows/${id}/next`, { current_action_id });
      expect(error.message).to.include(current_action_id).and.include(ACTION_START);
    }
    expect(await caller.get(id)).to.deep.equal(fresh);
    await caller.next(id);
    const handed = await caller.get(id);
    await caller.refused(409, 'GET', `/v1/activeflows/${id}/next`, { current_action_id: beep.id });
    expect(await caller.get(id)).to.deep.equal(handed);
    expect((await caller.next(id, talk.id)).id).to.equal(beep.id);
  });

  it('tells a retry from an advance where both ids are the same', async () => {
    const { caller } = get();
    const again = action('goto', { target_id: talk.id, loop_count: 2 });
    const { id } = await caller.started([talk, again]);
    await caller.next(id, ACTION_START, 'k0');
    for (const key of ['k1', 'k2']) {
      expect((await caller.next(id, talk.id, key)).id).to.equal(talk.id);
      expect((await caller.next(id, talk.id, key)).id).to.equal(talk.id);
    }
    expect((await caller.next(id, talk.id, 'k3')).id).to.equal(ACTION_FINISH);
    expect((await caller.next(id, talk.id, 'k1')).id).to.equal(talk.id);
    const { executed_actions } = await caller.get(id);
    expect(executed_actions.map((one) => one.id)).to.deep.equal([ACTION_START, ...Array(3).fill([talk.id, again.id]).flat()]);
  });

  /** An activeflow whose first action asks queue-manager, which waits until the gate is opened. */
  async function slow(reply: Reply = service([beep])): Promise<{ made: ActiveflowView; open: () => void; asked: () => Asked[] }> {
    const { caller, siblings } = get();
    const { open, opened } = gate();
    const made = await caller.started([queue, talk]);
    siblings.script('queue', async ({ uri, data }) => {
      if (uri !== '/v1/services/type/queuecall' || data.activeflow_id !== made.id) return undefined;
      await opened;
      return reply;
    });
    return { made, open, asked: () => siblings.of('queue', made.id).filter(({ uri }) => uri.endsWith('queuecall')) };
  }

  it('that comes again while the first is under way gets the answer of the first', async () => {
    const { caller, siblings } = get();
    const { made, open, asked } = await slow();
    const first = caller.next(made.id, ACTION_START, 'first');
    await siblings.until('queue', made.id);
    const others = [
      caller.next(made.id, ACTION_START, 'first'),
      caller.next(made.id, ACTION_START, 'other'),
      caller.next(made.id),
    ];
    await caller.refused(409, 'GET', `/v1/activeflows/${made.id}/next`, { current_action_id: talk.id });
    open();
    const answers = await Promise.all([first, ...others]);
    for (const answer of answers) expect(answer).to.deep.equal({ ...beep, next_id: NIL, tm_execute: answer.tm_execute });
    expect(asked()).to.have.length(1);
    expect((await caller.get(made.id)).executed_actions.map(({ id }) => id)).to.deep.equal([ACTION_START, queue.id]);
  });

  it('that waits for a sibling gets finish when the activeflow is stopped', async () => {
    const { caller, siblings } = get();
    const { made, open } = await slow();
    const waiting = caller.next(made.id, ACTION_START, 'waits');
    await siblings.until('queue', made.id);
    const stopped = await caller.ok<ActiveflowView>('POST', `/v1/activeflows/${made.id}/stop`);
    expect(stopped.status).to.equal('ended');
    open();
    expect((await waiting).id).to.equal(ACTION_FINISH);
    expect((await caller.next(made.id, ACTION_START, 'waits')).id).to.equal(ACTION_FINISH);
    expect((await caller.next(made.id)).id).to.equal(ACTION_FINISH);
    expect(await caller.get(made.id)).to.deep.equal(stopped);
  });

  it('lets the sibling that it asks call back before it answers', async () => {
    const { caller, siblings } = get();
    const pushed = action('talk', { text: '${said}' });
    const made = await caller.started([queue, talk]);
    siblings.script('queue', async ({ uri }) => {
      if (!uri.endsWith('queuecall')) return undefined;
      await caller.ok('POST', `/v1/variables/${made.id}/variables`, { variables: { said: 'by the queue' } });
      await caller.ok('POST', `/v1/activeflows/${made.id}/push_actions`, { actions: [pushed] });
      const child = await caller.activeflow({ id: NIL, customer_id: made.customer_id }, { reference_activeflow_id: made.id });
      expect((await caller.variables(child.id)).said).to.equal('by the queue');
      expect((await caller.get(made.id)).status).to.equal('running');
      return service([beep]);
    });
    const ids: string[] = [];
    for (let at = ACTION_START; at !== ACTION_FINISH; ids.push(at)) {
      const handed = await caller.next(made.id, at);
      if (handed.id === pushed.id) expect(handed.option).to.deep.equal({ text: 'by the queue' });
      at = handed.id;
    }
    expect(ids, 'what both pushed runs, then what follows').to.have.members([beep.id, pushed.id, talk.id, ACTION_FINISH]);
    expect(ids.slice(2)).to.deep.equal([talk.id, ACTION_FINISH]);
    const asked = siblings.of('queue', made.id).filter(({ uri }) => uri.endsWith('queuecall'));
    expect(asked, 'the answer in hand is kept').to.have.length(1);
  });

  it('goes through for all calls of one customer at once whose sibling calls back', async function () {
    this.timeout(40_000);
    const { caller, siblings, kind } = get();
    // The one process of an embedded daemon is this test's too.
    const count = kind === 'servers' ? 300 : 40;
    const flow = await caller.flow([queue, action('talk', { text: '${who}' })]);
    siblings.script('queue', async ({ uri, data }) => {
      if (!uri.endsWith('queuecall')) return undefined;
      const id = String(data.activeflow_id);
      await caller.ok('POST', `/v1/variables/${id}/variables`, { variables: { who: id } });
      return service([]);
    });
    const calls = await Promise.all(Array.from({ length: count }, () => caller.activeflow(flow)));
    const handed = await Promise.all(calls.map(({ id }) => caller.next(id)));
    expect(handed.map((one) => one.option?.text)).to.deep.equal(calls.map(({ id }) => id));
  });
});
