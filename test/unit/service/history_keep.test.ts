/** Which histories stay, and what is left in the row of those that do not. */
import { expect } from 'chai';
import { FlowError } from '../../../pkg/error/index.ts';
import type { HistoryKeep, HistoryRecord } from '../../../pkg/model/history.ts';
import { HistoryMover } from '../../../pkg/outbox/history-mover.ts';
import { Remembered } from '../../../pkg/outbox/remembered.ts';
import { withRecord, withStart } from '../../../pkg/service/history/keep.ts';
import { replay } from '../../../pkg/service/history/replay.ts';
import { ok, refused } from '../../support/drive.ts';
import { fetch, talk } from '../../support/engine_flow.ts';
import { HistoryBench } from '../../support/history_bench.ts';
import { Play } from '../../support/history_scenarios.ts';
import { RecordingLog } from '../../support/recorders.ts';
import { following, sampleActiveflow } from '../../support/samples.ts';

/** Plays a flow to its end, and looks. */
async function played(keep: HistoryKeep, fails: boolean, look: (play: Play) => Promise<void>, moving = false): Promise<void> {
  const answer = () => (fails ? refused('DOWN') : ok({ status: 200, body: [] }));
  const bench = await HistoryBench.open({ keep, answer, moving });
  try {
    await bench.addFlow('main', [talk('a'), fetch('b', 'one'), talk('c')]);
    const play = new Play(bench);
    play.activeflow = await bench.create('main', 'call');
    await play.toEnd();
    await look(play);
  } finally {
    await bench.close();
  }
}

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof FlowError) return error.reason;
    throw error;
  }
  return '';
}

describe('a history', () => {
  it('leaves no mark in a row when it is off', () =>
    played('off', true, async ({ bench, activeflow }) => {
      expect((await bench.row(activeflow)).outbox).to.have.all.keys('events', 'trace');
      expect(await refusal(bench.history(activeflow))).to.equal('HISTORY_NOT_KEPT');
    }));

  it('of a good end stays only with all', async () => {
    await played('failed', false, async ({ bench, activeflow }) => {
      expect((await bench.row(activeflow)).outbox).to.have.all.keys('events', 'trace');
      expect(await refusal(bench.history(activeflow))).to.equal('HISTORY_NOT_KEPT');
    });
    await played('all', false, async ({ bench, activeflow }) => {
      const file = await bench.history(activeflow);
      expect(replay(file)).to.deep.equal({ decisions: file.records.length });
    });
  });

  it('of an end with an error stays with failed, from its beginning to what came after the end', () =>
    played('failed', true, async (play) => {
      await play.control.remove(play.activeflow, play.key());
      const { records, complete } = await play.bench.history(play.activeflow);
      expect(records.map(({ revision }) => revision)).to.deep.equal(records.map((_, at) => at + 1));
      expect(records.at(-1)?.decided).to.include({ deleted: true, status: 'ended' });
      expect(complete).to.equal(true);
    }));

  it('that has moved leaves a mark at a good end, by which the mover takes it away', () =>
    played(
      'failed',
      false,
      async ({ bench, activeflow }) => {
        const { history } = (await bench.row(activeflow)).outbox;
        expect(history).to.include({ state: 'dropped', moved: true });
        expect(await refusal(bench.history(activeflow))).to.equal('HISTORY_NOT_KEPT');
        expect(await bench.store.histories.get(activeflow)).not.to.deep.equal([]);
        if (history)
          await new HistoryMover(bench.store.histories, new RecordingLog(), new Remembered()).move(activeflow, history);
        expect(await bench.store.histories.get(activeflow)).to.deep.equal([]);
      },
      true,
    ));

  it('breaks off, for good, where it grows too long', () => {
    const long = (revision: number, length: number): HistoryRecord => ({
      revision,
      input: { kind: 'walk', begin: { kind: 'next', key: 'x'.repeat(length) } },
      turns: [],
      decided: { status: 'running', state: {}, trace_seq: 0, deleted: false, deadline_at: null },
    });
    const first = withStart(sampleActiveflow(), 'all', () => long(1, 1));
    const second = withRecord(first, following(first), 0, () => long(2, 5 << 20));
    expect(second.outbox.history).to.include({ state: 'full' });
    expect(second.outbox.history?.records).to.have.length(1);
    const third = withRecord(second, following({ ...second, outbox: { events: [], trace: [] } }), 0, () => long(3, 1));
    expect(third.outbox.history).to.deep.equal(second.outbox.history);
  });
});

describe('histories on their way out of a row', () => {
  it('stay in it while they are few and short, and when they cannot be stored', async () => {
    const added: number[] = [];
    const broken = { now: false };
    const store = {
      add: async (_id: string, records: readonly HistoryRecord[]) => {
        if (broken.now) throw new Error('away');
        added.push(...records.map(({ revision }) => revision));
      },
      get: async () => [],
      remove: async () => undefined,
    };
    const log = new RecordingLog();
    const remembered = new Remembered();
    const mover = new HistoryMover(store, log, remembered);
    const moved = (id: string): number => remembered.of(id).history_revision;
    const pending = (count: number, key = '') => ({
      keep: 'all' as const,
      bytes: 0,
      moved: false,
      state: 'open' as const,
      records: Array.from(
        { length: count },
        (_, at): HistoryRecord => ({
          revision: at + 1,
          input: { kind: 'walk', begin: { kind: 'next', key } },
          turns: [],
          decided: { status: 'running', state: {}, trace_seq: 0, deleted: false, deadline_at: null },
        }),
      ),
    });
    await mover.move('few', pending(7));
    expect(added).to.deep.equal([]);
    broken.now = true;
    await mover.move('many', pending(8, 'secret'));
    expect([moved('many'), log.lines.length]).to.deep.equal([0, 1]);
    expect(log.lines.join()).not.to.include('secret');
    broken.now = false;
    await mover.move('many', pending(8));
    await mover.move('long', pending(1, 'x'.repeat(40_000)));
    expect(added).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 1]);
    expect([moved('many'), moved('long'), moved('few')]).to.deep.equal([8, 1, 0]);
  });
});
