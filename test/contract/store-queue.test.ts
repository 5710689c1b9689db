import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import type { Store, StoredEvent } from '../../pkg/service/ports.ts';
import { sampleFlow } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

async function caused(store: Store, count: number, held: { held_ms?: number } = {}): Promise<StoredEvent[]> {
  const events = Array.from({ length: count }, (_, n) => ({
    id: uuidv7(),
    type: 'flow_created',
    data: { n, text: "\u{1F44B}'" },
  }));
  const written = events.map((event) => ({ ...event, ...held }));
  await store.flows.commit({ flow: sampleFlow(), new_version: false, events: written });
  return events;
}

eachStore('stored events', (get) => {
  it('are claimed in order, by one, until they are done', async () => {
    const { store, bench } = get();
    expect(await store.events.backlog()).to.deep.equal({ pending: 0, age_ms: 0 });
    const events = [...(await caused(store, 3)), ...(await caused(store, 2))];
    expect(await store.events.claim(4, 60_000)).to.deep.equal(events.slice(0, 4));
    expect(await bench.open().events.claim(4, 60_000)).to.deep.equal(events.slice(4));
    expect(await store.events.backlog()).to.include({ pending: 5 });
    await store.events.done(events.slice(0, 3).map(({ id }) => id));
    await store.events.done([]);
    const backlog = await store.events.backlog();
    expect(backlog.pending).to.equal(2);
    expect(backlog.age_ms).to.be.within(0, 10_000);
    await store.events.done(events.map(({ id }) => id));
    expect(await store.events.backlog()).to.deep.equal({ pending: 0, age_ms: 0 });
  });

  it('are left to who committed them for as long as it said', async () => {
    const { store } = get();
    const [held] = await caused(store, 1, { held_ms: 60_000 });
    const [soon] = await caused(store, 1, { held_ms: 100 });
    const [free] = await caused(store, 1);
    expect(await store.events.claim(10, 60_000)).to.deep.equal([free]);
    let claimed: StoredEvent[] = [];
    while (claimed.length === 0) claimed = await store.events.claim(10, 60_000);
    expect(claimed).to.deep.equal([soon]);
    await store.events.done([held, soon, free].map((event) => event?.id ?? ''));
  });

  it('come again when the lease has run out', async () => {
    const { store } = get();
    const events = await caused(store, 2);
    expect(await store.events.claim(10, 100)).to.deep.equal(events);
    expect(await store.events.claim(10, 100)).to.deep.equal([]);
    let again: StoredEvent[] = [];
    while (again.length === 0) again = await store.events.claim(10, 60_000);
    expect(again).to.deep.equal(events);
    await store.events.done(events.map(({ id }) => id));
  });

  it('are given to one of several that claim at once', async () => {
    const { store, bench } = get();
    const events = await caused(store, 100);
    const stores = [store, bench.open(), bench.open()];
    const claims = await Promise.all(Array.from({ length: 30 }, (_, n) => (stores[n % 3] ?? store).events.claim(7, 60_000)));
    const ids = [...claims.flat(), ...(await store.events.claim(100, 60_000))].map(({ id }) => id);
    expect(ids)
      .to.have.lengthOf(100)
      .and.have.members(events.map(({ id }) => id));
  });
});

eachStore('delayed messages', (get) => {
  const message = (n: number) => ({
    id: uuidv7(),
    queue: `queue ${n}`,
    body: `{"n":${n}}`,
    headers: { 'x-n': n, deep: { list: [null] } },
    properties: { message_id: `m-${n}`, reply_to: 'back' },
  });

  it('are claimed when they are due, earliest first, and again after the lease, until they are done', async () => {
    const { store, bench } = get();
    const [early, late, far] = [message(1), message(2), message(3)];
    await store.delays.add(far, 3_600_000);
    await store.delays.add(late, -1000);
    await store.delays.add(early, -2000);
    await store.delays.add({ ...early, body: 'again' }, 0);
    expect(await store.delays.claim(1, 60_000)).to.deep.equal([early]);
    expect(await bench.open().delays.claim(10, 100)).to.deep.equal([late]);
    let again: unknown[] = [];
    while (again.length === 0) again = await store.delays.claim(10, 60_000);
    expect(again).to.deep.equal([late]);
    await store.delays.done([early.id, late.id, far.id]);
    await store.delays.done([]);
    expect(await store.delays.claim(10, 60_000)).to.deep.equal([]);
  });

  it('are never early', async () => {
    const { store } = get();
    const before = performance.now();
    const one = message(1);
    await store.delays.add(one, 150);
    let claimed: unknown[] = [];
    while (claimed.length === 0) claimed = await store.delays.claim(10, 60_000);
    expect(performance.now() - before).to.be.within(149, 2000);
    expect(claimed).to.deep.equal([one]);
    await store.delays.done([one.id]);
  });

  it('are given to one of several that claim at once', async () => {
    const { store, bench } = get();
    const messages = Array.from({ length: 60 }, (_, n) => message(n));
    await Promise.all(messages.map((one) => store.delays.add(one, -1)));
    const stores = [store, bench.open(), bench.open()];
    const claims = await Promise.all(Array.from({ length: 15 }, (_, n) => (stores[n % 3] ?? store).delays.claim(7, 60_000)));
    const ids = [...claims.flat(), ...(await store.delays.claim(100, 60_000))].map(({ id }) => id);
    expect(ids)
      .to.have.lengthOf(60)
      .and.have.members(messages.map(({ id }) => id));
  });
});

eachStore('delayed messages without an id', (get) => {
  it('are open until their delivery is settled, and found by what they are', async () => {
    const { store } = get();
    const message = { queue: 'q', body: 'b', headers: {}, properties: {} };
    await store.delays.add({ ...message, id: 'content/1' }, 3_600_000, 'open');
    await store.delays.add({ ...message, id: 'content/2' }, 3_600_000, 'open');
    await store.delays.add({ ...message, id: 'content/3' }, 3_600_000);
    await store.delays.add({ ...message, id: 'content2/1' }, -1, 'open');
    expect((await store.delays.open('content')).sort()).to.deep.equal(['content/1', 'content/2']);
    await store.delays.settled('content/1');
    await store.delays.settled('nothing');
    expect(await store.delays.open('content')).to.deep.equal(['content/2']);
    expect(await store.delays.claim(10, 60_000)).to.deep.equal([{ ...message, id: 'content2/1' }]);
  });

  it('that an older release stored have the id that it gave them', async () => {
    const { store, bench } = get();
    await store.delays.add({ id: 'old', queue: 'q', body: 'b', headers: {}, properties: {} }, -1);
    await bench.sql("update delayed_messages set properties = null where id = 'old'");
    const [message] = await store.delays.claim(10, 60_000);
    expect(message?.properties).to.deep.equal({ message_id: 'old' });
  });
});
