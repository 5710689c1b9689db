// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { expect } from 'chai';
import { formatTime } from '../../../pkg/engine/world.ts';
import { NIL } from '../../../pkg/model/id.ts';
import { refused } from '../../support/drive.ts';
import { EngineDriver } from '../../support/engine.ts';
import { act, empty, fetch, id, labelOf, set, talk } from '../../support/engine_flow.ts';
import { cases, converse, refusal } from './cases.ts';
import { fetched } from './scripts.ts';

const block = act('b', 'block');
const sleep = (label: string, duration: number) => act(label, 'sleep', { duration });

describe('execute, block and sleep', () => {
  cases([
    {
      name: 'execute runs to the end by itself',
      reference: 'api',
      flow: [set('a', 'x', '1'), set('b', 'x', '${x}2')],
      hears: 'finish',
      executed: 'start a b',
      variables_at_end: { x: '12' },
    },
    {
      name: 'a block holds until it is continued',
      reference: 'api',
      flow: [empty('a'), block, empty('c')],
      at: { b: (it) => atBlock(it) },
      hears: 'b finish',
      executed: 'start a b c',
    },
    { name: 'two blocks', reference: 'conversation', flow: [block, act('c', 'block')], hears: 'b c finish' },
    {
      name: 'a block in a pushed list',
      reference: 'api',
      flow: [fetch('f', 'list'), empty('z')],
      script: fetched({ list: [block, empty('p')] }),
      hears: 'b finish',
      executed: 'start f b p z',
    },
    {
      name: 'a push at a block is entered when it is continued',
      reference: 'api',
      flow: [block, empty('z')],
      at: { b: (it) => it.push([empty('p')]) },
      hears: 'b finish',
      executed: 'start b p z',
    },
    {
      name: 'a sleep waits for its time where there is no call',
      reference: 'api',
      flow: [empty('a'), sleep('s', 1_500), empty('z')],
      at: { s: (it) => asleep(it, 1_500) },
      hears: 's finish',
      executed: 'start a s z',
    },
    {
      name: 'a sleep of nothing does not wait',
      reference: 'api',
      flow: [sleep('s', 0), act('t', 'sleep')],
      hears: 'finish',
      executed: 'start s t',
    },
    {
      name: 'a sleep is the caller’s in a call',
      flow: [sleep('s', 1_500), talk('a')],
      hears: 's a finish',
      more: (it) => expect(it.row.wake_at).to.equal(null),
    },
    { name: 'a sleep without any reference', reference: '', flow: [sleep('s', 10)], hears: 's finish' },
    {
      name: 'a sleep until the end of the calendar',
      reference: 'api',
      flow: [sleep('s', Number.MAX_SAFE_INTEGER)],
      at: { s: (it) => [expect(it.row.state.wait?.due).to.equal('9999-12-31T23:59:59.999999Z'), it.stop()] },
      hears: 's',
    },
    {
      name: 'stopped at a block',
      reference: 'api',
      flow: [block, empty('z')],
      at: { b: (it) => it.stop() },
      hears: 'b',
      executed: 'start',
    },
    { name: 'on an empty flow it ends at once', reference: 'api', hears: 'finish' },
  ]);

  it('execute again does nothing', () => {
    const it = new EngineDriver({ reference: 'api', flow: [block] });
    it.execute('one');
    const before = it.row;
    it.execute('two');
    it.execute('one');
    expect(it.row).to.equal(before);
  });

  it('execute again does nothing after the end either, but what never ran is refused then', () => {
    const it = new EngineDriver({ reference: 'api', flow: [empty('a')] });
    it.execute('one');
    const before = it.row;
    it.execute('two');
    expect(it.row).to.equal(before);
    const stopped = new EngineDriver({ reference: 'api', flow: [empty('a')] });
    stopped.stop();
    expect(refusal(() => stopped.execute('one'))).to.equal('409 ACTIVEFLOW_ENDED');
  });

  it('execute while it runs does nothing', () => {
    const it: EngineDriver = new EngineDriver({
      reference: 'api',
      flow: [fetch('f', 'list')],
      script: fetched({ list: [empty('p')] }),
      mishaps: { during: () => it.execute('two') },
    });
    it.execute('one');
    expect([it.executed, it.asked.length]).to.deep.equal(['start f p', 1]);
  });

  it('continue is for the block it waits at, and for nothing else', () => {
    const it = new EngineDriver({ reference: 'api', flow: [block, sleep('s', 5), empty('z')] });
    expect(refusal(() => it.leaveBlock(id('b')))).to.equal('409 NOT_AT_BLOCK');
    it.execute();
    expect(refusal(() => it.leaveBlock(id('z')))).to.equal('409 NOT_AT_BLOCK');
    it.leaveBlock(id('b'), 'k');
    it.leaveBlock(id('b'), 'k');
    expect(refusal(() => it.leaveBlock(id('b')))).to.equal('409 NOT_AT_BLOCK');
    expect(
      refusal(() => it.leaveBlock(id('s'))),
      'a sleep is no block',
    ).to.equal('409 NOT_AT_BLOCK');
  });

  it('next at a block or a sleep is refused: it waits', () => {
    const it = new EngineDriver({ reference: 'conversation', flow: [block, empty('z')] });
    expect(labelOf(it.next(id('start')).id)).to.equal('b');
    expect(labelOf(it.next(id('start')).id)).to.equal('b');
    expect(refusal(() => it.next(id('b')))).to.equal('409 ACTIVEFLOW_WAITING');
  });
});

