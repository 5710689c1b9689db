// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { act, branch, empty, fetch, id, jump, queueJoin, set, talk } from '../../support/engine_flow.ts';
import { cases } from './cases.ts';
import { fetched, joined } from './scripts.ts';

describe('loops', () => {
  cases([
    {
      name: 'a goto jumps as often as it says, then goes on',
      flow: [talk('a'), talk('b'), jump('g', 'b', 2), talk('c')],
      hears: 'a b b b c finish',
      executed: 'start a b g b g b g c',
    },
    { name: 'a count of 0 does not jump', flow: [talk('a'), jump('g', 'a', 0), talk('b')], hears: 'a b finish' },
    {
      name: 'no count does not jump',
      flow: [talk('a'), act('g', 'goto', { target_id: id('a') }), talk('b')],
      hears: 'a b finish',
    },
    { name: 'a goto to itself counts too', flow: [jump('g', 'g', 3), talk('a')], hears: 'a finish', executed: 'start g g g g a' },
    {
      name: 'it counts anew when it is reached again',
      flow: [talk('a'), jump('g', 'a', 1), jump('h', 'a', 1), talk('z')],
      hears: 'a a a a z finish',
      executed: 'start a g a g h a g a g h z',
    },
    {
      name: 'nested loops multiply',
      flow: [talk('a'), jump('g', 'a', 2), jump('h', 'a', 2), talk('z')],
      hears: `${'a '.repeat(9)}z finish`,
    },
    {
      name: 'a loop around a pushed list pushes it anew each time',
      flow: [fetch('f', 'list'), jump('g', 'f', 2), talk('z')],
      script: fetched({ list: [talk('p')] }),
      hears: 'p p p z finish',
    },
    {
      name: 'a loop inside a pushed list counts anew with each push',
      flow: [fetch('f', 'list'), jump('g', 'f', 1), talk('z')],
      script: fetched({ list: [talk('p'), jump('h', 'p', 1)] }),
      hears: 'p p p p z finish',
    },
    {
      name: 'a loop inside a service that is joined again counts anew',
      flow: [queueJoin('j', 'queue'), jump('g', 'j', 1), talk('z')],
      script: joined([talk('w'), jump('h', 'w', 1), talk('x')]),
      hears: 'w w x w w x z finish',
    },
    {
      name: 'two gotos of one id in two stacks count for themselves',
      flow: [fetch('f', 'list'), talk('b'), jump('g', 'b', 1), talk('z')],
      script: fetched({ list: [talk('p'), jump('g', 'p', 2)] }),
      hears: 'p p p b b z finish',
    },
    {
      name: 'a goto out of a pushed list jumps again when the list is pushed again',
      flow: [talk('a'), fetch('f', 'list'), talk('z')],
      script: fetched({ list: [branch('b', 'done', { yes: 'z' }), set('v', 'done', 'yes'), jump('g', 'a', 1)] }),
      hears: 'a a z finish',
      executed: 'start a f b v g a f b z',
    },
    {
      name: 'the count goes on while others look at it',
      flow: [talk('a'), jump('g', 'a', 2), talk('z')],
      at: { a: (it) => it.set({ x: '1' }) },
      hears: 'a a a z finish',
    },
    {
      name: 'the old loop is a count',
      flow: [talk('a'), act('g', 'goto', { target_id: id('a'), loop: 2 }), empty('b')],
      hears: 'a a a finish',
    },
    {
      name: 'a count may be a variable',
      flow: [talk('a'), act('g', 'goto', { target_id: id('a'), loop_count: '${n}' })],
      variables: { n: 1 },
      hears: 'a a finish',
    },
  ]);
});
