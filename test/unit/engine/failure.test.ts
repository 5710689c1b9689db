// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { expect } from 'chai';
import { NIL } from '../../../pkg/model/id.ts';
import { ok, refused } from '../../support/drive.ts';
import { EngineDriver } from '../../support/engine.ts';
import { act, fetch, fetchFlow, id, jump, queueJoin, set, talk, webhook } from '../../support/engine_flow.ts';
import { answered, cases, converse, refusal } from './cases.ts';
import { failedAt } from './expectations.ts';
import { either, failing, fetched, joined } from './scripts.ts';

const down = { script: fetched({}) };

describe('a failing action', () => {
  cases([
    {
      name: 'stops the flow; it stays the current one, and the step counts',
      flow: [talk('a'), fetch('f', 'no'), talk('z')],
      ...down,
      hears: 'a !DOWN',
      executed: 'start a',
      more: failedAt('f', 2),
      trace: ['a handed_over', 'f failed DOWN: refused: DOWN'],
    },
    {
      name: 'in a pushed list stops the whole flow',
      flow: [fetch('f', 'list'), talk('z')],
      script: fetched({ list: [talk('p'), fetch('g', 'no')] }),
      hears: 'p !DOWN',
      executed: 'start f p',
      more: failedAt('g', 3),
    },
    {
      name: 'goes to its on_error_target_id',
      flow: [fetch('f', 'no', { error: 'e' }), talk('y'), talk('e'), talk('z')],
      ...down,
      hears: 'e z finish',
      executed: 'start f e z',
      trace: [
        'f failed DOWN: refused: DOWN; goes to on_error_target_id e',
        'e handed_over',
        'z handed_over',
        'finish finished nothing comes after the last action',
      ],
    },
    {
      name: 'finds its on_error_target_id outward',
      flow: [fetch('f', 'list'), talk('y'), talk('e')],
      script: fetched({ list: [fetch('g', 'no', { error: 'e' }), talk('p')] }),
      hears: 'e finish',
    },
    {
      name: 'whose on_error_target_id is nowhere stops the flow',
      flow: [fetch('f', 'no', { error: 'x' }), talk('z')],
      ...down,
      hears: '!DOWN',
    },
    {
      name: 'tells the flow what failed',
      flow: [
        fetch('f', 'no', { error: 'e' }),
        talk('e', {}, '${voipbin.error.type} ${voipbin.error.reason} ${voipbin.error.message} ${voipbin.error.action_id}'),
      ],
      ...down,
      hears: 'e finish',
      more: (it) => expect(it.trace[1]?.action).to.deep.include({ option: { text: `fetch DOWN refused: DOWN ${id('f')}` } }),
    },
    {
      name: 'beats next_id with its on_error_target_id',
      flow: [fetch('f', 'no', { next: 'y', error: 'e' }), talk('y'), talk('e')],
      ...down,
      hears: 'e finish',
    },
    {
      name: 'that goes on after failures goes on',
      flow: [webhook('w', '{}'), talk('z')],
      script: failing(/^webhook/),
      hears: 'z finish',
      trace: ['w failed DOWN: refused: DOWN; goes on', 'z handed_over', 'finish finished nothing comes after the last action'],
    },
    {
      name: 'that goes on after failures follows its next_id',
      flow: [webhook('w', '{}', { next: 'z' }), talk('y'), talk('z')],
      script: failing(/^webhook/),
      hears: 'z finish',
    },
    {
      name: 'that goes on after failures prefers its on_error_target_id',
      flow: [webhook('w', '{}', { error: 'e' }), talk('z'), talk('e')],
      script: failing(/^webhook/),
      hears: 'e finish',
    },
    { name: 'that asks for nothing fails just so', flow: [webhook('w', 'no json'), talk('z')], hears: 'z finish', asks: [] },
    {
      name: 'whose on_error_target_id is itself ends at the limit',
      flow: [fetch('f', 'no', { error: 'f' })],
      ...down,
      limits: { actions_per_request: 5 },
      hears: '!REQUEST_TOO_LONG',
      executed: 'start f f f f',
    },
    {
      name: 'answered with an error of its sibling’s keeps its status',
      flow: [fetchFlow('f', 'nobody')],
      script: () => refused('NO_MONEY', 'PAYMENT_REQUIRED'),
      hears: '!NO_MONEY',
      more: (it) => expect(refusal(() => it.next(id('start'), 'later'))).to.equal('402 NO_MONEY'),
    },
    {
      name: 'by a nonsense answer is a failure',
      flow: [fetch('f', 'list')],
      script: () => ok({ status: 200, body: { not: 'a list' } }),
      hears: '!FETCH_NO_ACTIONS',
    },
    {
      name: 'by a list that is no list of actions is a failure',
      flow: [fetch('f', 'list', { error: 'e' }), talk('e')],
      script: () => ok({ status: 200, body: [7, { type: 'talk', option: { async: 'maybe' } }] }),
      hears: 'e finish',
    },
    {
      name: 'by two actions of one id in a list is a failure',
      flow: [fetch('f', 'list')],
      script: fetched({ list: [talk('p'), talk('p')] }),
      hears: '!DUPLICATE_ACTION_ID',
    },
    {
      name: 'by a flow of another customer is a failure',
      flow: [fetchFlow('f', 'theirs')],
      script: () => ok({ id: id('theirs'), customer_id: NIL, list: 'list-main' }),
      hears: '!FLOW_NOT_FOUND',
    },
    {
      name: 'handed over with an option that fits no more fails',
      flow: [act('e', 'echo', { duration: 'long' }, { error: 'z' }), talk('z')],
      hears: 'z finish',
    },
    { name: 'may set no variable of the service’s', flow: [set('s', 'voipbin.activeflow.id', 'x')], hears: '!VARIABLE_RESERVED' },
    {
      name: 'inside a loop does not lose the count',
      flow: [talk('a'), fetch('f', 'no', { error: 'g' }), talk('y'), jump('g', 'a', 2), talk('z')],
      ...down,
      hears: 'a a a z finish',
    },
    {
      name: 'while it is told of its push takes the push back',
      flow: [queueJoin('j', 'queue', { error: 'e' }), talk('y'), talk('e')],
      script: either(failing(/status_waiting/), joined([talk('w')])),
      hears: 'e finish',
      executed: 'start j e',
      trace: [
        'j pushed queuecall qc: 1 action',
        'j failed DOWN: refused: DOWN; goes to on_error_target_id e',
        'e handed_over',
        'finish finished nothing comes after the last action',
      ],
    },
    {
      name: 'while it is told of its push stops the flow',
      flow: [queueJoin('j', 'queue'), talk('y')],
      script: either(failing(/status_waiting/), joined([talk('w')])),
      hears: '!DOWN',
      executed: 'start',
      more: failedAt('j', 1),
    },
  ]);
});

