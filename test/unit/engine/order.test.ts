import { expect } from 'chai';
import { NIL } from '../../../pkg/model/id.ts';
import type { EngineDriver } from '../../support/engine.ts';
import { act, branch, empty, fetch, fetchFlow, id, jump, queueJoin, stackLabel, talk } from '../../support/engine_flow.ts';
import type { Setting } from '../../support/engine_process.ts';
import { cases } from './cases.ts';
import { fetched, joined } from './scripts.ts';

/** main: a, f (fetches p q), z */
const nested = (script: NonNullable<Setting['script']> = fetched({ list: [talk('p'), talk('q')] })) => ({
  flow: [talk('a'), fetch('f', 'list'), talk('z')],
  script,
});

describe('the order of a flow', () => {
  cases([
    { name: 'one action after the other, then finish', flow: [talk('a'), talk('b')], hears: 'a b finish', executed: 'start a b' },
    { name: 'nothing in it: finish at once', flow: [], hears: 'finish', executed: 'start' },
    { name: 'no flow at all: finish at once', hears: 'finish', executed: 'start' },
    {
      name: 'what is its own is run on the way, the first that is the caller’s is answered',
      flow: [empty('a'), empty('b'), talk('c'), empty('d')],
      hears: 'c finish',
      executed: 'start a b c d',
    },
    { name: 'next_id beats the following action', flow: [talk('a', { next: 'c' }), talk('b'), talk('c')], hears: 'a c finish' },
    {
      name: 'next_id may go back',
      flow: [empty('a', { next: 'c' }), talk('b', { next: 'd' }), talk('c', { next: 'b' }), talk('d')],
      hears: 'c b d finish',
    },
    { name: 'an unknown next_id finishes', flow: [talk('a', { next: 'x' }), talk('b')], hears: 'a finish', executed: 'start a' },
    { name: 'next_id of finish finishes', flow: [talk('a', { next: 'finish' }), talk('b')], hears: 'a finish' },
    { name: 'a nil next_id is none', flow: [{ ...talk('a'), next_id: NIL }, talk('b')], hears: 'a b finish' },
    {
      name: 'a next_id of an action that the engine runs',
      flow: [empty('a', { next: 'c' }), talk('b'), talk('c')],
      hears: 'c finish',
      executed: 'start a c',
    },
    { name: 'the action stop ends it', flow: [talk('a'), act('s', 'stop'), talk('b')], hears: 'a finish', executed: 'start a s' },
  ]);
});

