// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { expect } from 'chai';
import { ACTION_TYPES } from '../../../pkg/action/catalogue.ts';
import type { Medium } from '../../../pkg/model/action.ts';
import { REFERENCE_TYPES } from '../../../pkg/model/activeflow.ts';
import { EngineDriver } from '../../support/engine.ts';
import { act, empty, fetch, talk } from '../../support/engine_flow.ts';
import { cases } from './cases.ts';
import { fetched } from './scripts.ts';

const RUNS: { readonly [reference: string]: readonly Medium[] } = {
  call: ['rtc', 'any'],
  '': ['any'],
};

describe('media', () => {
  for (const reference of REFERENCE_TYPES) {
    it(`passes over what ${reference || 'no reference'} has no medium for`, () => {
      const media = RUNS[reference] ?? ['non_rtc', 'any'];
      for (const type of ACTION_TYPES) {
        const driver = new EngineDriver({ reference, flow: [act('t', type.type, {})] });
        driver.execute();
        const first = driver.trace[0];
        expect(first?.action.type).to.equal(type.type);
        expect(first?.outcome === 'passed_over', `${type.type} for ${reference}`).to.equal(!media.includes(type.medium));
      }
    });
  }

  cases([
    {
      name: 'what is passed over is executed, and the trace says why',
      reference: 'api',
      flow: [talk('a'), empty('b')],
      hears: 'finish',
      executed: 'start a b',
      trace: [
        'a passed_over needs a call’s audio, and this is api',
        'b run',
        'finish finished nothing comes after the last action',
      ],
    },
    {
      name: 'no reference at all',
      reference: '',
      flow: [talk('a'), act('b', 'block')],
      hears: 'finish',
      trace: [
        'a passed_over needs a call’s audio, and this is no reference',
        'b passed_over needs a reference',
        'finish finished nothing comes after the last action',
      ],
    },
    {
      name: 'a block is passed over in a call',
      flow: [act('b', 'block'), talk('a')],
      hears: 'a finish',
      trace: ['b passed_over not for a call', 'a handed_over', 'finish finished nothing comes after the last action'],
    },
    {
      name: 'next_id of what is passed over holds',
      reference: 'api',
      flow: [talk('a', { next: 'c' }), empty('b'), empty('c')],
      hears: 'finish',
      executed: 'start a c',
    },
    {
      name: 'options of what is passed over are substituted, and nobody is asked',
      reference: 'conversation',
      flow: [talk('a', {}, '${x} ${voipbin.flow.reference_data}')],
      variables: { x: '1' },
      hears: 'finish',
      asks: [],
      more: (it) => expect(it.trace[0]?.action).to.deep.include({ option: { text: '1 ' } }),
    },
    {
      name: 'an unknown type in a fetched list is passed over',
      flow: [fetch('f', 'list'), talk('z')],
      script: fetched({ list: [{ type: 'dance', option: { text: '${x}', depth: { y: ['${x}'] } } }, talk('p')] }),
      variables: { x: '1' },
      hears: 'p z finish',
      more: (it) =>
        expect(it.trace[1])
          .to.deep.include({ outcome: 'passed_over', reason: 'unknown type dance' })
          .and.to.have.nested.property('action.option')
          .deep.equal({ text: '1', depth: { y: ['1'] } }),
    },
    {
      name: 'an unknown type in a pushed list is passed over',
      flow: [talk('a')],
      at: { a: (it) => it.push([act('d', 'dance'), act('c', 'constructor'), act('p', '__proto__'), talk('p2')]) },
      hears: 'a p2 finish',
      executed: 'start a d c p p2',
    },
    {
      name: 'older names of types are known',
      flow: [act('f', 'patch', { event_url: 'https://flows/list' }), talk('z')],
      script: fetched({ list: [talk('p')] }),
      hears: 'p z finish',
    },
  ]);
});