describe('the error that ended a flow', () => {
  const ended = () => {
    const it = new EngineDriver({ flow: [talk('a'), fetch('f', 'no')], ...down });
    expect(converse(it)).to.deep.equal(['a', '!DOWN']);
    return it;
  };

  it('is the answer to each retry, by key and by id', () => {
    const it = ended();
    expect(refusal(() => it.next(id('a'), 'next 1'))).to.equal('503 DOWN');
    expect(refusal(() => it.next(id('a'), 'a new key'))).to.equal('503 DOWN');
    expect(refusal(() => it.next(id('a')))).to.equal('503 DOWN');
  });

  it('is no answer to anything else', () => {
    const it = ended();
    for (const asked of ['f', 'start', 'finish', 'x', 'none']) {
      expect(
        refusal(() => it.next(id(asked), asked)),
        asked,
      ).to.equal('409 ACTIVEFLOW_ENDED');
    }
  });

  it('leaves the answers of before as they were', () => {
    expect(answered(() => ended().next(id('start'), 'next 0'))).to.have.property('id', id('a'));
  });

  it('says which status it has, whole, in the row', () => {
    expect(ended().row.state.error).to.deep.equal({ status: 'UNAVAILABLE', reason: 'DOWN', message: 'refused: DOWN' });
  });
});
