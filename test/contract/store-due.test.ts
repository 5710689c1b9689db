import { expect } from 'chai';
import type { Activeflow, Run } from '../../pkg/model/activeflow.ts';
import type { Store } from '../../pkg/service/ports.ts';
import { following, sampleActiveflow, sampleState } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

const PAST = '2020-01-01T00:00:00.000001Z';
const EVENTS = { events: [{ seq: 1, type: 'activeflow_updated' as const }], trace: [] };
const RUN: Run = { kind: 'execute', asked: '', key: '', steps: 0, stage: 'walking' };

function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString().replace('Z', '000Z');
}

async function stored(store: Store, changes: Partial<Activeflow> = {}): Promise<Activeflow> {
  const activeflow = sampleActiveflow(changes);
  expect(await store.activeflows.create(activeflow)).to.equal(true);
  return activeflow;
}

async function claim(store: Store, limit: number, lease_ms: number): Promise<string[]> {
  return (await store.activeflows.claimDue(limit, lease_ms)).map(({ id }) => id);
}

/** Claims until something is there: leases run out by the database's clock. */
async function claimSome(store: Store): Promise<string[]> {
  for (;;) {
    const ids = await claim(store, 100, 60_000);
    if (ids.length > 0) return ids;
  }
}

eachStore('due activeflows', (get) => {
  beforeEach(() => get().bench.sql('delete from activeflows'));

  it('are those whose time has come, by timer or deadline, and that run', async () => {
    const { store } = get();
    const timer = await stored(store, { wake_at: PAST });
    const deadline = await stored(store, { wake_at: inMs(60_000), deadline_at: PAST });
    const onlyDeadline = await stored(store, { deadline_at: PAST });
    await stored(store, { wake_at: PAST, status: 'ended' });
    await stored(store, { wake_at: inMs(60_000), deadline_at: inMs(90_000) });
    await stored(store);
    const claimed = await claim(store, 100, 60_000);
    expect(claimed).to.have.members([timer.id, deadline.id, onlyDeadline.id]);
    expect(await claim(store, 100, 60_000)).to.deep.equal([]);
    expect((await store.activeflows.get(timer.id))?.revision).to.equal(1);
    expect((await store.activeflows.get(deadline.id))?.deadline_at).to.equal(PAST);
  });

  it('are claimed as they are, with the revision that is due', async () => {
    const { store } = get();
    const row = await stored(store, { wake_at: PAST });
    await store.activeflows.commit({ next: following(row, { wake_at: PAST }), variables_changed: false });
    expect(await store.activeflows.claimDue(10, 60_000)).to.deep.equal([{ id: row.id, revision: row.revision + 1 }]);
  });

  it('are claimed oldest first, as many as asked for', async () => {
    const { store } = get();
    for (let n = 9; n > 0; n -= 1) await stored(store, { wake_at: `2020-01-0${n}T00:00:00.000000Z`, user_id: n });
    const order: (number | undefined)[] = [];
    for (let n = 0; n < 9; n += 1) {
      const [id = ''] = await claim(store, 1, 60_000);
      order.push((await store.activeflows.get(id))?.user_id);
    }
    expect(order).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('are given to one of several that claim at once', async () => {
    const { store, bench } = get();
    await Promise.all(Array.from({ length: 120 }, () => stored(store, { wake_at: PAST })));
    const stores = [store, bench.open(), bench.open()];
    const claims = await Promise.all(Array.from({ length: 30 }, (_, n) => claim(stores[n % 3] ?? store, 10, 60_000)));
    const ids = [...claims.flat(), ...(await claim(store, 200, 60_000))];
    expect(ids).to.have.lengthOf(120);
    expect(new Set(ids).size).to.equal(120);
  });

  it('come again when the lease has run out', async () => {
    const { store } = get();
    const { id } = await stored(store, { wake_at: PAST });
    expect(await claim(store, 10, 100)).to.deep.equal([id]);
    expect(await claim(store, 10, 100)).to.deep.equal([]);
    expect(await claimSome(store)).to.deep.equal([id]);
  });

  it('do not come again once a commit has moved or cleared their time', async () => {
    const { store } = get();
    const cleared = await stored(store, { wake_at: PAST });
    const ended = await stored(store, { wake_at: PAST });
    await store.activeflows.commit({ next: following(cleared, { wake_at: null }), variables_changed: false });
    await store.activeflows.commit({ next: following(ended, { status: 'ended' }), variables_changed: false });
    expect(await claim(store, 10, 60_000)).to.deep.equal([]);
    expect((await store.activeflows.get(ended.id))?.wake_at).to.equal(null);
  });

  it('keep away for as long as their run is renewed, and only while a run is stored', async () => {
    const { store } = get();
    const running = await stored(store, { wake_at: PAST, state: sampleState({ run: RUN }) });
    const waiting = await stored(store, { wake_at: PAST });
    const deadline_at = inMs(30_000);
    const limited = await stored(store, { wake_at: PAST, deadline_at, state: sampleState({ run: RUN }) });
    const paused = { ...RUN, retry: { failed: 1, attempt: 1, due: PAST } };
    const pausing = await stored(store, { wake_at: PAST, state: sampleState({ run: paused }) });
    await store.activeflows.renew([running.id, waiting.id, limited.id, pausing.id], 60_000);
    await store.activeflows.renew([], 60_000);
    expect(await claim(store, 10, 60_000)).to.have.members([waiting.id, pausing.id]);
    const renewed = await store.activeflows.get(running.id);
    expect(Date.parse(renewed?.wake_at ?? '') - Date.now()).to.be.within(50_000, 61_000);
    expect(renewed?.revision).to.equal(1);
    // A renewed lease does not hide a deadline that comes before its end.
    expect((await store.activeflows.get(limited.id))?.wake_at).to.equal(deadline_at);

    const done = following(running, { wake_at: PAST, state: sampleState({ run: null }) });
    await store.activeflows.commit({ next: done, variables_changed: false });
    await store.activeflows.renew([running.id], 60_000);
    expect(await claim(store, 10, 60_000)).to.deep.equal([running.id]);
  });

  it('are counted, with the age of the oldest', async () => {
    const { store } = get();
    expect(await store.activeflows.backlog()).to.deep.equal({ unsettled: 0, unsettled_age_ms: 0, due: 0, due_age_ms: 0 });
    await stored(store, { wake_at: inMs(-5000) });
    await stored(store, { wake_at: inMs(-1000), outbox: EVENTS });
    const backlog = await store.activeflows.backlog();
    expect(backlog).to.include({ unsettled: 1, due: 2 });
    expect(backlog.due_age_ms).to.be.within(4900, 9000);
    expect(backlog.unsettled_age_ms).to.be.within(0, 3000);
  });
});

eachStore('unpublished events of activeflows', (get) => {
  beforeEach(() => get().bench.sql('delete from activeflows'));

  it('are found by the sweep until they are settled at the revision that was published', async () => {
    const { store } = get();
    const created = await stored(store, { outbox: EVENTS });
    const quiet = await stored(store);
    const updated = following(quiet, { outbox: EVENTS });
    await store.activeflows.commit({ next: updated, variables_changed: false });
    expect(await store.activeflows.unsettled(0, 10)).to.have.deep.members([created, updated]);
    expect(await store.activeflows.unsettled(60_000, 10)).to.deep.equal([]);
    // Since when is kept in steps of some seconds: which of two young ones comes first is not said.
    expect(await store.activeflows.unsettled(0, 1)).to.have.lengthOf(1);

    await store.activeflows.settled([
      { id: created.id, revision: 1 },
      { id: updated.id, revision: 1 },
    ]);
    expect(await store.activeflows.unsettled(0, 10)).to.deep.equal([updated]);
    await store.activeflows.settled([{ id: updated.id, revision: 2 }]);
    expect(await store.activeflows.unsettled(0, 10)).to.deep.equal([]);
    expect((await store.activeflows.get(updated.id))?.revision).to.equal(2);
  });

  it('are settled by a commit that leaves none', async () => {
    const { store } = get();
    const row = await stored(store, { outbox: EVENTS });
    await store.activeflows.commit({ next: following(row, { outbox: { events: [], trace: [] } }), variables_changed: false });
    expect(await store.activeflows.unsettled(0, 10)).to.deep.equal([]);
  });

  it('are settled by the hundred', async () => {
    const { store } = get();
    const rows = await Promise.all(Array.from({ length: 450 }, () => stored(store, { outbox: EVENTS })));
    await store.activeflows.settled(rows.slice(1));
    expect(await store.activeflows.unsettled(0, 1000)).to.deep.equal([rows[0]]);
  });
});
