import { expect } from 'chai';
import { Draft } from '../../pkg/engine/draft.ts';
import type { Activeflow } from '../../pkg/model/activeflow.ts';
import { countLines } from '../../pkg/model/trace.ts';
import { Mover } from '../../pkg/outbox/mover.ts';
import { traceOf } from '../../pkg/service/activeflow/view.ts';
import type { Store } from '../../pkg/service/ports.ts';
import { FakeBus } from '../support/fake-bus.ts';
import { eventually } from '../support/inbox.ts';
import { QuietLog } from '../support/quiet_log.ts';
import { RecordingMeter } from '../support/recorders.ts';
import { following, linesOf, sampleActiveflow, sampleHistoryRecord, sampleTraceStep } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

const KEPT = 6;
const world = { now: () => Date.now() } as Parameters<Draft['note']>[2];

/** What one process moves on, and which activeflows it has told of. */
function process(store: Store): { mover: Mover; told: Activeflow[] } {
  const told: Activeflow[] = [];
  const mover = new Mover({
    bus: new FakeBus(),
    activeflows: store.activeflows,
    events: store.events,
    histories: store.histories,
    meter: new RecordingMeter(),
    log: new QuietLog(),
    render: () => [],
    renderFlowEvent: () => ({ exchange: '', routing_key: '', message_id: '', body: '' }),
    notifier: { rows: async (rows) => void told.push(...rows) },
    options: { waiting: 100, trace_steps: KEPT, sweep_age_ms: 0 },
  });
  return { mover, told };
}

/** One commit by a process that knows nothing of those before it, and all that it moves on. */
async function commitAnew(store: Store, id: string, lines: number): Promise<Activeflow> {
  const { mover } = process(store);
  const row = await store.activeflows.get(id);
  if (!row) throw new Error('it is there');
  const draft = new Draft(row);
  for (let n = 0; n < lines; n += 1) draft.note('updated', `at revision ${row.revision}`, world);
  const moved = mover.moved(id);
  const next = draft.toRow({ event: 'activeflow_updated', moved, now: Date.now(), wake_at: null });
  expect(await store.activeflows.commit({ next, variables_changed: false, moved: () => mover.moved(id) })).to.equal(true);
  mover.committed(next);
  await mover.drain(5_000);
  const last = next.outbox.trace.at(-1)?.last ?? 0;
  if (countLines(next.outbox.trace) >= KEPT) await eventually('it has moved', () => mover.moved(id).trace_seq === last);
  return next;
}

eachStore('what was moved on by others', (get) => {
  for (const lines of [1, 4, 9]) {
    it(`leaves the row, and the trace is whole: ${lines} a commit`, async () => {
      const { store } = get();
      const first = sampleActiveflow();
      await store.activeflows.create(first);
      const sizes: number[] = [];
      for (let n = 0; n < 30; n += 1) sizes.push(countLines((await commitAnew(store, first.id, lines)).outbox.trace));
      expect(Math.max(...sizes)).to.be.below(KEPT + lines);
      const row = await store.activeflows.get(first.id);
      if (!row) throw new Error('it is there');
      expect((await traceOf(row, store.activeflows)).map(({ seq }) => seq)).to.deep.equal(
        Array.from({ length: 30 * lines }, (_, at) => at + 1),
      );
    });
  }

  it('stays as long as it is not known to be told', async () => {
    const { store } = get();
    const first = sampleActiveflow();
    await store.activeflows.create(first);
    const row = await commitAnew(store, first.id, KEPT);
    await get().bench.sql(`update activeflows set unsettled_at = '2026-11-21 08:45:10' where id = ?`, [first.id]);
    const { mover, told } = process(store);
    const read = await store.activeflows.get(first.id);
    if (!read) throw new Error('it is there');
    expect(countLines(read.outbox.trace)).to.equal(KEPT);
    mover.committed(read);
    await mover.drain(5_000);
    expect(told.map(({ revision }) => revision)).to.deep.equal([row.revision]);
    await eventually('it has moved', () => mover.moved(first.id).trace_seq === KEPT);
  });

  it('is looked for by others where a commit has lines to tell and no event', async () => {
    const { store } = get();
    const first = sampleActiveflow();
    await store.activeflows.create(first);
    const next = following(first, { outbox: { events: [], trace: linesOf(sampleTraceStep(1)) } });
    expect(await store.activeflows.commit({ next, variables_changed: false })).to.equal(true);
    const found = async () => (await store.activeflows.unsettled(0, 100)).some(({ id }) => id === first.id);
    await eventually('its time has come', found);
    await store.activeflows.settled([next]);
    expect(await found()).to.equal(false);
  });

  it('leaves the row in part where others have moved less', async () => {
    const { store, bench } = get();
    const first = sampleActiveflow();
    await store.activeflows.create(first);
    await commitAnew(store, first.id, KEPT + 2);
    // As rows of before have it: by its first line.
    await bench.sql('update trace_steps set seq = 5 where activeflow_id = ?', [first.id]);
    expect((await store.activeflows.get(first.id))?.outbox.trace.map(({ first: from, last }) => [from, last])).to.deep.equal([
      [6, KEPT + 2],
    ]);
  });

  it('leaves a history, too', async () => {
    const { store } = get();
    const records = Array.from({ length: 9 }, (_, at) => sampleHistoryRecord(at + 1));
    const history = { keep: 'all', bytes: 9, records, moved: false, state: 'open' } as const;
    const row = sampleActiveflow({ outbox: { events: [], trace: [], history } });
    await store.activeflows.create(row);
    const kept = async () => (await store.activeflows.get(row.id))?.outbox.history;
    expect(await kept()).to.deep.equal(history);
    await store.histories.add(row.id, records.slice(0, 8));
    expect(await kept()).to.deep.equal({ ...history, records: records.slice(8), moved: true });
  });
});
