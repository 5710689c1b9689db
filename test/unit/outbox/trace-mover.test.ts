import { expect } from 'chai';
import type { Activeflow } from '../../../pkg/model/activeflow.ts';
import { Remembered } from '../../../pkg/outbox/remembered.ts';
import { TraceMover } from '../../../pkg/outbox/trace-mover.ts';
import type { TracePiece } from '../../../pkg/service/ports.ts';
import { eventually } from '../../support/inbox.ts';
import { RecordingLog } from '../../support/recorders.ts';
import { linesOf, sampleActiveflow, sampleTraceStep } from '../../support/samples.ts';

/** A row with these lines in it. */
function rowWith(id: string, from: number, to: number): Activeflow {
  const steps = Array.from({ length: to - from + 1 }, (_, at) => sampleTraceStep(from + at));
  return sampleActiveflow({ id, outbox: { events: [], trace: linesOf(...steps) } });
}

describe('the mover of traces', () => {
  function moverOf(keep: number) {
    const asked: { readonly lines: string[]; readonly settle: (error?: Error) => void }[] = [];
    const addTrace = (pieces: readonly TracePiece[]): Promise<void> => {
      const lines = pieces.map(({ id, trace }) => `${id} ${trace[0]?.first} to ${trace.at(-1)?.last}`);
      return new Promise((resolve, reject) => asked.push({ lines, settle: (error) => (error ? reject(error) : resolve()) }));
    };
    const log = new RecordingLog();
    const remembered = new Remembered();
    const mover = new TraceMover({ addTrace }, log, keep, remembered);
    const moved = (id: string): number => remembered.of(id).trace_seq;
    const moving = async (count: number) => {
      await eventually(`${count} times`, () => asked.length === count);
      const last = asked.at(-1);
      if (!last) throw new Error('nothing was asked');
      return last;
    };
    return { mover, asked, moving, log, moved };
  }

  it('moves what is enough, of many activeflows at once', async () => {
    const { mover, moving, moved } = moverOf(3);
    for (const [id, to] of [
      ['a', 3],
      ['b', 2],
      ['c', 5],
    ] as const)
      mover.committed(rowWith(id, 1, to));
    const first = await moving(1);
    expect(first.lines).to.deep.equal(['a 1 to 3', 'c 1 to 5']);
    expect(moved('a')).to.equal(0);
    first.settle();
    await eventually('it is known', () => moved('a') === 3 && moved('c') === 5);
    expect(moved('b')).to.equal(0);
  });

  it('moves nothing before what precedes it: it would say that this has moved', async () => {
    const { mover, asked, moving, log, moved } = moverOf(3);
    mover.committed(rowWith('a', 1, 3));
    const first = await moving(1);
    mover.committed(rowWith('a', 1, 6));
    first.settle(new Error('away'));
    await eventually('it is told', () => log.lines.length === 1);
    expect(asked).to.have.length(1);
    mover.committed(rowWith('a', 1, 7));
    const second = await moving(2);
    expect(second.lines).to.deep.equal(['a 1 to 7']);
    second.settle();
    await eventually('it is known', () => moved('a') === 7);
    mover.committed(rowWith('a', 6, 9));
    mover.committed(rowWith('a', 6, 10));
    expect((await moving(3)).lines).to.deep.equal(['a 8 to 10']);
  });
});
