import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import type { Activeflow } from '../../pkg/model/activeflow.ts';
import type { Page, Store } from '../../pkg/service/ports.ts';
import { failureOf } from '../support/failure.ts';
import { following, linesOf, sampleActiveflow, sampleState, sampleTraceStep } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

const TIME = '2026-11-21T08:45:10.947195Z';
const HOUR_MS = 3_600_000;

function ago(ms: number): string {
  return new Date(Date.now() - ms).toISOString().replace('Z', '123Z');
}

async function stored(store: Store, changes: Partial<Activeflow> = {}): Promise<Activeflow> {
  const activeflow = sampleActiveflow(changes);
  expect(await store.activeflows.create(activeflow)).to.equal(true);
  return activeflow;
}

eachStore('activeflows', (get) => {
  it('gives back what was stored', async () => {
    const { store } = get();
    const full = await stored(store, {
      user_id: 17,
      reference_type: 'conversation',
      reference_id: 'any id of theirs ',
      reference_activeflow_id: uuidv7(),
      on_complete_flow_id: uuidv7(),
      fallback_flow_id: uuidv7(),
      create_key: `amq.rabbitmq.reply-to.${'x'.repeat(900)}`,
      revision: 3,
      state: sampleState({ step: 3, loops: { 'a/b': 2 }, error: { status: 'INTERNAL', reason: 'X', message: '\u{1F525}' } }),
      variables: { text: `quotes ' " \\ \0 \u{1F44B}`, number: 1.5, deep: { list: [null, true, { a: '' }] }, lone: '\ud800' },
      outbox: { events: [{ seq: 1, type: 'activeflow_created' }], trace: linesOf(sampleTraceStep(1)) },
      tm_create: TIME,
      tm_update: TIME,
      tm_delete: TIME,
      wake_at: '2026-11-21T08:45:10.000001Z',
      deadline_at: '2026-11-22T08:45:10.000001Z',
    });
    expect(await store.activeflows.get(full.id)).to.deep.equal(full);
    const plain = await stored(store);
    expect(await store.activeflows.get(plain.id)).to.deep.equal(plain);
    expect(await store.activeflows.get(uuidv7())).to.equal(undefined);
  });

  it('is made once by id', async () => {
    const { store, bench } = get();
    const activeflow = sampleActiveflow();
    const stores = [store, bench.open(), bench.open()];
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, n) => (stores[n % 3] ?? store).activeflows.create({ ...activeflow, flow_id: uuidv7() })),
    );
    expect(made.filter((one) => one)).to.have.lengthOf(1);
  });

  it('is made once by key, and found by it', async () => {
    const { store, bench } = get();
    const create_key = uuidv7();
    const stores = [store, bench.open(), bench.open()];
    const tries = Array.from({ length: 12 }, () => sampleActiveflow({ create_key }));
    const made = await Promise.all(tries.map((one, n) => (stores[n % 3] ?? store).activeflows.create(one)));
    expect(made.filter((one) => one)).to.have.lengthOf(1);
    expect(await store.activeflows.byCreateKey(create_key)).to.deep.equal(tries[made.indexOf(true)]);
    expect(await store.activeflows.byCreateKey(create_key.toUpperCase())).to.equal(undefined);
    await stored(store);
    await stored(store);
  });

  it('forgets keys after an hour, and then takes them again', async () => {
    const { store } = get();
    const create_key = uuidv7();
    const old = await stored(store, { create_key, tm_create: ago(HOUR_MS + 5000) });
    expect(await store.activeflows.byCreateKey(create_key)).to.equal(undefined);
    const young = await stored(store, { create_key, tm_create: ago(HOUR_MS - 60_000) });
    expect(await store.activeflows.byCreateKey(create_key)).to.deep.equal(young);
    expect(await store.activeflows.get(old.id)).to.deep.equal({ ...old, create_key: '' });
    expect(await store.activeflows.create(sampleActiveflow({ create_key }))).to.equal(false);
    expect(await store.activeflows.create({ ...sampleActiveflow({ create_key: uuidv7() }), id: old.id })).to.equal(false);
  });

  it('lists by filter, newest first, and pages through equal times', async () => {
    const { store } = get();
    const customer_id = uuidv7();
    const flow_id = uuidv7();
    const parent = uuidv7();
    const a = await stored(store, { customer_id, flow_id, tm_create: '2026-11-21T08:45:10.000001Z' });
    const b = await stored(store, {
      customer_id,
      status: 'ended',
      reference_type: 'api',
      tm_create: '2026-11-21T08:45:10.000003Z',
    });
    const c = await stored(store, {
      customer_id,
      tm_delete: TIME,
      reference_activeflow_id: parent,
      tm_create: '2026-11-21T08:45:10.000002Z',
    });
    await stored(store, { flow_id });
    const ids = async (filter: object) => (await store.activeflows.list(filter, { size: 10 })).map((one) => one.id);
    expect(await ids({ customer_id })).to.deep.equal([b.id, c.id, a.id]);
    expect(await ids({ customer_id, deleted: false })).to.deep.equal([b.id, a.id]);
    expect(await ids({ customer_id, deleted: true })).to.deep.equal([c.id]);
    expect(await ids({ customer_id, flow_id })).to.deep.equal([a.id]);
    expect(await ids({ customer_id, status: 'ended' })).to.deep.equal([b.id]);
    expect(await ids({ customer_id, reference_type: 'api' })).to.deep.equal([b.id]);
    expect(await ids({ reference_id: a.reference_id })).to.deep.equal([a.id]);
    expect(await ids({ reference_activeflow_id: parent })).to.deep.equal([c.id]);

    const tied = uuidv7();
    for (let n = 0; n < 7; n += 1) await stored(store, { customer_id: tied, tm_create: TIME });
    const all = await store.activeflows.list({ customer_id: tied }, { size: 100 });
    const seen: string[] = [];
    let page: Page = { size: 2 };
    for (let last = all[0]; last && seen.length < 100; ) {
      const some = await store.activeflows.list({ customer_id: tied }, page);
      seen.push(...some.map((one) => one.id));
      last = some.at(-1);
      if (last) page = { size: 2, after: { tm_create: last.tm_create, id: last.id } };
    }
    expect(seen).to.deep.equal(all.map((one) => one.id));
    expect(new Set(seen).size).to.equal(7);
    expect(await store.activeflows.list({ customer_id: tied }, { size: 100, after: { tm_create: TIME } })).to.deep.equal([]);
  });

  it('finds those of a reference and of a customer, and counts what runs', async () => {
    const { store } = get();
    const before = await store.activeflows.countRunning();
    const reference_id = uuidv7();
    const customer_id = uuidv7();
    const a = await stored(store, { reference_id, customer_id });
    await stored(store, { reference_id, customer_id, status: 'ended' });
    await stored(store, { reference_id, reference_type: 'conversation' });
    await stored(store, { customer_id, tm_delete: TIME });
    expect(await store.activeflows.ofReference('call', reference_id)).to.deep.equal([a.id]);
    expect(await store.activeflows.ofReference('call', uuidv7())).to.deep.equal([]);
    expect(await store.activeflows.ofCustomer(customer_id, 100))
      .to.have.lengthOf(2)
      .and.include(a.id);
    expect(await store.activeflows.ofCustomer(customer_id, 1)).to.have.lengthOf(1);
    expect((await store.activeflows.countRunning()) - before).to.equal(3);
  });

  it('keeps trace steps once each, in order', async () => {
    const { store } = get();
    const [one, two] = [uuidv7(), uuidv7()];
    const steps = Array.from({ length: 1200 }, (_, n) => sampleTraceStep(n + 1, `${n} \u{1F44B}'`));
    const pieces = Array.from({ length: 150 }, (_, n) => ({ id: one, trace: linesOf(...steps.slice(8 * n, 8 * n + 8)) }));
    await Promise.all([store.activeflows.addTrace([...pieces].reverse()), store.activeflows.addTrace(pieces.slice(0, 70))]);
    await store.activeflows.addTrace([{ id: two, trace: linesOf(sampleTraceStep(1)) }]);
    await store.activeflows.addTrace([]);
    expect(await store.activeflows.trace(one)).to.deep.equal(steps);
    expect(await store.activeflows.trace(two)).to.have.lengthOf(1);
    expect(await store.activeflows.trace(uuidv7())).to.deep.equal([]);
  });

  it('keeps each trace step once when a piece that was moved comes again with more in it', async () => {
    const { store } = get();
    const id = uuidv7();
    const steps = Array.from({ length: 30 }, (_, n) => sampleTraceStep(n + 1));
    await store.activeflows.addTrace([{ id, trace: linesOf(...steps.slice(0, 8)) }]);
    await store.activeflows.addTrace([{ id, trace: linesOf(...steps.slice(0, 11)) }]);
    await store.activeflows.addTrace([{ id, trace: linesOf(...steps.slice(0, 9)) }]);
    await store.activeflows.addTrace([{ id, trace: linesOf(...steps.slice(5, 30)) }]);
    expect(await store.activeflows.trace(id)).to.deep.equal(steps);
  });

  it('gives no events to publish of a row whose events are said to be published', async () => {
    const { store } = get();
    const row = await stored(store, {
      outbox: { events: [{ seq: 1, type: 'activeflow_created' }], trace: linesOf(sampleTraceStep(1)) },
    });
    expect((await store.activeflows.get(row.id))?.outbox).to.deep.equal(row.outbox);
    await store.activeflows.settled([{ id: row.id, revision: row.revision }]);
    expect((await store.activeflows.get(row.id))?.outbox).to.deep.equal({ events: [], trace: row.outbox.trace });
  });

  it('refuses a row that is too large, by name, and no other for its sake', async () => {
    const { store, bench } = get();
    const limited = bench.open({ max_row_bytes: 100_000 });
    const large = { variables: { text: 'x'.repeat(100_000) } };
    expect(await failureOf(limited.activeflows.create(sampleActiveflow(large)))).to.include({ reason: 'ROW_TOO_LARGE' });
    const rows = await Promise.all(Array.from({ length: 10 }, () => stored(store)));
    const outcomes = await Promise.allSettled(
      rows.map((row, n) => limited.activeflows.commit({ next: following(row, n === 4 ? large : {}), variables_changed: true })),
    );
    expect(outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value)).to.deep.equal(rows.map((_, n) => n !== 4));
    const refused = outcomes[4];
    expect(refused?.status === 'rejected' && refused.reason).to.include({
      status: 'FAILED_PRECONDITION',
      reason: 'ROW_TOO_LARGE',
    });
    expect(refused?.status === 'rejected' && String(refused.reason)).to.include(rows[4]?.id);
  });

  it('takes rows of several MiB', async () => {
    const { store } = get();
    const row = await stored(store, { variables: { text: `${'\\"\''.repeat(300_000)}` } });
    const next = following(row, { variables: { text: `${'é'.repeat(2_000_000)}` } });
    expect(await store.activeflows.commit({ next, variables_changed: true })).to.equal(true);
    expect(await store.activeflows.get(row.id)).to.deep.equal(next);
  });
});
