import { expect } from 'chai';
import { due } from '../../../pkg/engine/change.ts';
import { formatTime } from '../../../pkg/engine/world.ts';
import { NIL } from '../../../pkg/model/id.ts';
import { EngineDriver } from '../../support/engine.ts';
import { fetch, id, set, talk } from '../../support/engine_flow.ts';
import { converse } from './cases.ts';
import { fetched } from './scripts.ts';

describe('the flow that follows an end', () => {
  const ends: readonly [how: string, end: (it: EngineDriver) => void][] = [
    ['finish', (it) => converse(it)],
    ['stop', (it) => it.stop()],
    ['delete', (it) => it.remove()],
  ];
  for (const [how, end] of ends) {
    it(`is started by ${how}, with the variables and the reference of the one that ended`, () => {
      const it = new EngineDriver({ flow: [set('s', 'x', '1')], variables: { y: '2' }, follow_up: [talk('a')] });
      end(it);
      const { followUp } = it;
      expect(followUp).to.include({
        id: id('child'),
        flow_id: id('after'),
        reference_type: 'call',
        reference_id: it.row.reference_id,
        reference_activeflow_id: it.row.id,
        webhook_uri: '',
        status: 'running',
      });
      expect(followUp?.variables).to.deep.include({
        y: '2',
        'voipbin.activeflow.complete_count': '1',
        'voipbin.activeflow.id': id('child'),
      });
      expect(followUp?.variables.x).to.equal(how === 'finish' ? '1' : undefined);
      expect(followUp?.state.run).to.deep.equal({ kind: 'execute', asked: id('start'), key: '', steps: 0, stage: 'walking' });
      expect(due(followUp ?? it.row, formatTime(it.clock.now()))).to.equal('run');
    });
  }

  it('is started by a failure too, and knows what failed', () => {
    const it = new EngineDriver({ flow: [fetch('f', 'no')], script: fetched({}), follow_up: [] });
    converse(it);
    expect(it.followUp?.variables).to.include({ 'voipbin.error.reason': 'DOWN' });
  });

  it('is started once', () => {
    const it = new EngineDriver({ flow: [], follow_up: [] });
    converse(it);
    it.followUp = undefined;
    it.remove();
    expect(it.followUp).to.equal(undefined);
  });

  it('is none without an on_complete_flow_id', () => {
    const it = new EngineDriver({ flow: [] });
    converse(it);
    expect([it.row.on_complete_flow_id, it.followUp]).to.deep.equal([NIL, undefined]);
  });

  it('is started at most 5 deep', () => {
    const parent = (count: string) => ({ id: id('parent'), variables: { 'voipbin.activeflow.complete_count': count } });
    const fourth = new EngineDriver({ flow: [], parent: parent('3'), follow_up: [] });
    converse(fourth);
    expect(fourth.followUp?.variables).to.include({ 'voipbin.activeflow.complete_count': '5' });
    const fifth = new EngineDriver({ flow: [], parent: parent('4'), follow_up: [] });
    converse(fifth);
    expect(fifth.followUp).to.equal(undefined);
    expect(fifth.trace.at(-1)?.reason).to.contain('at most 5 deep');
  });
});
