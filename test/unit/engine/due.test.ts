import { expect } from 'chai';
import { due } from '../../../pkg/engine/change.ts';
import { formatTime } from '../../../pkg/engine/world.ts';
import { EngineDriver } from '../../support/engine.ts';
import { act, empty, fetch, id, talk } from '../../support/engine_flow.ts';
import { fetched } from './scripts.ts';

const sleep = (label: string, duration: number) => act(label, 'sleep', { duration });

describe('what is due', () => {
  it('nothing, where a caller is to ask', () => {
    const it = new EngineDriver({ flow: [talk('a')] });
    it.next(id('start'));
    it.clock.advance(1e9);
    expect([it.wake(), it.row.wake_at]).to.deep.equal(['nothing', null]);
  });

  it('a timer from its time on, not a microsecond before', () => {
    const it = new EngineDriver({ reference: 'api', flow: [sleep('s', 100), empty('z')] });
    it.execute();
    expect(it.row.wake_at).to.equal(it.row.state.wait?.due);
    it.clock.advance(99.999);
    expect(it.wake()).to.equal('nothing');
    it.clock.advance(0.001);
    expect(it.wake()).to.equal('timer');
    expect(it.row.status).to.equal('ended');
    expect(it.wake()).to.equal('nothing');
  });

  it('a timer is never early, whatever the clock shows between milliseconds', () => {
    const it = new EngineDriver({ reference: 'api', flow: [sleep('s', 1)] });
    it.clock.advance(0.25);
    it.execute();
    expect(it.row.state.wait?.due).to.equal(formatTime(Math.floor(it.clock.now()) + 2));
  });

  it('a walk that lost its process, when its lease is out', () => {
    const crash = { left: 1 };
    const it = new EngineDriver({
      reference: 'api',
      flow: [fetch('f', 'list')],
      script: fetched({ list: [empty('p')] }),
      mishaps: { crash: () => crash.left-- > 0 },
    });
    it.execute();
    expect([it.executed, it.row.status]).to.deep.equal(['start f p', 'ended']);
  });

  it('the deadline before everything else', () => {
    const it = new EngineDriver({ reference: 'api', flow: [sleep('s', 100)], deadline_ms: 100 });
    it.execute();
    expect(it.row.wake_at).to.equal(it.row.deadline_at);
    it.clock.advance(100);
    expect(it.wake()).to.equal('deadline');
    expect(it.row.state.error).to.include({ reason: 'DEADLINE_EXCEEDED' });
    expect([it.wake(), due(it.row, formatTime(it.clock.now()))]).to.deep.equal(['nothing', 'nothing']);
  });

  it('nothing before the deadline, and no deadline means none', () => {
    const it = new EngineDriver({ flow: [talk('a')], deadline_ms: 100 });
    it.clock.advance(99.999);
    expect(it.wake()).to.equal('nothing');
    expect(new EngineDriver({ flow: [talk('a')] }).row.deadline_at).to.equal(null);
  });
});
