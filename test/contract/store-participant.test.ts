import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import type { Participant } from '../../pkg/model/participant.ts';
import { following, sampleActiveflow } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

const someone = (changes: Partial<Participant> = {}): Participant => ({
  customer_id: uuidv7(),
  reference_type: 'call',
  reference_id: uuidv7(),
  ...changes,
});

eachStore('participants', (get) => {
  const participants = () => get().store.participants;

  it('keep any JSON under keys that compare by bytes, each with a revision and a time', async () => {
    const participant = someone();
    for (const [key, value] of [
      ['name', 'Lee 🦜'],
      ['Name', null],
      ['order', { items: [1, { deep: true }] }],
    ] as const) {
      const entry = await participants().write({ participant, key, value });
      expect(entry).to.include({ key, revision: 1 });
      expect(entry?.tm_update).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    }
    const entries = await participants().read(participant);
    expect(Object.fromEntries(entries.map(({ key, value }) => [key, value]))).to.deep.equal({
      name: 'Lee 🦜',
      Name: null,
      order: { items: [1, { deep: true }] },
    });
  });

  it('are each reference’s and each customer’s own', async () => {
    const participant = someone();
    await participants().write({ participant, key: 'a', value: 1 });
    for (const other of [
      { ...participant, customer_id: uuidv7() },
      { ...participant, reference_type: 'conversation' },
      { ...participant, reference_id: uuidv7() },
    ]) {
      expect(await participants().read(other)).to.deep.equal([]);
    }
  });

  it('compare and set each key by itself', async () => {
    const participant = someone();
    expect(await participants().write({ participant, key: 'a', value: 'first', from: 0 })).to.include({ revision: 1 });
    expect(await participants().write({ participant, key: 'a', value: 'again', from: 0 })).to.equal(undefined);
    expect(await participants().write({ participant, key: 'b', value: 'x', from: 1 })).to.equal(undefined);
    expect(await participants().write({ participant, key: 'a', value: 'second', from: 1 })).to.include({ revision: 2 });
    expect(await participants().write({ participant, key: 'a', value: 'late', from: 1 })).to.equal(undefined);
    expect(await participants().write({ participant, key: 'a', value: 'third' })).to.include({ revision: 3 });
    expect((await participants().read(participant)).map(({ key, value }) => [key, value])).to.deep.equal([['a', 'third']]);
  });

  it('lose no count when processes compare and set at once', async () => {
    const participant = someone();
    const { store, bench } = get();
    const stores = [store, bench.open()];
    const add = async (at: number): Promise<void> => {
      const { participants: mine } = stores[at % 2] ?? store;
      for (;;) {
        const [entry] = await mine.read(participant);
        const value = Number(entry?.value ?? 0) + 1;
        if (await mine.write({ participant, key: 'count', value, from: entry?.revision ?? 0 })) return;
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, at) => add(at)));
    expect((await participants().read(participant))[0]).to.include({ value: 12, revision: 12 });
  });

  it('take a key that several make at once, whatever was there', async () => {
    const participant = someone();
    const other = get().bench.open();
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        (at % 2 ? other : get().store).participants.write({ participant, key: 'k', value: at }),
      ),
    );
    expect(made.map((entry) => entry?.revision).sort((a, b) => Number(a) - Number(b))).to.deep.equal([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  it('are written by the commit of an activeflow, or not at all', async () => {
    const { activeflows } = get().store;
    const row = sampleActiveflow();
    const participant = someone({ customer_id: row.customer_id });
    await activeflows.create(row);
    const child = sampleActiveflow();
    const write = { participant, key: 'job.a', value: 'ONGOING', from: 0, job_id: child.id };
    const commit = { next: following(row), variables_changed: false, creates: [child], participants: [write] };
    expect(await activeflows.commit(commit)).to.equal(true);
    expect((await participants().read(participant))[0]).to.include({ value: 'ONGOING', revision: 1 });

    const again = { ...commit, next: following(following(row)), creates: [sampleActiveflow()] };
    expect(await activeflows.commit(again), 'the entry is there already').to.equal(false);
    expect(await activeflows.commit({ ...again, participants: [{ ...write, from: 5 }] }), 'and not at that').to.equal(false);
    expect((await activeflows.get(row.id))?.revision).to.equal(2);
    expect(await activeflows.get(again.creates[0]?.id ?? '')).to.equal(undefined);

    expect(await activeflows.commit({ ...commit, participants: [{ ...write, from: 1, value: 'lost race' }] })).to.equal(false);
    expect((await participants().read(participant))[0]).to.include({ value: 'ONGOING', revision: 1 });
  });

  it('are written with a new activeflow, or not at all', async () => {
    const { activeflows } = get().store;
    const [row, other] = [sampleActiveflow(), sampleActiveflow()];
    const write = { participant: someone(), key: 'job.b', value: 1, from: 0, job_id: row.id };
    expect(await activeflows.create(row, [write])).to.equal(true);
    expect(await activeflows.create(other, [write])).to.equal(false);
    expect(await activeflows.create(other, [{ ...write, from: 5 }])).to.equal(false);
    expect(await activeflows.get(other.id)).to.equal(undefined);
    expect(await activeflows.create(row, [{ ...write, key: 'job.c' }])).to.equal(false);
    expect(await participants().read(write.participant)).to.have.length(1);
  });

  it('let a job change its own entry only, and make none', async () => {
    const [participant, job] = [someone(), uuidv7()];
    await participants().write({ participant, key: 'mine', value: 'ONGOING', job_id: job });
    await participants().write({ participant, key: 'other', value: 'ONGOING', job_id: uuidv7() });
    const row = sampleActiveflow();
    await get().store.activeflows.create(row);
    const writes = ['mine', 'other', 'none'].map((key) => ({ participant, key, value: 'SUCCESS', of_job: job }));
    expect(
      await get().store.activeflows.commit({ next: following(row), variables_changed: false, participants: writes }),
    ).to.equal(true);
    expect((await participants().read(participant)).map(({ key, value }) => `${key} ${value}`)).to.deep.equal([
      'mine SUCCESS',
      'other ONGOING',
    ]);
  });

  it('go with their customer, and when nobody has written them for long, a few at a time', async () => {
    const [gone, stays] = [someone(), someone()];
    for (const key of ['a', 'b', 'c']) await participants().write({ participant: gone, key, value: key });
    await participants().write({ participant: stays, key: 'a', value: 1 });
    expect(await participants().removeCustomer(gone.customer_id, 2)).to.equal(2);
    expect(await participants().removeCustomer(gone.customer_id, 2)).to.equal(1);
    expect(await participants().removeCustomer(gone.customer_id, 2)).to.equal(0);
    expect(await participants().read(stays)).to.have.length(1);

    expect(await participants().forget(60_000, 100)).to.equal(0);
    await get().bench.sql('update participants set tm_update = ? where customer_id = ?', [
      '2020-01-01 00:00:00.000000',
      stays.customer_id,
    ]);
    expect(await participants().forget(60_000, 100)).to.equal(1);
    expect(await participants().read(stays)).to.deep.equal([]);
  });
});