describe('stacks', () => {
  cases([
    { name: 'a pushed list runs before what follows', ...nested(), hears: 'a p q z finish', executed: 'start a f p q z' },
    {
      name: 'an empty push is none, and the trace says so',
      ...nested(fetched({ list: [] })),
      hears: 'a z finish',
      trace: [
        'a handed_over',
        'f run 0 actions fetched; nothing to push',
        'z handed_over',
        'finish finished nothing comes after the last action',
      ],
    },
    {
      name: 'after a pushed list comes the next_id of the action that pushed it',
      flow: [fetch('f', 'list', { next: 'z' }), talk('y'), talk('z')],
      script: fetched({ list: [talk('p')] }),
      hears: 'p z finish',
    },
    {
      name: 'after a pushed list at the end of the flow comes finish',
      flow: [fetch('f', 'list')],
      script: fetched({ list: [talk('p')] }),
      hears: 'p finish',
    },
    {
      name: 'lists pushed from pushed lists return one by one',
      flow: [fetch('f', 'one'), talk('z')],
      script: fetched({ one: [fetch('g', 'two'), talk('p')], two: [talk('q')] }),
      hears: 'q p z finish',
      executed: 'start f g q p z',
    },
    {
      name: 'a list that ends in a push returns through it',
      flow: [fetch('f', 'one'), talk('z')],
      script: fetched({ one: [fetch('g', 'two')], two: [fetch('h', 'three')], three: [talk('q')] }),
      hears: 'q z finish',
    },
    {
      name: 'next_id is looked for in the current stack first',
      ...nested(fetched({ list: [talk('p', { next: 'z' }), talk('q'), talk('z', {}, 'inner')] })),
      hears: 'a p z z finish',
      more: (it) => expectOption(it, ['inner', 'z']),
    },
    {
      name: 'next_id is found in an outer stack, and the inner one is left',
      ...nested(fetched({ list: [talk('p', { next: 'z' }), talk('q')] })),
      hears: 'a p z finish',
    },
    {
      name: 'next_id two stacks out leaves both',
      flow: [fetch('f', 'one'), talk('y'), talk('z')],
      script: fetched({ one: [fetch('g', 'two'), talk('p')], two: [talk('q', { next: 'z' })] }),
      hears: 'q z finish',
    },
    {
      name: 'next_id back to the action that pushed pushes anew',
      flow: [talk('a'), fetch('f', 'list'), talk('z')],
      script: fetched({
        list: [branch('b', 'again', { no: 'z' }), act('v', 'variable_set', { key: 'again', value: 'no' }, { next: 'f' })],
      }),
      hears: 'a z finish',
      executed: 'start a f b v f b z',
    },
    {
      name: 'an unknown next_id in a pushed list finishes the whole flow',
      ...nested(fetched({ list: [talk('p', { next: 'x' })] })),
      hears: 'a p finish',
    },
    {
      name: 'next_id never looks into a stack that was left',
      ...nested(),
      flow: [fetch('f', 'list'), talk('z', { next: 'p' })],
      hears: 'p q z finish',
    },
    {
      name: 'the same ids in two stacks do not meet',
      ...nested(fetched({ list: [talk('a', {}, 'inner a'), talk('z', {}, 'inner z')] })),
      hears: 'a a z z finish',
    },
    {
      name: 'fetch_flow pushes the actions of another flow',
      flow: [fetchFlow('f', 'other'), talk('z')],
      flows: { other: [talk('o')] },
      hears: 'o z finish',
      asks: ['flow other'],
    },
    {
      name: 'fetch_flow of an empty flow goes on',
      flow: [fetchFlow('f', 'other'), talk('z')],
      flows: { other: [] },
      hears: 'z finish',
    },
    {
      name: 'a flow may fetch itself, until there are too many stacks',
      flow: [talk('a'), fetchFlow('f', 'main')],
      limits: { stacks: 3 },
      hears: 'a a a !TOO_MANY_STACKS',
      executed: 'start a f a f a',
    },
    {
      name: 'a queue’s actions are a stack of the queuecall’s id',
      flow: [queueJoin('j', 'queue'), talk('z')],
      script: joined([talk('w')]),
      hears: 'w z finish',
      at: { w: (it) => expectStack(it, 'qc') },
      asks: ['queue POST /v1/services/type/queuecall', 'queue POST /v1/queuecalls/qc/status_waiting'],
    },
    {
      name: 'a queue with nothing to play is told all the same',
      flow: [queueJoin('j', 'queue'), talk('z')],
      script: joined([]),
      hears: 'z finish',
      asks: ['queue POST /v1/services/type/queuecall', 'queue POST /v1/queuecalls/qc/status_waiting'],
    },
    {
      name: 'a stack id that is taken is not taken twice',
      flow: [queueJoin('j', 'queue'), talk('z')],
      script: joined([queueJoin('k', 'other')], { other: [talk('w')] }),
      hears: 'w z finish',
      executed: 'start j k w z',
    },
    {
      name: 'actions from outside get ids where they have none',
      ...nested(fetched({ list: [{ type: 'talk', option: { text: 'hi' } }] })),
      hears: 'a # z finish',
    },
  ]);
});

describe('targets of jumps', () => {
  cases([
    { name: 'forwards', flow: [jump('g', 'c', 1), talk('b'), talk('c')], hears: 'c finish' },
    {
      name: 'outward, leaving the stacks on the way',
      ...nested(fetched({ list: [jump('g', 'z', 1), talk('q')] })),
      hears: 'a z finish',
    },
    {
      name: 'in the current stack first',
      ...nested(fetched({ list: [jump('g', 'z', 1), talk('q'), talk('z'), talk('r')] })),
      hears: 'a z r z finish',
    },
    {
      name: 'nowhere: the action fails',
      flow: [talk('a'), jump('g', 'x', 1), talk('b')],
      hears: 'a !TARGET_NOT_FOUND',
      executed: 'start a',
    },
    {
      name: 'in a stack that was left: nowhere',
      flow: [fetch('f', 'list'), jump('g', 'p', 1)],
      script: fetched({ list: [talk('p')] }),
      hears: 'p !TARGET_NOT_FOUND',
    },
    { name: 'a branch nowhere fails', flow: [branch('b', 'v', {}, 'x'), talk('a')], hears: '!TARGET_NOT_FOUND' },
    {
      name: 'an old index counts in the current stack',
      ...nested(fetched({ list: [talk('p'), act('g', 'goto', { target_index: 0, loop_count: 1 })] })),
      hears: 'a p p z finish',
    },
    {
      name: 'a jump beats next_id',
      flow: [jump('g', 'c', 1, { next: 'b' }), talk('b', { next: 'finish' }), talk('c')],
      hears: 'c finish',
    },
    {
      name: 'a goto that does not jump follows its next_id',
      flow: [jump('g', 'b', 0, { next: 'c' }), talk('b'), talk('c')],
      hears: 'c finish',
    },
  ]);
});

function expectStack(it: EngineDriver, label: string): void {
  expect(it.row.state.current_stack_id).to.equal(id(label));
  expect(it.row.state.stacks.map((stack) => stackLabel(stack.id))).to.deep.equal(['main', label]);
}

/** Texts of the talks that the trace shows, the last ones. */
function expectOption(it: EngineDriver, texts: readonly string[]): void {
  const said = it.trace.flatMap((line) => ('option' in line.action && line.step !== undefined ? [line.action.option?.text] : []));
  expect(said.filter((text) => text !== undefined).slice(-texts.length)).to.deep.equal(texts);
}
