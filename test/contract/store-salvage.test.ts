import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { isReadable } from '../../pkg/service/ports.ts';
import { failureOf } from '../support/failure.ts';
import { following, linesOf, sampleActiveflow, sampleState, sampleTraceStep } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

eachStore('activeflows that cannot be read', (get) => {
  const current = { id: uuidv7(), type: 'talk' };
  const made = async () => {
    const activeflow = sampleActiveflow({
      revision: 7,
      state: sampleState({
        current,
        step: 4,
        trace_seq: 5,
        event_seq: 6,
        previous: 'before',
        answers: [{ key: 'k', status_code: 200, step: 4 }],
      }),
      variables: { a: '1' },
      outbox: { events: [{ seq: 6, type: 'activeflow_updated' }], trace: linesOf(sampleTraceStep(5)) },
    });
    await get().store.activeflows.create(activeflow);
    return activeflow;
  };
  const spoil = (id: string, column: string, text: string) =>
    get().bench.sql(`update activeflows set ${column} = ? where id = ?`, [text, id]);

  it('are as they were where all is well, less their stacks', async () => {
    const row = await made();
    const salvaged = await get().store.activeflows.salvage(row.id);
    const [main] = row.state.stacks;
    expect(salvaged).to.deep.equal({
      ...row,
      state: { ...row.state, stacks: [{ ...main, list: 'empty', shared: false }] },
    });
    expect(await get().store.activeflows.salvage(uuidv7())).to.equal(undefined);
  });

  const DAMAGED: readonly (readonly [string, string])[] = [
    ['state', '{"secret":'],
    ['state', '{"answers":[],"secret":1}'],
    ['state', 'null'],
    ['variables', '["secret"]'],
    ['outbox', '{"events":"secret"}'],
  ];
  for (const [column, text] of DAMAGED) {
    it(`are known by their columns where ${column} is ${text}, and others beside them whole`, async () => {
      const { activeflows } = get().store;
      const [row, whole] = [await made(), await made()];
      await spoil(row.id, column, text);
      const failure = await failureOf(activeflows.get(row.id));
      expect(failure).to.include({ status: 'INTERNAL', reason: 'ACTIVEFLOW_UNREADABLE' });
      expect(failure.message).to.include(`${row.id} cannot be read: its ${column} is`).and.not.include('secret');
      for (const { customer_id, id } of [row, whole]) {
        const [listed] = await activeflows.list({ customer_id }, { size: 10 });
        expect(listed && isReadable(listed)).to.equal(id === whole.id);
        if (id === whole.id) expect(listed).to.deep.equal(whole);
      }
      const { state, variables, outbox, ...columns } = row;
      const [listed] = await activeflows.list({ customer_id: row.customer_id }, { size: 10 });
      expect(listed).to.deep.include(columns);
      expect(listed).to.have.nested.property('unreadable.reason', 'ACTIVEFLOW_UNREADABLE');
    });
  }

  it('are in nobody’s way when unpublished events are looked for', async () => {
    const { store, bench } = get();
    await bench.sql('delete from activeflows');
    const broken = [await made(), await made(), await made()];
    for (const { id } of broken) await spoil(id, 'state', '[');
    await bench.sql("update activeflows set unsettled_at = '2020-01-01 00:00:00.000001'");
    const fine = [await made(), await made(), await made()];
    const found = await store.activeflows.unsettled(0, 2);
    expect(found.filter((row) => !isReadable(row)).map(({ id }) => id)).to.have.members(broken.map(({ id }) => id));
    const readable = found.filter(isReadable).map(({ id }) => id);
    expect(readable).to.have.length(2);
    expect(fine.map(({ id }) => id)).to.include.members(readable);
  });

  for (const text of ['{"current":', '', 'null', '[]', '7', '{"event_seq":-1,"trace_seq":"x","current":{"id":7},"answers":{}}']) {
    it(`can be ended although their state is ${text || 'nothing'}`, async () => {
      const { activeflows } = get().store;
      const row = await made();
      await activeflows.addTrace([{ id: row.id, trace: linesOf(sampleTraceStep(8), sampleTraceStep(9)) }]);
      await spoil(row.id, 'state', text);
      const salvaged = await activeflows.salvage(row.id);
      if (!salvaged) throw new Error('it is there');
      // Above all that were ever given: no commit has more than one event.
      expect(salvaged.state).to.include({ event_seq: 7, trace_seq: 9 });
      expect(salvaged.variables).to.deep.equal({ a: '1' });
      const ended = following(salvaged, { status: 'ended' });
      expect(await activeflows.commit({ next: ended, variables_changed: true })).to.equal(true);
      expect(await activeflows.get(row.id)).to.deep.equal(ended);
    });
  }

  it('can be ended although what has moved of their trace cannot be read either', async () => {
    const { activeflows } = get().store;
    const row = await made();
    await activeflows.addTrace([{ id: row.id, trace: linesOf(sampleTraceStep(9)) }]);
    await get().bench.sql('update trace_steps set step = ? where activeflow_id = ?', ['[', row.id]);
    expect((await activeflows.salvage(row.id))?.state).to.include({ trace_seq: 5 });
  });

  it('keep what can be told of an outbox, and lose variables that say nothing', async () => {
    const { activeflows } = get().store;
    const row = await made();
    await spoil(
      row.id,
      'outbox',
      '{"events":[{"seq":6,"type":"activeflow_updated","snapshot":7},{"seq":"x"},8],"trace":[{"seq":5}]}',
    );
    await spoil(row.id, 'variables', '[');
    expect((await failureOf(activeflows.get(row.id))).message).to.include('JSON');
    const salvaged = await activeflows.salvage(row.id);
    expect(salvaged?.outbox).to.deep.equal({ events: [{ seq: 6, type: 'activeflow_updated' }], trace: [] });
    expect(salvaged?.variables).to.deep.equal({});
  });

  it('are known as the job that they are: others may wait for its end', async () => {
    const { activeflows, participants } = get().store;
    const row = await made();
    const { customer_id, reference_id } = row;
    const participant = { customer_id, reference_type: 'conversation', reference_id };
    await participants.write({ participant, key: 'job.who', value: { status: 'ONGOING' }, job_id: row.id });
    await participants.write({ participant, key: 'job.other', value: { status: 'ONGOING' }, job_id: uuidv7() });
    await spoil(row.id, 'state', '{');
    expect((await activeflows.salvage(row.id))?.state).to.deep.include({
      job: { name: 'who', depth: 1 },
      participant: { reference_type: 'conversation', reference_id },
    });
  });

  it('which of some have ended', async () => {
    const { activeflows } = get().store;
    const row = await made();
    const over = sampleActiveflow({ status: 'ended' });
    await activeflows.create(over);
    expect(await activeflows.ended([row.id, over.id, uuidv7()])).to.deep.equal([over.id]);
    expect(await activeflows.ended([])).to.deep.equal([]);
    const many = [...Array.from({ length: 1_200 }, () => uuidv7()), over.id];
    expect(await activeflows.ended(many)).to.deep.equal([over.id]);
  });
});
