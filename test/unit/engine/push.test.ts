import { fetch, id, pressed, queueJoin, talk } from '../../support/engine_flow.ts';
import { cases } from './cases.ts';
import { expectStacks, refusedUnchanged } from './expectations.ts';
import { either, failing, fetched, joined } from './scripts.ts';

const three = [talk('a'), talk('b'), talk('c')];
const inList = { flow: [talk('a'), fetch('f', 'list'), talk('z')], script: fetched({ list: [talk('p'), talk('q')] }) };

describe('push by request', () => {
  cases([
    {
      name: 'is entered at the next next, then returns',
      flow: three,
      at: { a: (it) => it.push([talk('p'), talk('q')]) },
      hears: 'a p q b c finish',
      executed: 'start a p q b c',
    },
    { name: 'before the first next', flow: three, before: (it) => it.push([talk('p')]), hears: 'p a b c finish' },
    { name: 'at the last action', flow: [talk('a')], at: { a: (it) => it.push([talk('p')]) }, hears: 'a p finish' },
    {
      name: 'returns to the next_id of the action it came at',
      flow: [talk('a', { next: 'c' }), talk('b'), talk('c')],
      at: { a: (it) => it.push([talk('p')]) },
      hears: 'a p c finish',
    },
    {
      name: 'with a forward pending comes first, then the forward',
      flow: three,
      at: { a: (it) => [it.forward(id('c')), it.push([talk('p')])] },
      hears: 'a p c finish',
    },
    {
      name: 'twice: the last one first, each returns to the one before',
      flow: three,
      at: { a: (it) => [it.push([talk('p'), talk('q')]), it.push([talk('r')])] },
      hears: 'a r p q b c finish',
    },
    { name: 'in a pushed list returns into it', ...inList, at: { p: (it) => it.push([talk('r')]) }, hears: 'a p r q z finish' },
    {
      name: 'while a fetch is under way: the fetched list comes first, then it',
      ...inList,
      during: { f: (it) => it.push([talk('r')]) },
      hears: 'a p q r z finish',
    },
    {
      name: 'while a condition is under way survives its jump',
      flow: [pressed('c', '1', 'z'), talk('b'), talk('z')],
      during: { c: (it) => it.push([talk('r')]) },
      hears: 'r z finish',
    },
    {
      name: 'two while a condition is under way survive its jump',
      flow: [pressed('c', '1', 'z'), talk('b'), talk('z')],
      during: { c: (it) => [it.push([talk('r')]), it.push([talk('s')])] },
      hears: 's r z finish',
    },
    {
      name: 'while an action fails survives its on_error_target_id',
      flow: [fetch('f', 'no', { error: 'e' }), talk('b'), talk('e')],
      script: fetched({}),
      during: { f: (it) => it.push([talk('r')]) },
      hears: 'r e finish',
    },
    {
      name: 'while a queue is told survives the failure of telling it',
      flow: [queueJoin('j', 'queue', { error: 'e' }), talk('b'), talk('e')],
      script: either(failing(/status_waiting/), joined([talk('w')])),
      during: { 'j/1000': (it) => it.push([talk('r')]) },
      hears: 'r e finish',
      executed: 'start j r e',
    },
    {
      name: 'while a queue is asked survives the failure of telling it',
      flow: [queueJoin('j', 'queue', { error: 'e' }), talk('b'), talk('e')],
      script: either(failing(/status_waiting/), joined([talk('w')])),
      during: { j: (it) => it.push([talk('r')]) },
      hears: 'r e finish',
    },
    {
      name: 'while a queue is told comes before what the queue pushed',
      flow: [queueJoin('j', 'queue'), talk('b')],
      script: joined([talk('w')]),
      during: { 'j/1000': (it) => it.push([talk('r')]) },
      hears: 'r w b finish',
    },
    {
      name: 'of nothing is refused',
      flow: three,
      at: { a: (it) => refusedUnchanged(it, () => it.push([]), '400 NO_ACTIONS') },
      hears: 'a b c finish',
    },
    { name: 'into a flow that has none', before: (it) => it.push([talk('p')]), hears: 'p finish' },
    {
      name: 'beyond the limit of stacks is refused',
      flow: three,
      limits: { stacks: 2 },
      at: { a: (it) => [it.push([talk('p')]), refusedUnchanged(it, () => it.push([talk('q')]), '429 TOO_MANY_STACKS')] },
      hears: 'a p b c finish',
    },
    {
      name: 'is done once for a key',
      flow: three,
      at: { a: (it) => [it.push([talk('p')], 'k'), it.push([talk('p')], 'k')] },
      hears: 'a p b c finish',
    },
  ]);
});

describe('add_actions', () => {
  cases([
    {
      name: 'come right after the current action, in its stack',
      ...inList,
      at: { p: (it) => [it.add([talk('r'), talk('s')]), expectStacks(it, 'main #')] },
      hears: 'a p r s q z finish',
    },
    { name: 'after the last action of the stack', ...inList, at: { q: (it) => it.add([talk('r')]) }, hears: 'a p q r z finish' },
    {
      name: 'twice: the later ones first',
      ...inList,
      at: { p: (it) => [it.add([talk('r')]), it.add([talk('s')])] },
      hears: 'a p s r q z finish',
    },
    {
      name: 'do not beat next_id',
      ...inList,
      script: fetched({ list: [talk('p', { next: 'z' })] }),
      at: { p: (it) => it.add([talk('r')]) },
      hears: 'a p z finish',
    },
    {
      name: 'are targets at once',
      ...inList,
      at: { p: (it) => [it.add([talk('r'), talk('s')]), it.forward(id('s'))] },
      hears: 'a p s q z finish',
    },
    {
      name: 'come after what is pushed already',
      ...inList,
      at: { p: (it) => [it.push([talk('r')]), it.add([talk('s')])] },
      hears: 'a p r s q z finish',
    },
    {
      name: 'do not change the list for others',
      flow: [fetch('f', 'list'), fetch('g', 'list')],
      script: inList.script,
      at: { p: (it) => it.add([talk('r')]) },
      hears: 'p r q p q finish',
    },
    {
      name: 'on the main stack are refused',
      flow: three,
      at: { a: (it) => refusedUnchanged(it, () => it.add([talk('r')]), '400 MAIN_STACK') },
      hears: 'a b c finish',
    },
    {
      name: 'with an id that the stack has are refused',
      ...inList,
      at: { p: (it) => refusedUnchanged(it, () => it.add([talk('q')]), '400 ACTION_ID_TWICE') },
      hears: 'a p q z finish',
    },
    {
      name: 'that make the list too long are refused',
      ...inList,
      limits: { actions_per_list: 3 },
      at: { p: (it) => [it.add([talk('r')]), refusedUnchanged(it, () => it.add([talk('s')]), '400 TOO_MANY_ACTIONS')] },
      hears: 'a p r q z finish',
    },
    {
      name: 'of nothing are refused',
      ...inList,
      at: { p: (it) => refusedUnchanged(it, () => it.add([]), '400 NO_ACTIONS') },
      hears: 'a p q z finish',
    },
  ]);
});
