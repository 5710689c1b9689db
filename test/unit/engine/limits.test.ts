// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { expect } from 'chai';
import { EngineDriver } from '../../support/engine.ts';
import { act, empty, fetch, id, talk } from '../../support/engine_flow.ts';
import { cases, refusal } from './cases.ts';
import { failedAt } from './expectations.ts';
import { fetched } from './scripts.ts';

describe('limits', () => {
  const empties = (count: number, name = 'n') => Array.from({ length: count }, (_, at) => empty(`${name}${at}`));

  cases([
    {
      name: 'as many actions as a request may walk, then finish',
      flow: empties(5),
      limits: { actions_per_request: 5 },
      hears: 'finish',
    },
    {
      name: 'one action more than a request may walk',
      flow: empties(6),
      limits: { actions_per_request: 5 },
      hears: '!REQUEST_TOO_LONG',
      executed: 'start n0 n1 n2 n3',
      more: failedAt('n4', 5),
    },
    {
      name: 'counts anew with each request',
      flow: [...empties(4), talk('a'), ...empties(5, 'm')],
      limits: { actions_per_request: 5 },
      hears: 'a finish',
    },
    {
      name: 'the handed over action counts',
      flow: [...empties(5), talk('a')],
      limits: { actions_per_request: 5 },
      hears: '!REQUEST_TOO_LONG',
    },
    {
      name: 'goes on counting when a walk is taken over',
      flow: [...empties(3), fetch('f', 'list'), ...empties(3, 'm')],
      script: fetched({ list: [] }),
      limits: { actions_per_request: 5 },
      hears: '!REQUEST_TOO_LONG',
    },
    {
      name: 'as many actions as an activeflow may walk, then finish',
      flow: [talk('a'), talk('b'), talk('c')],
      limits: { actions_per_activeflow: 3 },
      hears: 'a b c finish',
    },
    {
      name: 'one action more than an activeflow may walk',
      flow: [talk('a'), talk('b'), talk('c'), talk('d')],
      limits: { actions_per_activeflow: 3 },
      hears: 'a b c !ACTIVEFLOW_TOO_LONG',
      executed: 'start a b',
      more: failedAt('c', 3),
    },
    {
      name: 'an endless loop ends',
      flow: [empty('a', { next: 'a' })],
      limits: { actions_per_request: 50 },
      hears: '!REQUEST_TOO_LONG',
    },
    {
      name: 'an endless loop through the caller ends',
      flow: [talk('a', { next: 'a' })],
      limits: { actions_per_activeflow: 6 },
      hears: `${'a '.repeat(6)}!ACTIVEFLOW_TOO_LONG`,
    },
    {
      name: 'an endless loop of an activeflow that nobody waits for ends',
      reference: 'api',
      flow: [act('s', 'sleep', { duration: 10 }, { next: 's' })],
      limits: { actions_per_activeflow: 4 },
      hears: 's s s s !ACTIVEFLOW_TOO_LONG',
    },
    {
      name: 'one stack too many fails the action that pushes',
      flow: [fetch('f', 'list', { error: 'e' }), talk('e')],
      script: fetched({ list: [fetch('f', 'list')] }),
      limits: { stacks: 3 },
      hears: '!TOO_MANY_STACKS',
      executed: 'start f f',
    },
    {
      name: 'one stack too many may be handled',
      flow: [fetch('f', 'list'), talk('e')],
      script: fetched({ list: [fetch('f', 'list', { error: 'e' })] }),
      limits: { stacks: 3 },
      hears: 'e finish',
      executed: 'start f f f e',
    },
    {
      name: 'a fetched list that is too long fails',
      flow: [fetch('f', 'list')],
      script: fetched({ list: [talk('p'), talk('q')] }),
      limits: { actions_per_list: 1 },
      hears: '!TOO_MANY_ACTIONS',
    },
    {
      name: 'is told as 429',
      flow: empties(2),
      limits: { actions_per_request: 1 },
      hears: '!REQUEST_TOO_LONG',
      more: (it) => expect(refusal(() => it.next(id('start'), 'later'))).to.equal('429 REQUEST_TOO_LONG'),
    },
  ]);

  it('keeps the last answers only', () => {
    const it = new EngineDriver({ flow: [talk('a', { next: 'a' })], limits: { answers: 3 } });
    it.next(id('start'), 'k0');
    for (let at = 1; at < 6; at++) it.next(id('a'), `k${at}`);
    expect(it.row.state.answers.map((answer) => answer.key)).to.deep.equal(['k3', 'k4', 'k5']);
  });
});
