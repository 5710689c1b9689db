/** Histories as a daemon keeps them: asked for over the wire, whatever database they are in, and decided again. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import type { Json } from '../../pkg/model/json.ts';
import { type HistoryFile, parseHistory } from '../../pkg/service/history/file.ts';
import { replay } from '../../pkg/service/history/replay.ts';
import { action, type Caller } from '../support/caller.ts';
import { eventually } from '../support/inbox.ts';
import { service } from '../support/siblings.ts';
import { eachStage, type Stage } from '../support/stage.ts';

async function historyOf(caller: Caller, id: string): Promise<HistoryFile> {
  return parseHistory(await caller.ok<Json>('GET', `/v1/activeflows/${id}/history`));
}

/** Asks for one action after another until finish. */
async function toFinish(caller: Caller, id: string): Promise<number> {
  let asked = ACTION_START;
  for (let count = 0; ; count += 1) {
    const { id: next } = await caller.next(id, asked);
    if (next === ACTION_FINISH) return count;
    asked = next;
  }
}

function expectEqual(file: HistoryFile): void {
  expect(replay(file)).to.deep.equal({ decisions: file.records.length });
  expect(file.complete).to.equal(true);
}

const joining = () => action('queue_join', { queue_id: randomUUID() });

eachStage(
  'with --history=all, a history',
  (get) => {
    it('is decided the same again: many steps, other lists, changes in between, a restart', async function () {
      this.timeout(60_000);
      const stage: Stage = get();
      const { caller, siblings } = stage;
      siblings.script('queue', (asked) =>
        asked.uri.endsWith('queuecall')
          ? service([action('talk', { text: 'waits' }), action('talk', { text: 'still' })])
          : undefined,
      );
      const other = await caller.flow([action('talk', { text: 'other' }), action('variable_set', { key: 'x', value: '${y}' })]);
      const start = action('talk', { text: 'hi' });
      const { id } = await caller.started(
        [
          start,
          joining(),
          action('goto', { target_id: start.id, loop_count: 4 }),
          action('fetch_flow', { flow_id: other.id }),
          action('talk', { text: '${x} ${voipbin.flow.reference_data}' }),
        ],
        { customer_id: other.customer_id },
      );
      await caller.next(id);
      await caller.ok('POST', `/v1/variables/${id}/variables`, { variables: { y: 'secret' } });
      await caller.ok('POST', `/v1/activeflows/${id}/push_actions`, { actions: [action('talk', { text: 'pushed' })] });
      const { id: pushed } = await caller.next(id, start.id);
      await stage.restart();
      let asked = pushed;
      while (asked !== ACTION_FINISH) asked = (await caller.next(id, asked)).id;
      const file = await historyOf(caller, id);
      expectEqual(file);
      // Longer than what stays in the row: the rest was read from rows of its own.
      expect(file.records.length).to.be.greaterThan(16);
      expect(Object.keys(file.lists)).to.have.length(2);
    });

    it('of a flow that runs by itself, and of the one that follows it', async () => {
      const { caller } = get();
      const after = await caller.flow([action('variable_set', { key: 'z', value: '${x}' })]);
      const flow = await caller.flow([action('variable_set', { key: 'x', value: 1 }), action('sleep', { duration: 10 })], {
        customer_id: after.customer_id,
        on_complete_flow_id: after.id,
      });
      const { id } = await caller.activeflow(flow, { reference_type: 'api' });
      await caller.ok('POST', `/v1/activeflows/${id}/execute`);
      const followUps = () =>
        caller.ok<{ id: string; status: string }[]>('GET', '/v1/activeflows', { reference_activeflow_id: id });
      await eventually('the one that follows ends', async () => (await followUps())[0]?.status === 'ended');
      const [child] = await followUps();
      const file = await historyOf(caller, id);
      expectEqual(file);
      expect(file.records.at(-1)?.decided.follow_up).to.equal(child?.id);
      const second = await historyOf(caller, child?.id ?? '');
      expectEqual(second);
      expect(second.records[0]?.input.kind).to.equal('follow_up');
    });
  },
  { history: 'all' },
);

eachStage(
  'with --history=failed, a history',
  (get) => {
    it('is kept of an end with an error, and of no other', async () => {
      const { caller, siblings } = get();
      const actions = Array.from({ length: 12 }, () => action('talk', { text: 'hi' }));
      const good = await caller.started(actions);
      expect(await toFinish(caller, good.id)).to.equal(12);
      const uri = `/v1/activeflows/${good.id}/history`;
      expect(await caller.refused(404, 'GET', uri)).to.include({ reason: 'HISTORY_NOT_KEPT' });
      siblings.script('queue', () => ({ error: 500 }));
      const bad = await caller.started([...actions, joining()]);
      await toFinish(caller, bad.id).catch(() => undefined);
      expect((await caller.get(bad.id)).status).to.equal('ended');
      const file = await historyOf(caller, bad.id);
      expectEqual(file);
      expect(file.trace.at(-1)).to.include({ outcome: 'failed' });
    });
  },
  { history: 'failed' },
);

eachStage('without --history, a history', (get) => {
  it('is not kept', async () => {
    const { caller } = get();
    const { id } = await caller.started([action('talk', { text: 'hi' })]);
    await toFinish(caller, id);
    const error = await caller.refused(404, 'GET', `/v1/activeflows/${id}/history`);
    expect(error).to.include({ reason: 'HISTORY_NOT_KEPT' });
    expect(await caller.refused(404, 'GET', `/v1/activeflows/${randomUUID()}/history`)).not.to.include({ reason: error.reason });
  });
});
