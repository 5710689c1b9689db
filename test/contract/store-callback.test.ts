import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import type { Activeflow } from '../../pkg/model/activeflow.ts';
import type { Arrival, Callback, TakenArrival } from '../../pkg/model/callback.ts';
import type { Store } from '../../pkg/service/ports.ts';
import { sampleActiveflow } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

const TIME = '2026-11-21T08:45:10.947195Z';

function callback(changes: Partial<Callback> = {}): Callback {
  return {
    id: uuidv7(),
    activeflow_id: uuidv7(),
    customer_id: uuidv7(),
    name: "pay '\u{1F44B}",
    step: 1,
    methods: ['POST', 'GET'],
    auth: 'none',
    multi: false,
    token_hash: 'f'.repeat(64),
    expires_at: null,
    tm_create: TIME,
    ...changes,
  };
}

function arrival(of: Callback, changes: Partial<TakenArrival> = {}): TakenArrival {
  return {
    id: uuidv7(),
    activeflow_id: of.activeflow_id,
    callback_id: of.id,
    status: 'kept',
    code: 202,
    reason: '',
    method: 'POST',
    bytes: 3,
    key_hash: null,
    body_hash: 'body',
    payload: { body: "\u0000 '\u{1F44B}" },
    tm_create: TIME,
    tm_consume: null,
    ...changes,
  };
}

/** The next commit of a row, with what it takes in and uses up. */
function commit(store: Store, row: Activeflow, kept: readonly TakenArrival[], taken: readonly string[] = []): Promise<boolean> {
  const next = { ...row, revision: row.revision + 1 };
  return store.activeflows.commit({ next, variables_changed: false, arrivals: { kept, taken } });
}

eachStore('callbacks', (get) => {
  it('are kept as they were made first', async () => {
    const { store } = get();
    const made = callback({ expires_at: TIME, multi: true, auth: 'hmac' });
    await store.callbacks.create(made);
    await store.callbacks.create({ ...made, name: 'again', tm_create: '2027-01-01T00:00:00.000000Z' });
    expect(await store.callbacks.get(made.id)).deep.equal(made);
    expect(await store.callbacks.get(uuidv7())).equal(undefined);
  });

  it('the newest of a name is the one of the latest step', async () => {
    const { store } = get();
    const first = callback({ step: 9 });
    const later = callback({ activeflow_id: first.activeflow_id, step: 10 });
    for (const one of [later, first, callback({ step: 11 })]) await store.callbacks.create(one);
    expect(await store.callbacks.newest(first.activeflow_id, first.name)).deep.equal(later);
    expect(await store.callbacks.newest(first.activeflow_id, `${first.name} `)).equal(undefined);
    const { callbacks } = await store.callbacks.ofActiveflow(first.activeflow_id);
    expect(callbacks).deep.equal([later, first]);
  });

  it('what comes is written with its activeflow, or not at all', async () => {
    const { store } = get();
    const row = sampleActiveflow();
    await store.activeflows.create(row);
    const of = callback({ activeflow_id: row.id });
    await store.callbacks.create(of);
    const [one, two] = [arrival(of, { key_hash: 'k' }), arrival(of)];
    expect(await commit(store, row, [one])).equal(true);
    expect(await commit(store, row, [two]), 'the row has moved on').equal(false);
    const standing = { kept: 1, first: { id: one.id, body_hash: 'body' } };
    expect(await store.callbacks.standing(of, null)).deep.equal(standing);
    expect(await store.callbacks.standing(of, 'k')).deep.equal({ ...standing, same_key: one.id });
    expect(await store.callbacks.standing(of, 'other')).deep.equal(standing);
    expect((await store.activeflows.get(row.id))?.revision).equal(row.revision + 1);
  });

  it('is brought oldest first, and its payload goes with the commit that has it', async () => {
    const { store } = get();
    const row = sampleActiveflow();
    await store.activeflows.create(row);
    const of = callback({ activeflow_id: row.id });
    const [one, two] = [arrival(of), arrival(of, { payload: { body: 2 } })];
    await commit(store, row, [one, two]);
    expect(await store.callbacks.oldestKept(of)).deep.equal({ id: one.id, payload: one.payload });
    const second = { ...row, revision: row.revision + 1 };
    expect(await commit(store, row, [], [one.id]), 'lost').equal(false);
    expect(await store.callbacks.oldestKept(of)).include({ id: one.id });
    expect(await commit(store, second, [], [one.id])).equal(true);
    expect(await store.callbacks.oldestKept(of)).deep.equal({ id: two.id, payload: { body: 2 } });
    expect(await store.callbacks.standing(of, null)).include({ kept: 1 });
    const { arrivals } = await store.callbacks.ofActiveflow(row.id);
    expect(arrivals.map(({ id, status }) => [id, status])).deep.equal([
      [two.id, 'kept'],
      [one.id, 'consumed'],
    ]);
    expect(arrivals[1]?.tm_consume).match(/Z$/);
    expect(arrivals[0]).not.have.property('payload');
  });

  it('of many that come at the same time each commit takes one', async () => {
    const { store, bench } = get();
    const row = sampleActiveflow();
    await store.activeflows.create(row);
    const of = callback({ activeflow_id: row.id });
    const stores = [store, bench.open()];
    const won = await Promise.all(Array.from({ length: 10 }, (_, n) => commit(stores[n % 2] ?? store, row, [arrival(of)])));
    expect(won.filter(Boolean)).length(1);
    expect(await store.callbacks.standing(of, null)).include({ kept: 1 });
  });

  it('of what was refused the newest stay', async () => {
    const { store } = get();
    const of = callback();
    const refused: Arrival[] = [];
    for (let n = 0; n < 23; n++) {
      const { key_hash, body_hash, payload, ...one } = arrival(of, { status: 'rejected', code: 404, reason: `no ${n}` });
      refused.unshift(one);
      await store.callbacks.reject(one);
    }
    expect((await store.callbacks.ofActiveflow(of.activeflow_id)).arrivals).deep.equal(refused.slice(0, 20));
    expect(await store.callbacks.standing(of, null), 'and it has taken none').deep.equal({ kept: 0 });
  });
});
