import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import type { Flow } from '../../pkg/model/flow.ts';
import { NIL } from '../../pkg/model/id.ts';
import type { FlowChange, Page, Store } from '../../pkg/service/ports.ts';
import { sampleFlow } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

const TIME = '2026-11-21T08:45:10.947195Z';
const LATER = '2026-11-21T08:45:10.947196Z';

function creation(flow: Flow, more: Partial<FlowChange> = {}): FlowChange {
  return { flow, new_version: true, events: [], ...more };
}

async function stored(store: Store, changes: Partial<Flow> = {}): Promise<Flow> {
  const flow = sampleFlow(changes);
  expect(await store.flows.commit(creation(flow))).to.equal(true);
  return flow;
}

eachStore('flows', (get) => {
  it('gives back what was stored, to the microsecond and to the byte', async () => {
    const { store } = get();
    const full = await stored(store, {
      user_id: 4_294_967_296,
      type: 'campaign',
      name: 'Grüße \u{1F44B} \\ \' " % ',
      detail: 'x'.repeat(100_000),
      persist: false,
      webhook_uri: 'https://example.com/?a=b&c',
      list: 'f'.repeat(64),
      version: 7,
      revision: 9,
      on_complete_flow_id: uuidv7(),
      fallback_flow_id: uuidv7(),
      deadline_ms: 86_400_000,
      direct_id: uuidv7(),
      direct_hash: 'hash',
      warnings: [{ path: '/actions/3/option/texxt', message: 'unknown' }],
      tm_update: LATER,
      tm_delete: '2026-12-31T23:59:59.999999Z',
      tm_expire: '2027-01-01T00:00:00.000001Z',
    });
    expect(await store.flows.get(full.id)).to.deep.equal(full);
    const plain = await stored(store);
    expect(await store.flows.get(plain.id)).to.deep.equal(plain);
    expect(await store.flows.get(uuidv7())).to.equal(undefined);
    expect(await store.flows.get(plain.id.toUpperCase())).to.equal(undefined);
  });

  it('reads a flow whose warnings cannot be read: it runs without them', async () => {
    const { store, bench } = get();
    const flow = await stored(store);
    for (const text of ['[', '7']) {
      await bench.sql('update flows set warnings = ? where id = ?', [text, flow.id]);
      const read = await store.flows.get(flow.id);
      expect(read).to.deep.equal({ ...flow, warnings: read?.warnings });
      expect(read?.warnings.map(({ message }) => message)).to.deep.equal(['the warnings of this flow cannot be read any more']);
    }
  });

  it('brings times to microseconds in UTC', async () => {
    const { store } = get();
    const { id } = await stored(store, { tm_create: '2026-11-21T08:45:10Z', tm_update: '2026-11-21T09:45:10.5+01:00' });
    expect(await store.flows.get(id)).to.include({
      tm_create: '2026-11-21T08:45:10.000000Z',
      tm_update: '2026-11-21T08:45:10.500000Z',
    });
  });

  it('changes only what is at the revision that the change was made from', async () => {
    const { store } = get();
    const flow = await stored(store);
    const change = (name: string): FlowChange => ({
      flow: { ...flow, name, revision: 2, version: 2, list: name, tm_update: LATER },
      from: 1,
      new_version: true,
      events: [],
    });
    const outcomes = await Promise.all(['one', 'two', 'three', 'four'].map((name) => store.flows.commit(change(name))));
    expect(outcomes.filter((won) => won)).to.have.lengthOf(1);
    const winner = ['one', 'two', 'three', 'four'][outcomes.indexOf(true)] ?? '';
    expect(await store.flows.get(flow.id)).to.deep.equal(change(winner).flow);
    expect(await store.flows.versions(flow.id)).to.deep.equal([
      { flow_id: flow.id, version: 1, list: 'a-hash', tm_create: TIME },
      { flow_id: flow.id, version: 2, list: winner, tm_create: LATER },
    ]);
    expect(await store.flows.commit({ ...change('five'), flow: sampleFlow({ revision: 2 }) })).to.equal(false);
  });

  it('writes the flow, its version, its events and the answer together or not at all', async () => {
    const { store } = get();
    const key = `a key of any length ${'k'.repeat(2000)}`;
    const answer = { key, status_code: 200, data: { id: 'x', deep: [1, null, 'é'] } };
    const flow = sampleFlow();
    const event = (type: string) => ({ id: uuidv7(), type, data: { id: flow.id } });
    const first = creation(flow, { events: [event('flow_created'), event('flow_updated')], answer });
    expect(await store.flows.commit(first)).to.equal(true);
    expect(await store.flows.answer(key)).to.deep.equal(answer);
    expect(await store.flows.answer(`${key} `)).to.equal(undefined);

    const sameKey = creation(sampleFlow(), { events: [event('flow_created')], answer: { ...answer, data: 'another' } });
    expect(await store.flows.commit(sameKey)).to.equal(false);
    const sameId = creation(flow, { events: [event('flow_created')], answer: { ...answer, key: 'new' } });
    expect(await store.flows.commit(sameId)).to.equal(false);
    const lost = { ...creation(flow, { events: [event('flow_deleted')], answer: { ...answer, key: 'newer' } }), from: 8 };
    expect(await store.flows.commit(lost)).to.equal(false);

    expect(await store.flows.get(sameKey.flow.id)).to.equal(undefined);
    expect(await store.flows.versions(sameKey.flow.id)).to.deep.equal([]);
    expect([await store.flows.answer('new'), await store.flows.answer('newer')]).to.deep.equal([undefined, undefined]);
    const claimed = await store.events.claim(100, 60_000);
    expect(claimed).to.deep.equal(first.events);
    await store.events.done(claimed.map(({ id }) => id));
  });

  it('keeps versions as they are where the actions did not change', async () => {
    const { store } = get();
    const flow = await stored(store);
    await store.flows.commit({ flow: { ...flow, revision: 2, name: 'new' }, from: 1, new_version: false, events: [] });
    expect(await store.flows.versions(flow.id)).to.have.lengthOf(1);
  });

  it('forgets answers after an hour, and then takes the key again', async () => {
    const { store, bench } = get();
    const answer = { key: uuidv7(), status_code: 200, data: 'first' };
    await store.flows.commit(creation(sampleFlow(), { answer }));
    await bench.sql(`update flow_answers set expires_at = '2020-01-01 00:00:00.000000'`);
    expect(await store.flows.answer(answer.key)).to.equal(undefined);
    expect(await store.flows.commit(creation(sampleFlow(), { answer: { ...answer, data: 'second' } }))).to.equal(true);
    expect(await store.flows.answer(answer.key)).to.include({ data: 'second' });
    const [row] = await bench.sql('select expires_at from flow_answers order by expires_at desc limit 1');
    const left = Date.parse(`${String(row?.expires_at).replace(' ', 'T').replace(/Z?$/, 'Z')}`) - Date.now();
    expect(left).to.be.within(3_590_000, 3_610_000);
  });

  it('lists by filter, newest first, without temporary flows', async () => {
    const { store } = get();
    const customer_id = uuidv7();
    const at = (n: number) => `2026-11-21T08:45:10.00000${n}Z`;
    const a = await stored(store, { customer_id, tm_create: at(1), name: 'a' });
    const b = await stored(store, { customer_id, tm_create: at(2), type: 'queue', name: 'b' });
    const gone = await stored(store, { customer_id, tm_create: at(3), tm_delete: TIME, name: 'gone' });
    await stored(store, { customer_id, tm_create: at(4), persist: false, tm_expire: TIME });
    await stored(store, { tm_create: at(5) });
    const ids = async (filter: object) =>
      (await store.flows.list({ customer_id, ...filter }, { size: 100 })).map((flow) => flow.id);
    expect(await ids({})).to.deep.equal([gone.id, b.id, a.id]);
    expect(await ids({ deleted: false })).to.deep.equal([b.id, a.id]);
    expect(await ids({ deleted: true })).to.deep.equal([gone.id]);
    expect(await ids({ type: 'queue' })).to.deep.equal([b.id]);
    expect(await ids({ name: 'a' })).to.deep.equal([a.id]);
    expect(await store.flows.count(customer_id)).to.equal(2);
    expect((await store.flows.ofCustomer(customer_id, 100)).length).to.equal(3);
    expect((await store.flows.ofCustomer(customer_id, 2)).length).to.equal(2);
  });

  it('compares text by bytes: case, trailing spaces, accents and 4-byte characters', async () => {
    const { store } = get();
    const customer_id = uuidv7();
    const names = ['ivr', 'IVR', 'ivr ', 'ivŕ', '\u{1F4DE}', '\u{1F4DF}', ''];
    for (const name of names) await stored(store, { customer_id, name });
    for (const name of names) {
      const found = await store.flows.list({ customer_id, name }, { size: 10 });
      expect(found.map((flow) => flow.name)).to.deep.equal([name]);
    }
  });

  it('pages without skipping or repeating when times tie', async () => {
    const { store } = get();
    const customer_id = uuidv7();
    const times = [TIME, TIME, TIME, TIME, LATER, LATER, LATER, '2026-11-21T08:45:09.000000Z'];
    for (const tm_create of times) await stored(store, { customer_id, tm_create });
    const all = await store.flows.list({ customer_id }, { size: 100 });
    expect(all.map((flow) => flow.tm_create)).to.deep.equal([...times].sort().reverse());
    const seen: string[] = [];
    let page: Page = { size: 3 };
    while (seen.length < 100) {
      const flows = await store.flows.list({ customer_id }, page);
      const last = flows.at(-1);
      if (!last) break;
      seen.push(...flows.map((flow) => flow.id));
      page = { size: 3, after: { tm_create: last.tm_create, id: last.id } };
    }
    expect(seen).to.deep.equal(all.map((flow) => flow.id));
    const older = await store.flows.list({ customer_id }, { size: 100, after: { tm_create: LATER } });
    expect(older.map((flow) => flow.id)).to.deep.equal(all.slice(3).map((flow) => flow.id));
  });
});

eachStore('action lists', (get) => {
  it('keeps each list under its owner and key, as it was first written', async () => {
    const { lists } = get().store;
    const owner = uuidv7();
    const actions = [
      { id: uuidv7(), type: 'talk', option: { text: 'Hello \u{1F44B}  and a half', nested: { list: [1, 2.5, null, true] } } },
      { id: uuidv7(), type: 'goto', next_id: NIL },
    ];
    await Promise.all(Array.from({ length: 10 }, () => lists.put(owner, 'hash', actions)));
    await lists.put(owner, 'Hash', []);
    const list = await lists.get(owner, 'hash');
    expect(list?.actions).to.deep.equal(actions);
    expect(list?.positions.get(actions[1]?.id ?? '')).to.equal(1);
    expect((await lists.get(owner, 'Hash'))?.actions).to.deep.equal([]);
    expect(await lists.get(uuidv7(), 'hash')).to.equal(undefined);
  });
});
