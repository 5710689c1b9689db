import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import type { Activeflow } from '../../pkg/model/activeflow.ts';
import type { Participant } from '../../pkg/model/participant.ts';
import type { JobWait, Store } from '../../pkg/service/ports.ts';
import { following, sampleActiveflow } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

const LATER = '2030-01-02T03:04:05.000000Z';

/** A job under way, and its entry. */
interface Running {
  readonly job: Activeflow;
  readonly wait: JobWait;
}

async function start(store: Store, name = 'who'): Promise<Running> {
  const job = sampleActiveflow();
  const participant: Participant = { customer_id: uuidv7(), reference_type: 'call', reference_id: uuidv7() };
  const value = { status: 'ONGOING', id: job.id };
  await store.activeflows.create(job, [{ participant, key: `job.${name}`, value, from: 0, job_id: job.id }]);
  return { job, wait: { participant, name, id: job.id } };
}

/** An activeflow that is due later. */
async function waiter(store: Store): Promise<Activeflow> {
  const row = sampleActiveflow({ wake_at: LATER });
  await store.activeflows.create(row);
  return row;
}

const commitWaiting = ({ activeflows }: Store, row: Activeflow, waits: readonly JobWait[], left: readonly JobWait[] = []) =>
  activeflows.commit({ next: following(row, { wake_at: LATER }), variables_changed: false, jobs: { waits, left } });

const end = ({ activeflows }: Store, { job, wait }: Running) => {
  const value = { status: 'SUCCESS', id: job.id, result: null };
  const participants = [{ participant: wait.participant, key: `job.${wait.name}`, value, of_job: job.id }];
  return activeflows.commit({ next: following(job, { status: 'ended' }), variables_changed: false, participants });
};

const isDue = async ({ activeflows }: Store, { id }: Activeflow) => ((await activeflows.get(id))?.wake_at ?? LATER) < LATER;

eachStore('who waits for a job', (get) => {
  const waiting = ({ participant, name }: JobWait) => get().store.participants.waiting(participant, `job.${name}`);

  it('is due by the commit that ends it, once, whoever waits', async () => {
    const { store } = get();
    const running = await start(store);
    const rows = [await waiter(store), await waiter(store)];
    for (const row of rows) expect(await commitWaiting(store, row, [running.wait])).to.equal(true);
    expect(await waiting(running.wait)).to.deep.equal(rows.map(({ id }) => id));
    for (const row of rows) expect(await isDue(store, row)).to.equal(false);
    expect(await end(store, running)).to.equal(true);
    for (const row of rows) expect(await isDue(store, row)).to.equal(true);
    expect((await store.activeflows.get(rows[0]?.id ?? ''))?.revision, 'that is no revision of its own').to.equal(2);
  });

  it('stands there once, however often it commits, until it leaves', async () => {
    const { store } = get();
    const running = await start(store);
    const row = await waiter(store);
    await commitWaiting(store, row, [running.wait]);
    await commitWaiting(store, following(row), [running.wait]);
    expect(await waiting(running.wait)).to.deep.equal([row.id]);
    await commitWaiting(store, following(following(row)), [], [running.wait]);
    expect(await waiting(running.wait)).to.deep.equal([]);
    await end(store, running);
    expect(await isDue(store, row)).to.equal(false);
  });

  it('is due at once when the job is over, is another one, or is gone', async () => {
    const { store } = get();
    const over = await start(store);
    await end(store, over);
    const other = await start(store);
    for (const wait of [over.wait, { ...other.wait, id: uuidv7() }, { ...other.wait, name: 'nobody' }]) {
      const row = await waiter(store);
      expect(await commitWaiting(store, row, [wait])).to.equal(true);
      expect(await isDue(store, row), wait.name).to.equal(true);
    }
    expect(await waiting(over.wait)).to.deep.equal([]);
  });

  it('that loses its race waits for nothing', async () => {
    const { store } = get();
    const running = await start(store);
    const row = await waiter(store);
    expect(await commitWaiting(store, following(row), [running.wait])).to.equal(false);
    expect(await waiting(running.wait)).to.deep.equal([]);
  });

  it('that has ended is not due any more', async () => {
    const { store } = get();
    const running = await start(store);
    const row = await waiter(store);
    await commitWaiting(store, row, [running.wait]);
    await store.activeflows.commit({ next: following(following(row), { status: 'ended' }), variables_changed: false });
    await end(store, running);
    expect((await store.activeflows.get(row.id))?.wake_at).to.equal(null);
  });

  it('keeps the entry from being forgotten; who starts another job of that name begins with nobody', async () => {
    const { store, bench } = get();
    const running = await start(store);
    const row = await waiter(store);
    await commitWaiting(store, row, [running.wait]);
    const { participant } = running.wait;
    await bench.sql('update participants set tm_update = ? where customer_id = ?', [
      '2020-01-01 00:00:00.000000',
      participant.customer_id,
    ]);
    expect(await store.participants.forget(60_000, 100)).to.equal(0);
    await end(store, running);
    await store.participants.write({ participant, key: 'job.who', value: { status: 'ONGOING' }, job_id: uuidv7() });
    expect(await waiting(running.wait)).to.deep.equal([]);
  });

  it('never misses the end, whichever of both commits is first', async function () {
    this.timeout(30_000);
    const { store, bench } = get();
    const other = bench.open();
    for (let turn = 0; turn < 20; turn += 1) {
      const running = await start(store);
      const rows = await Promise.all(Array.from({ length: 5 }, () => waiter(store)));
      const commits = rows.map((row, at) => commitWaiting(at % 2 ? other : store, row, [running.wait]));
      const results = await Promise.all([...commits, end(turn % 2 ? other : store, running)]);
      expect(results).to.deep.equal(results.map(() => true));
      for (const row of rows) expect(await isDue(store, row)).to.equal(true);
    }
  });
});
