// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { expect } from 'chai';
import { EngineDriver } from '../../support/engine.ts';
import { above, act, branch, empty, fetch, id, jump, pressed, queueJoin, set, talk, webhook } from '../../support/engine_flow.ts';
import { cases, converse } from './cases.ts';
import { fetched, joined } from './scripts.ts';

const END = 'finish finished nothing comes after the last action';

describe('the trace', () => {
  cases([
    {
      name: 'shows the numbers that a condition compared',
      flow: [above('c', '${n}', 10, 'z'), talk('a'), talk('z')],
      variables: { n: '7.5' },
      hears: 'z finish',
      trace: ['c jumped 7.5 > 10: false', 'z handed_over', END],
    },
    {
      name: 'shows why a condition held',
      flow: [above('c', '${n}', 10, 'z'), talk('a'), talk('z')],
      variables: { n: 11 },
      hears: 'a z finish',
      trace: ['c run 11 > 10: true', 'a handed_over', 'z handed_over', END],
    },
    {
      name: 'shows what was no number',
      flow: [above('c', '${n}', 10, 'z'), talk('z')],
      variables: { n: 'many' },
      hears: 'z finish',
      trace: ['c jumped "many" is not a number: false', 'z handed_over', END],
    },
    {
      name: 'shows the texts that a condition compared',
      flow: [
        act('c', 'condition_variable', { condition: '==', variable: '${x}', value_string: 'yes', false_target_id: id('z') }),
        talk('z'),
      ],
      variables: { x: 'no' },
      hears: 'z finish',
      trace: ['c jumped "no" == "yes": false', 'z handed_over', END],
    },
    {
      name: 'shows what a branch saw, and empties it',
      flow: [branch('b', 'digits', { 1: 'z' }), talk('a'), talk('z')],
      variables: { digits: '1' },
      hears: 'z finish',
      variables_at_end: { digits: '' },
      trace: ['b jumped digits is "1": its target', 'z handed_over', END],
    },
    {
      name: 'counts the jumps of a goto',
      flow: [talk('a'), jump('g', 'a', 1)],
      hears: 'a a finish',
      trace: ['a handed_over', 'g jumped jump 1 of 1', 'a handed_over', 'g run has jumped 1 of 1 times', END],
    },
    {
      name: 'shows the digits that were looked at',
      flow: [pressed('c', '1', 'z'), talk('z')],
      script: () => ({ ok: true, value: { digits: '23' } }),
      hears: 'z finish',
      trace: ['c jumped "23" contains "1": false', 'z handed_over', END],
    },
    {
      name: 'shows pushes, and what others did',
      flow: [talk('a'), fetch('f', 'list'), talk('z')],
      script: fetched({ list: [talk('p')] }),
      at: { a: (it) => it.push([talk('q')]), z: (it) => it.forward(id('a')) },
      during: { f: (it) => it.set({ x: '1' }) },
      hears: 'a q p z a p z finish',
      trace: [
        'a handed_over',
        'a pushed 1 actions, by request',
        'q handed_over',
        'f pushed 1 actions fetched',
        'p handed_over',
        'z handed_over',
        'z forwarded next is a, by request',
        'a handed_over',
        'f pushed 1 actions fetched',
        'p handed_over',
        'z handed_over',
        END,
      ],
    },
    {
      name: 'shows a service and its stop',
      flow: [queueJoin('j', 'queue'), talk('z')],
      script: joined([talk('w'), talk('x')]),
      at: { w: (it) => it.stopService(id('qc')) },
      hears: 'w z finish',
      trace: [
        'j pushed queuecall qc: 2 actions',
        'w handed_over',
        'w updated service qc stopped, by request',
        'z handed_over',
        END,
      ],
    },
    {
      name: 'shows waits and what ended them',
      reference: 'api',
      flow: [act('b', 'block'), act('s', 'sleep', { duration: 5 })],
      hears: 'b s finish',
      trace: [
        'b waiting until continue',
        'b resumed continued, by request',
        's waiting for 5 ms',
        's resumed its time 2026-01-02T03:04:05.005000Z has come',
        END,
      ],
    },
    { name: 'names no value that is set', flow: [set('s', 'pin', '1234')], hears: 'finish', trace: ['s run sets pin', END] },
    {
      name: 'shows a stop by request',
      flow: [talk('a')],
      at: { a: (it) => it.stop() },
      hears: 'a !ACTIVEFLOW_ENDED',
      trace: ['a handed_over', 'a stopped stopped, by request'],
    },
    { name: 'shows what was only sent', flow: [webhook('w', '{}')], hears: 'finish', trace: ['w run webhook sent', END] },
  ]);

  it('has whole actions where the cursor moved, and nothing but id and type elsewhere', () => {
    const it = new EngineDriver({ flow: [talk('a'), talk('b')] });
    it.next(id('start'));
    it.push([talk('p')]);
    expect(it.trace.map(({ step, action }) => [step, 'option' in action])).to.deep.equal([
      [1, true],
      [undefined, false],
    ]);
  });

  it('says how long an action took, in ms, and when', () => {
    const it: EngineDriver = new EngineDriver({
      flow: [fetch('f', 'list'), talk('a')],
      script: fetched({ list: [] }),
      mishaps: { during: () => it.clock.advance(12.5) },
    });
    it.next(id('start'));
    expect(it.trace.map(({ duration_ms, tm }) => [duration_ms, tm])).to.deep.equal([
      [12.5, '2026-01-02T03:04:05.012500Z'],
      [0, '2026-01-02T03:04:05.012500Z'],
    ]);
  });
});

describe('executed_actions and execute_count', () => {
  const count = (it: EngineDriver) => [it.row.state.step, it.executed];

  it('hold what was left behind, the start first, the current one never', () => {
    const it = new EngineDriver({ flow: [talk('a'), empty('e'), talk('b')] });
    expect(count(it)).to.deep.equal([0, '']);
    it.next(id('start'));
    expect(count(it)).to.deep.equal([1, 'start']);
    it.next(id('a'));
    expect(count(it)).to.deep.equal([3, 'start a e']);
    it.next(id('b'));
    expect(count(it)).to.deep.equal([4, 'start a e b']);
    expect(it.row.state.current.id).to.equal(id('finish'));
  });

  it('hold an action as often as it ran', () => {
    const it = new EngineDriver({ flow: [talk('a'), jump('g', 'a', 2)] });
    converse(it);
    expect(count(it)).to.deep.equal([7, 'start a g a g a g']);
  });

  it('hold what a stop left', () => {
    const it = new EngineDriver({ flow: [talk('a'), talk('b')] });
    it.next(id('start'));
    it.stop();
    expect(count(it)).to.deep.equal([1, 'start']);
  });

  it('do not hold what a push, a forward or a stopped service passed', () => {
    const it = new EngineDriver({ flow: [talk('a'), talk('b'), talk('c')] });
    it.next(id('start'));
    it.push([talk('p'), talk('q')]);
    it.next(id('a'));
    it.forward(id('c'));
    it.next(id('p'));
    expect(count(it)).to.deep.equal([3, 'start a p']);
  });
});
