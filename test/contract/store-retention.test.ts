import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import type { Activeflow } from '../../pkg/model/activeflow.ts';
import type { Flow } from '../../pkg/model/flow.ts';
import type { Cleared, Store } from '../../pkg/service/ports.ts';
import { linesOf, sampleActiveflow, sampleFlow, sampleHistoryRecord, sampleTraceStep } from '../support/samples.ts';
import { eachStore, type Workbench } from '../support/stores.ts';

const DAY_MS = 86_400_000;
const OLD = '2020-01-01T00:00:00.000001Z';
const ACTIONS = [{ id: uuidv7(), type: 'answer' }];

function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().replace('Z', '000Z');
}

/** All steps of a pass; how many rows went, and in how many steps. */
async function pass(step: (after: string) => Promise<Cleared>): Promise<{ count: number; steps: number }> {
  let count = 0;
  for (let steps = 1, after = ''; ; steps += 1) {
    const cleared = await step(after);
    count += cleared.count;
    if (cleared.next === null) return { count, steps };
    after = cleared.next;
  }
}

async function ended(store: Store, changes: Partial<Activeflow> = {}): Promise<Activeflow> {
  const row = sampleActiveflow({ status: 'ended', tm_create: OLD, tm_update: OLD, ...changes });
  expect(await store.activeflows.create(row)).to.equal(true);
  return row;
}

async function storedFlow(store: Store, changes: Partial<Flow> = {}): Promise<Flow> {
  const flow = sampleFlow(changes);
  await store.lists.put(flow.customer_id, flow.list, ACTIONS);
  expect(await store.flows.commit({ flow, new_version: true, events: [] })).to.equal(true);
  return flow;
}

async function clear(bench: Workbench): Promise<void> {
  for (const table of ['activeflows', 'trace_steps', 'flows', 'flow_versions', 'action_lists', 'redeliveries', 'flow_answers'])
    await bench.sql(`delete from ${table}`);
}

async function age(bench: Workbench, table: string, column: string): Promise<void> {
  await bench.sql(`update ${table} set ${column} = '2020-01-01 00:00:00.000001'`);
}

