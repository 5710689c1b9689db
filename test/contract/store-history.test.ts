import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { sampleActiveflow, sampleHistoryRecord } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

eachStore('histories', (get) => {
  it('come back as they were, by revision, whatever order they came in', async () => {
    const { histories } = get().store;
    const id = uuidv7();
    const records = [1, 2, 3, 10, 11].map((revision) => sampleHistoryRecord(revision, `key \u{1f600} ${revision}`));
    await histories.add(id, records.slice(3));
    await histories.add(id, records.slice(0, 3));
    await histories.add(uuidv7(), [sampleHistoryRecord(1)]);
    expect(await histories.get(id)).to.deep.equal(records);
    expect(await histories.get(uuidv7())).to.deep.equal([]);
  });

  it('keep a record that is added again', async () => {
    const { store, bench } = get();
    const id = uuidv7();
    const records = [sampleHistoryRecord(1), sampleHistoryRecord(2)];
    await Promise.all([store.histories.add(id, records), bench.open().histories.add(id, records)]);
    await store.histories.add(id, records);
    expect(await store.histories.get(id)).to.deep.equal(records);
  });

  it('take records that are longer than one statement', async () => {
    const { histories } = get().store;
    const id = uuidv7();
    const records = [1, 2, 3].map((revision) => sampleHistoryRecord(revision, 'x'.repeat(700_000)));
    await histories.add(id, records);
    expect(await histories.get(id)).to.deep.equal(records);
  });

  it('go, all of an activeflow’s and nobody else’s', async () => {
    const { histories } = get().store;
    const [one, other, kept] = [uuidv7(), uuidv7(), uuidv7()];
    for (const id of [one, other, kept]) await histories.add(id, [sampleHistoryRecord(1), sampleHistoryRecord(2)]);
    await histories.remove([]);
    await histories.remove([one, other, uuidv7()]);
    expect(await histories.get(one)).to.deep.equal([]);
    expect(await histories.get(other)).to.deep.equal([]);
    expect(await histories.get(kept)).to.have.length(2);
  });

  it('stay in the row of their activeflow until they move', async () => {
    const { activeflows } = get().store;
    const history = { keep: 'failed', bytes: 9, records: [sampleHistoryRecord(1)], moved: false, state: 'open' } as const;
    const row = sampleActiveflow({ outbox: { events: [], trace: [], history } });
    await activeflows.create(row);
    expect((await activeflows.get(row.id))?.outbox.history).to.deep.equal(history);
    const next = { ...row, revision: 2, outbox: { ...row.outbox, history: { ...history, records: [], moved: true } } };
    await activeflows.commit({ next, variables_changed: false });
    expect((await activeflows.get(row.id))?.outbox.history).to.deep.equal(next.outbox.history);
  });
});