describe('stop and delete', () => {
  it('stop leaves the current action where it is, and may be repeated', () => {
    const it = new EngineDriver({ flow: [talk('a'), talk('b')] });
    it.next(id('start'));
    expect(it.stop()).to.equal(true);
    expect([labelOf(it.row.state.current.id), it.executed, it.row.state.step]).to.deep.equal(['a', 'start', 1]);
    const before = it.row;
    expect([it.stop(), it.stop('key')]).to.deep.equal([false, false]);
    expect(it.row).to.equal(before);
  });

  it('stop in a pushed list leaves the main stack alone', () => {
    const it = new EngineDriver({ flow: [talk('a')] });
    it.next(id('start'));
    it.push([talk('p')]);
    it.next(id('a'));
    it.stop();
    expect(it.row.state.stacks).to.have.length(1);
  });

  it('delete ends what runs, keeps it readable, and may be repeated', () => {
    const it = new EngineDriver({ flow: [talk('a')] });
    it.next(id('start'));
    expect(it.remove()).to.equal(true);
    expect(it.row.status).to.equal('ended');
    expect(it.row.tm_delete).to.equal(it.row.tm_update);
    const before = it.row;
    expect(it.remove()).to.equal(false);
    expect(it.row).to.equal(before);
    expect(it.events).to.deep.equal(['activeflow_created', 'activeflow_updated', 'activeflow_deleted'].slice(1));
  });

  it('delete after the end changes nothing but the time', () => {
    const it = new EngineDriver({ flow: [] });
    converse(it);
    const { state } = it.row;
    it.clock.advance(5);
    it.remove('k');
    expect({ ...it.row.state, answers: [], event_seq: 0 }).to.deep.equal({ ...state, answers: [], event_seq: 0 });
    expect(it.row.tm_delete).to.equal(formatTime(it.clock.now()));
  });

  it('before the start', () => {
    const it = new EngineDriver({ flow: [talk('a')] });
    it.stop();
    expect(refusal(() => it.next(id('start')))).to.equal('409 ACTIVEFLOW_ENDED');
    expect(refusal(() => it.execute())).to.equal('409 ACTIVEFLOW_ENDED');
  });
});

function atBlock({ row }: EngineDriver): void {
  expect(row.state.wait).to.deep.equal({ kind: 'block', due: null });
  expect(row.wake_at).to.equal(null);
  expect(row.state.step).to.equal(2);
}

function asleep({ row, clock }: EngineDriver, ms: number): void {
  expect(row.state.wait).to.deep.equal({ kind: 'timer', due: formatTime(clock.now() + ms) });
  expect(row.wake_at).to.equal(row.state.wait?.due);
}

describe('after the end', () => {
  it('every change but stop and delete is refused', () => {
    const it = new EngineDriver({ flow: [talk('a'), talk('b'), talk('c')] });
    converse(it);
    const block = id('b');
    const requests = {
      forward: () => it.forward(id('a')),
      push: () => it.push([talk('p')]),
      add: () => it.add([talk('p')]),
      stopService: () => it.stopService(NIL),
      set: () => it.set({ x: 1 }),
      unset: () => it.unset('x'),
      execute: () => it.execute(),
      continue: () => it.leaveBlock(block),
    };
    for (const [name, request] of Object.entries(requests)) {
      expect(refusal(request), name).to.equal('409 ACTIVEFLOW_ENDED');
    }
  });

  it('a failing sibling is named in the error that later requests get', () => {
    const it = new EngineDriver({ flow: [fetch('f', 'no')], script: () => refused('DOWN') });
    expect(converse(it)).to.deep.equal(['!DOWN']);
    expect(refusal(() => it.next(id('start'), 'again'))).to.equal('503 DOWN');
  });
});
