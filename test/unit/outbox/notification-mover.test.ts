import { expect } from 'chai';
import { FlowError, unavailable } from '../../../pkg/error/index.ts';
import type { Activeflow } from '../../../pkg/model/activeflow.ts';
import { NotificationMover } from '../../../pkg/outbox/notification-mover.ts';
import { Remembered } from '../../../pkg/outbox/remembered.ts';
import { RecordingLog } from '../../support/recorders.ts';

const row = (id: string, trace_seq: number, status = 'running') =>
  ({ id, status, state: { trace_seq } }) as unknown as Activeflow;

describe('the mover of notifications', () => {
  function moverWith(tell: (ids: readonly string[]) => void) {
    const log = new RecordingLog();
    const told: string[][] = [];
    const rows = async (given: readonly Activeflow[]): Promise<void> => {
      const ids = given.map(({ id, state }) => `${id}${state.trace_seq}`);
      told.push(ids);
      tell(ids);
    };
    const remembered = new Remembered();
    const known = (id: string): number => remembered.of(id).told_seq;
    return { mover: new NotificationMover({ rows }, log, remembered), told, log, known };
  }

  it('tells many rows at once, each once, and knows what may leave a row', async () => {
    const { mover, told, known } = moverWith(() => undefined);
    const first = row('a', 3);
    expect(known('a')).to.equal(0);
    await Promise.all([mover.move(first), mover.move(first), mover.move(row('b', 1))]);
    expect(told).to.deep.equal([['a3', 'b1']]);
    expect(known('a')).to.equal(3);
    await mover.move(row('a', 3));
    await mover.move(row('a', 3, 'ended'));
    expect(told.slice(1)).to.deep.equal([['a3']]);
  });

  it('keeps a row until it is told, however often that fails', async () => {
    let failures = 1;
    const { mover, told, log, known } = moverWith(() => {
      failures -= 1;
      if (failures >= 0) throw unavailable('DATABASE_UNAVAILABLE', 'away');
    });
    const moving = mover.move(row('a', 2));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect([told.length, known('a')]).to.deep.equal([1, 0]);
    // Its pauses keep no process alive by themselves.
    const alive = setInterval(() => undefined, 1_000);
    await moving;
    clearInterval(alive);
    expect([told.length, known('a')]).to.deep.equal([2, 2]);
    expect(log.lines[0]).to.match(/^warn .*wait to be stored/);
  });

  it('lets no row that can never be told keep the others', async () => {
    const { mover, log, known } = moverWith((ids) => {
      if (ids.includes('bad1')) throw new FlowError('FAILED_PRECONDITION', 'ROW_TOO_LARGE', 'too large');
    });
    await Promise.all([mover.move(row('a', 1)), mover.move(row('bad', 1)), mover.move(row('c', 1))]);
    expect([known('a'), known('c')]).to.deep.equal([1, 1]);
    expect(log.lines).to.have.length(1);
    expect(log.lines[0]).to.match(/^error .*"bad".*are lost/);
  });

  it('knows what was told last, also when an older row is told after it', async () => {
    const { mover, told, known } = moverWith(() => undefined);
    await mover.move(row('a', 5, 'ended'));
    await mover.move(row('a', 4));
    expect(known('a')).to.equal(5);
    await mover.move(row('a', 5, 'ended'));
    expect(told).to.deep.equal([['a5'], ['a4']]);
  });

  it('gives up when the process ends: what is not told stays', async () => {
    const { mover, told, known } = moverWith(() => undefined);
    const moving = mover.move(row('a', 1));
    mover.giveUp();
    await moving;
    expect([told, known('a')]).to.deep.equal([[], 0]);
  });
});
