/**
 * Promise 8: two processes never advance one activeflow together, and nothing waits holding a lock. The owner of a
 * walk is paused until another has taken it over, and its late write is refused; callers whose sibling calls back
 * before it answers all go through.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_START } from '../../pkg/model/id.ts';
import type { JsonObject } from '../../pkg/model/json.ts';
import { action } from '../support/caller.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { eventually, gate } from '../support/inbox.ts';
import { eachOf } from '../support/load.ts';
import { metricOf } from '../support/process-figures.ts';

const CONNECTS = 500;
const AT_ONCE = 100;
const phone = (target: string) => ({ type: 'tel', target });

onFaultStage('the owner of a walk', (get) => {
  it('paused until another has taken over: its late write is refused, one effect', async function () {
    this.timeout(60_000);
    const stage = get();
    const { caller, siblings } = stage;
    const owner = await stage.run();
    const spare = stage.load();
    const last = action('talk', { text: 'last' });
    const send = action('message_send', { destinations: [phone('+1')], text: '${voipbin.activeflow.id}/once' });
    const { id } = await caller.started([send, last]);
    // Both copies of the request get the one answer: the owner's while it sleeps, the other's to go on with.
    const answered = gate();
    siblings.script('message', async () => {
      await answered.opened;
      return { data: { id: randomUUID() } };
    });
    const answer = caller.next(id, ACTION_START, randomUUID());
    await siblings.until('message', id);
    owner.signal('SIGSTOP');
    const other = await stage.run(spare);
    await eventually('the other asks too', () => siblings.of('message', id).length === 2, 15_000);
    answered.open();
    await eventually('the other has handed over', async () => {
      const [row] = await stage.sql<{ has_run: number }>('SELECT has_run FROM activeflows WHERE id = ?', [id]);
      return row?.has_run === 0;
    });
    const before = await stage.sql('SELECT revision, state FROM activeflows WHERE id = ?', [id]);
    owner.signal('SIGCONT');
    const ready = await owner.ready;
    await eventually(
      'the late write is refused',
      async () => (await metricOf(ready, 'flow_manager_commit_conflict_total')) === 1,
    );
    expect((await answer).id, 'what the caller is told').equal(last.id);
    expect(await stage.sql('SELECT revision, state FROM activeflows WHERE id = ?', [id])).deep.equal(before);
    expect(new Set(siblings.of('message', id).map((asked) => asked.request_id)).size, 'request ids').equal(1);
    const outcomes = (await caller.trace(id)).map((line) => line.outcome);
    expect(outcomes).deep.equal(['run', 'handed_over']);
    await Promise.all([owner.kill(), other.kill()]);
  });

  it(`${CONNECTS} connects whose call-manager first calls back all go through`, async function () {
    this.timeout(120_000);
    const stage = get();
    const { caller, siblings, oracle } = stage;
    oracle.attach(siblings);
    // One daemon, which nobody relieves of a walk however slow the machine is.
    await stage.run(stage.load({ lease_ms: 60_000 }));
    const owners = new Map<string, string>();
    const made = new Set<string>();
    siblings.script('call', async ({ uri, data, request_id }) => {
      if (uri === '/v1/confbridges') owners.set(String(data.reference_id), String(data.activeflow_id));
      if (uri !== '/v1/calls') return undefined;
      const owner = owners.get(String(data.master_call_id)) ?? '';
      const { id } = await caller.ok<{ id: string }>('POST', '/v1/activeflows', callOf(data), `${request_id}/call`);
      made.add(id);
      await caller.ok('POST', `/v1/variables/${owner}/variables`, { variables: { called: id } }, randomUUID());
      return undefined;
    });
    const flow = await caller.flow([action('connect', { source: phone('+1'), destinations: [phone('+2')] })]);
    const waits = await lockWaits();
    const began = performance.now();
    const ids = await eachOf(Array.from({ length: CONNECTS }), 20, async () => (await caller.activeflow(flow)).id);
    const times = await eachOf(ids, AT_ONCE, async (id) => {
      const since = performance.now();
      const next = await caller.next(id, ACTION_START, randomUUID());
      expect(next.type).equal('confbridge_join');
      expect((await caller.variables(id)).called, 'what was set meanwhile').not.equal(undefined);
      return performance.now() - since;
    });
    const waited = await lockWaits();
    times.sort((a, b) => a - b);
    console.log(`    ${CONNECTS} in ${Math.round(performance.now() - began)} ms, ${AT_ONCE} at once,`);
    console.log(
      `    slowest ${Math.round(times.at(-1) ?? 0)} ms, lock waits ${waited.count - waits.count} of ${waited.ms - waits.ms} ms`,
    );
    expect(made.size).equal(CONNECTS);
    expect(stage.client.refused, 'refused').deep.equal([]);
  });

  async function lockWaits(): Promise<{ count: number; ms: number }> {
    const rows = await get().sql<{ Variable_name: string; Value: string }>("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock%'");
    const of = (name: string) => Number(rows.find((row) => row.Variable_name === name)?.Value);
    return { count: of('Innodb_row_lock_waits'), ms: of('Innodb_row_lock_time') };
  }
});

function callOf({ customer_id, flow_id }: JsonObject): JsonObject {
  return { customer_id: customer_id ?? '', flow_id: flow_id ?? '', reference_type: 'call', reference_id: randomUUID() };
}
