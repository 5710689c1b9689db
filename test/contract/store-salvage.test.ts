import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { failureOf } from '../support/failure.ts';
import { following, sampleActiveflow, sampleState, sampleTraceStep } from '../support/samples.ts';
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
      outbox: { events: [{ seq: 6, type: 'activeflow_updated' }], trace: [sampleTraceStep(5)] },
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

  for (const text of ['{"current":', '', 'null', '[]', '7', '{"event_seq":-1,"trace_seq":"x","current":{"id":7},"answers":{}}']) {
    it(`can be ended although their state is ${text || 'nothing'}`, async () => {
      const { activeflows } = get().store;
      const row = await made();
      await activeflows.addTrace([{ id: row.id, steps: [sampleTraceStep(8), sampleTraceStep(9)] }]);
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
    await activeflows.addTrace([{ id: row.id, steps: [sampleTraceStep(9)] }]);
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