eachStore('retention', (get) => {
  beforeEach(() => clear(get().bench));

  it('of ended activeflows: old ones that have published everything, with traces and lists', async () => {
    const { store } = get();
    const [gone, running, recent, unsettled, last] = [
      await ended(store),
      await ended(store, { status: 'running' }),
      await ended(store, { tm_update: daysAgo(1) }),
      await ended(store, { outbox: { events: [{ seq: 1, type: 'activeflow_updated' }], trace: [] } }),
      await ended(store, { tm_update: null }),
    ];
    for (const { id } of [gone, running, last]) {
      await store.activeflows.addTrace(Array.from({ length: 450 }, (_, n) => ({ id, trace: linesOf(sampleTraceStep(n + 1)) })));
      await store.lists.put(id, 'own', ACTIONS);
      await store.histories.add(id, [sampleHistoryRecord(1)]);
    }
    const { count } = await pass((after) => store.retention.endedActiveflows(2 * DAY_MS, after, 25));
    expect(count).to.equal(2);
    for (const { id } of [gone, last]) {
      expect(await store.activeflows.get(id)).to.equal(undefined);
      expect(await store.activeflows.trace(id)).to.deep.equal([]);
      expect(await store.lists.get(id, 'own')).to.equal(undefined);
      expect(await store.histories.get(id)).to.deep.equal([]);
    }
    for (const { id } of [running, recent, unsettled]) expect((await store.activeflows.get(id))?.id).to.equal(id);
    expect(await store.activeflows.trace(running.id)).to.have.length(450);
    expect(await store.lists.get(running.id, 'own')).not.to.equal(undefined);
  });

  it('goes on behind what must stay, however many that are, and whatever their time', async () => {
    const { store } = get();
    for (let n = 0; n < 7; n += 1) await ended(store, { status: 'running' });
    for (let n = 0; n < 7; n += 1) await ended(store);
    const { count, steps } = await pass((after) => store.retention.endedActiveflows(DAY_MS, after, 3));
    expect({ count, steps }).to.deep.equal({ count: 7, steps: 5 });
  });

  it('by two at once deletes everything once', async () => {
    const { store, bench } = get();
    await Promise.all(Array.from({ length: 40 }, () => ended(store)));
    const counts = await Promise.all(
      [store, bench.open()].map((one) => pass((after) => one.retention.endedActiveflows(DAY_MS, after, 10))),
    );
    expect(counts.reduce((sum, { count }) => sum + count, 0)).to.equal(40);
  });

  it('of temporary flows: expired ones with their versions, but none that an activeflow names', async () => {
    const { store } = get();
    const temporary = { persist: false, tm_expire: OLD };
    const [gone, used, fresh, persistent] = [
      await storedFlow(store, temporary),
      await storedFlow(store, temporary),
      await storedFlow(store, { ...temporary, tm_expire: daysAgo(1) }),
      await storedFlow(store),
    ];
    await ended(store, { flow_id: used.id });
    expect((await pass((after) => store.retention.temporaryFlows(2 * DAY_MS, after, 1))).count).to.equal(1);
    expect(await store.flows.get(gone.id)).to.equal(undefined);
    expect(await store.flows.versions(gone.id)).to.deep.equal([]);
    for (const { id } of [used, fresh, persistent]) expect(await store.flows.versions(id)).to.have.length(1);
  });

  it('of lists: those that nothing names and that were not used lately', async () => {
    const { store, bench } = get();
    const flow = await storedFlow(store, { list: 'named' });
    const row = await ended(store);
    await store.lists.put(row.id, 'own', ACTIONS);
    await store.lists.put(flow.customer_id, 'unnamed', ACTIONS);
    await store.lists.put(flow.customer_id, 'kept', ACTIONS);
    await store.lists.put('nobody', 'orphan', ACTIONS);
    await age(bench, 'action_lists', 'tm_used');
    await store.lists.put(flow.customer_id, 'recent', ACTIONS);
    await store.lists.use(flow.customer_id, 'kept', 3_600_000);
    expect((await pass((after) => store.retention.unusedLists(DAY_MS, after, 2))).count).to.equal(2);
    expect(await store.lists.get(flow.customer_id, 'unnamed')).to.equal(undefined);
    expect(await store.lists.get('nobody', 'orphan')).to.equal(undefined);
    for (const key of ['named', 'kept', 'recent'])
      expect(await store.lists.get(flow.customer_id, key), key).not.to.equal(undefined);
    expect(await store.lists.get(row.id, 'own')).not.to.equal(undefined);
  });

  it('lets a list be that an older release wrote, until it is known how long nobody used it', async () => {
    const { store, bench } = get();
    await store.lists.put('nobody', 'old', ACTIONS);
    await bench.sql('update action_lists set tm_used = null');
    expect((await pass((after) => store.retention.unusedLists(DAY_MS, after, 2))).count).to.equal(0);
    await age(bench, 'action_lists', 'tm_used');
    expect((await pass((after) => store.retention.unusedLists(DAY_MS, after, 2))).count).to.equal(1);
  });

  it('never takes a list from a flow that is made of it at that moment', async () => {
    const { store, bench } = get();
    const other = bench.open();
    const customer_id = uuidv7();
    const rounds = Array.from({ length: 30 }, (_, n) => createHash('sha256').update(String(n)).digest('hex'));
    for (const list of rounds) await store.lists.put(customer_id, list, ACTIONS);
    await age(bench, 'action_lists', 'tm_used');
    let clearing = true;
    const clearer = (async () => {
      while (clearing) await pass((after) => other.retention.unusedLists(DAY_MS, after, 5));
    })();
    const flows = await Promise.all(rounds.map((list) => storedFlow(store, { customer_id, list })));
    clearing = false;
    await clearer;
    for (const { list } of flows) expect(await store.lists.get(customer_id, list)).not.to.equal(undefined);
  });

  it('never takes back the time until which a list is needed', async () => {
    const { store, bench } = get();
    await store.lists.put('somebody', 'list', ACTIONS);
    await store.lists.use('somebody', 'list', DAY_MS);
    const used = async () => (await bench.sql('select tm_used from action_lists'))[0]?.tm_used;
    const until = await used();
    await store.lists.put('somebody', 'list', ACTIONS);
    await store.lists.use('somebody', 'list', 1);
    expect(await used()).to.equal(until);
  });

  it('of answers whose hour is over, and of counts of redeliveries', async () => {
    const { store, bench } = get();
    for (const key of ['a', 'b', 'c'])
      await store.flows.commit({
        flow: sampleFlow(),
        new_version: false,
        events: [],
        answer: { key, status_code: 200, data: {} },
      });
    expect(await store.retention.flowAnswers(2)).to.deep.equal({ count: 0, next: null });
    await age(bench, 'flow_answers', 'expires_at');
    expect((await pass(() => store.retention.flowAnswers(2))).count).to.equal(3);
    for (const id of ['a', 'b', 'c']) await store.redeliveries.count(id);
    expect((await pass((after) => store.retention.redeliveries(DAY_MS, after, 2))).count).to.equal(0);
    await age(bench, 'redeliveries', 'tm_update');
    await store.redeliveries.count('b');
    expect((await pass((after) => store.retention.redeliveries(DAY_MS, after, 2))).count).to.equal(2);
    expect(await store.redeliveries.count('b')).to.equal(3);
  });
});

