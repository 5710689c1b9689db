import { act, empty, fetch, id, talk } from '../../support/engine_flow.ts';
import { cases } from './cases.ts';
import { expectForward, refusedUnchanged } from './expectations.ts';
import { fetched } from './scripts.ts';

const three = [talk('a'), talk('b'), talk('c')];
const inList = { flow: [talk('a'), fetch('f', 'list'), talk('z')], script: fetched({ list: [talk('p'), talk('q')] }) };

describe('forward', () => {
  cases([
    {
      name: 'goes next to an action ahead',
      flow: three,
      at: { a: (it) => it.forward(id('c')) },
      hears: 'a c finish',
      executed: 'start a c',
    },
    { name: 'goes next to an action behind', flow: three, at: { b: (it) => it.forward(id('a')) }, hears: 'a b a b c finish' },
    {
      name: 'goes next to the current action itself',
      flow: three,
      at: { b: (it) => it.forward(id('b')) },
      hears: 'a b b c finish',
    },
    {
      name: 'beats next_id',
      flow: [talk('a', { next: 'b' }), talk('b'), talk('c')],
      at: { a: (it) => it.forward(id('c')) },
      hears: 'a c finish',
    },
    { name: 'before the first next', flow: [empty('x'), ...three], before: (it) => it.forward(id('b')), hears: 'b c finish' },
    {
      name: 'the last one holds',
      flow: three,
      at: { a: (it) => [it.forward(id('b')), it.forward(id('c'))] },
      hears: 'a c finish',
    },
    { name: 'out of a pushed list drops it', ...inList, at: { p: (it) => it.forward(id('z')) }, hears: 'a p z finish' },
    {
      name: 'into a list that is pushed and not entered yet',
      flow: three,
      at: { a: (it) => [it.push([talk('p'), talk('q')]), it.forward(id('q'))] },
      hears: 'a q b c finish',
    },
    {
      name: 'past a list that is pushed and not entered yet drops it',
      flow: three,
      at: { a: (it) => [it.push([talk('p')]), it.forward(id('c'))] },
      hears: 'a c finish',
    },
    {
      name: 'while an action decides holds for what comes after it',
      ...inList,
      during: { f: (it) => it.forward(id('a')) },
      hears: 'a p q a p q z finish',
    },
    {
      name: 'nowhere is refused and changes nothing',
      flow: three,
      at: { a: (it) => refusedUnchanged(it, () => it.forward(id('x')), '400 FORWARD_ACTION_NOT_FOUND') },
      hears: 'a b c finish',
    },
    {
      name: 'into a list that was left is nowhere',
      ...inList,
      at: { z: (it) => refusedUnchanged(it, () => it.forward(id('p')), '400 FORWARD_ACTION_NOT_FOUND') },
      hears: 'a p q z finish',
    },
    {
      name: 'shows as forward_action_id until it is taken',
      flow: three,
      at: { a: (it) => [it.forward(id('c')), expectForward(it, 'c')], c: (it) => expectForward(it, undefined) },
      hears: 'a c finish',
    },
    {
      name: 'holds while a flow waits',
      reference: 'api',
      flow: [act('b', 'block'), empty('c'), empty('d')],
      at: { b: (it) => it.forward(id('d')) },
      hears: 'b finish',
      executed: 'start b d',
    },
  ]);
});