eachStore('leases', (get) => {
  it('are one holder’s until they run out', async () => {
    const { store, bench } = get();
    const other = bench.open();
    const taken = await Promise.all([store.leases.take('x', 'a', 60_000), other.leases.take('x', 'b', 60_000)]);
    expect(taken.filter(Boolean)).to.have.length(1);
    const [holder, waiting] = taken[0] ? (['a', 'b'] as const) : (['b', 'a'] as const);
    expect(await store.leases.take('x', holder, 10)).to.equal(true);
    while (!(await other.leases.take('x', waiting, 60_000)));
    expect(await store.leases.take('x', holder, 60_000)).to.equal(false);
  });
});

eachStore('erasures', (get) => {
  it('are claimed by one, wait for their time, and end', async () => {
    const { store, bench } = get();
    const { erasures } = store;
    await erasures.add('one');
    await erasures.add('one');
    expect(await erasures.pending()).to.equal(1);
    const claims = await Promise.all([erasures.claim(60_000), bench.open().erasures.claim(60_000)]);
    expect(claims.filter(Boolean)).to.have.length(1);
    expect(claims.find(Boolean)?.customer_id).to.equal('one');
    await erasures.again('one', 0);
    expect((await erasures.claim(60_000))?.customer_id).to.equal('one');
    expect(await erasures.claim(60_000)).to.equal(undefined);
    await erasures.done('one');
    expect(await erasures.pending()).to.equal(0);
  });

  it('erase what is one customer’s, once it is ended, deleted and published', async () => {
    const { store } = get();
    const customer_id = uuidv7();
    const gone = await ended(store, { customer_id });
    const running = await ended(store, { customer_id, status: 'running' });
    const other = await ended(store);
    const deleted = await storedFlow(store, { customer_id, tm_delete: OLD, list: 'l-1' });
    const alive = await storedFlow(store, { customer_id, list: 'l-2' });
    const others = await storedFlow(store, { tm_delete: OLD });
    expect(await store.erasures.activeflows(customer_id, 10)).to.deep.equal({ erased: 1, left: true });
    expect(await store.erasures.flows(customer_id, 10)).to.equal(1);
    expect((await store.erasures.lists(customer_id, 10)).sort()).to.deep.equal(['l-1', 'l-2']);
    expect(await store.erasures.lists(customer_id, 10)).to.deep.equal([]);
    expect(await store.activeflows.get(gone.id)).to.equal(undefined);
    expect(await store.flows.get(deleted.id)).to.equal(undefined);
    for (const { id } of [running, other]) expect((await store.activeflows.get(id))?.id).to.equal(id);
    for (const { id } of [alive, others]) expect((await store.flows.get(id))?.id).to.equal(id);
    expect(await store.lists.get(others.customer_id, others.list)).not.to.equal(undefined);
  });
});
