// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { expect } from 'chai';
import { NIL } from '../../../pkg/model/id.ts';
import { ok, refused } from '../../support/drive.ts';
import { act, fetch, id, queueJoin, set, talk, webhook } from '../../support/engine_flow.ts';
import { cases } from './cases.ts';
import { failedAt } from './expectations.ts';
import { either, failing, fetched, joined } from './scripts.ts';

const down = { script: fetched({}), fallback: 'sorry' };
const sorry = { sorry: [talk('s', {}, 'sorry: ${voipbin.error.reason} at ${voipbin.error.type}'), act('h', 'hangup')] };

describe('the fallback flow', () => {
  cases([
    {
      name: 'takes a failure that nothing else takes, knows of it, and then the flow goes on',
      flow: [talk('a'), fetch('f', 'no'), talk('z')],
      ...down,
      flows: { sorry: [talk('s', {}, '${voipbin.error.reason} at ${voipbin.error.type}')] },
      hears: 'a s z finish',
      executed: 'start a f s z',
      trace: [
        'a handed_over',
        'f failed DOWN: refused: DOWN; goes to fallback_flow_id sorry',
        's handed_over',
        'z handed_over',
        'finish finished nothing comes after the last action',
      ],
      more: (it) => {
        expect(it.trace[2]?.action).to.deep.include({ option: { text: 'DOWN at fetch' } });
        expect(it.row.state.error).to.equal(null);
        expect(it.row.state.fallback).to.include({ reason: 'DOWN' });
      },
    },
    {
      name: 'comes before what was to come next anyway',
      flow: [fetch('f', 'no', { next: 'z' }), talk('y'), talk('z')],
      ...down,
      flows: sorry,
      hears: 's h z finish',
    },
    {
      name: 'is pushed on the list that has failed',
      flow: [fetch('g', 'list'), talk('z')],
      script: fetched({ list: [fetch('f', 'no'), talk('p')] }),
      fallback: 'sorry',
      flows: sorry,
      hears: 's h p z finish',
    },
    {
      name: 'ends the flow where it says stop',
      flow: [fetch('f', 'no'), talk('z')],
      ...down,
      flows: { sorry: [talk('s'), act('x', 'stop')] },
      hears: 's finish',
    },
    {
      name: 'takes one failure in a life: the next ends it, and the trace has both',
      flow: [fetch('f', 'no'), talk('z')],
      ...down,
      flows: { sorry: [talk('s'), set('v', 'voipbin.activeflow.id', 'x')] },
      hears: 's !VARIABLE_RESERVED',
      executed: 'start f s',
      more: (it) => {
        failedAt('v', 3)(it);
        expect(it.trace.at(-1)?.reason).to.match(/^VARIABLE_RESERVED: .*; its fallback had taken DOWN$/);
      },
    },
    {
      name: 'takes no second failure after it has returned either',
      flow: [fetch('f', 'no'), fetch('g', 'no'), talk('z')],
      ...down,
      flows: { sorry: [talk('s')] },
      hears: 's !DOWN',
      executed: 'start f s',
    },
    {
      name: 'is not needed where an on_error_target_id takes it',
      flow: [fetch('f', 'no', { error: 'e' }), talk('y'), talk('e')],
      ...down,
      flows: sorry,
      hears: 'e finish',
      asks: ['fetch https://flows/no'],
    },
    {
      name: 'is not needed after an action after which the flow goes on',
      flow: [webhook('w', '{}'), talk('z')],
      script: failing(/^webhook/),
      fallback: 'sorry',
      flows: sorry,
      hears: 'z finish',
    },
    {
      name: 'comes when the tries are used up',
      flow: [fetch('f', 'no', { retry: { attempts: 1 } }), talk('z')],
      ...down,
      flows: { sorry: [talk('s')] },
      hears: 's z finish',
      asks: ['fetch https://flows/no', 'fetch https://flows/no', 'flow sorry'],
    },
    {
      name: 'takes a push that could not be told of, which is taken back',
      flow: [queueJoin('j', 'queue'), talk('y')],
      script: either(failing(/status_waiting/), joined([talk('w')])),
      fallback: 'sorry',
      flows: { sorry: [talk('s')] },
      hears: 's y finish',
      executed: 'start j s y',
    },
    {
      name: 'works where the flow runs by itself',
      reference: 'api',
      flow: [fetch('f', 'no'), set('v', 'after', '1')],
      ...down,
      flows: { sorry: [set('s', 'seen', '${voipbin.error.message}')] },
      hears: 'finish',
      variables_at_end: { seen: 'refused: DOWN', after: '1' },
    },
    {
      name: 'that is gone ends the flow as without one',
      flow: [fetch('f', 'no'), talk('z')],
      ...down,
      hears: '!DOWN',
      executed: 'start',
      trace: ['f failed DOWN: refused: DOWN; fallback_flow_id sorry was not pushed: no such flow'],
      more: failedAt('f', 1),
    },
    {
      name: 'of another customer is none',
      flow: [fetch('f', 'no'), talk('z')],
      script: (effect) =>
        effect.kind === 'flow' ? ok({ id: id('sorry'), customer_id: NIL, list: 'list-main' }) : refused('DOWN'),
      fallback: 'sorry',
      hears: '!DOWN',
      trace: ['f failed DOWN: refused: DOWN; fallback_flow_id sorry was not pushed: no such flow'],
    },
    {
      name: 'that cannot be looked up is none',
      flow: [fetch('f', 'no'), talk('z')],
      script: (effect) => refused(effect.kind === 'flow' ? 'DATABASE_UNAVAILABLE' : 'DOWN'),
      fallback: 'sorry',
      hears: '!DOWN',
      trace: ['f failed DOWN: refused: DOWN; fallback_flow_id sorry was not pushed: DATABASE_UNAVAILABLE'],
    },
    {
      name: 'without actions is none',
      flow: [fetch('f', 'no'), talk('z')],
      ...down,
      flows: { sorry: [] },
      hears: '!DOWN',
      trace: ['f failed DOWN: refused: DOWN; fallback_flow_id sorry was not pushed: it has no actions'],
    },
    {
      name: 'above the limit of stacks is none',
      flow: [fetch('f', 'no'), talk('z')],
      ...down,
      flows: sorry,
      limits: { stacks: 1 },
      hears: '!DOWN',
      more: (it) => expect(it.trace.at(-1)?.reason).to.include('was not pushed: more than 1 stacks'),
    },
    {
      name: 'takes no limit of the whole activeflow',
      flow: [fetch('f', 'no', { error: 'f' })],
      ...down,
      flows: sorry,
      limits: { actions_per_request: 3 },
      hears: '!REQUEST_TOO_LONG',
    },
    {
      name: 'is not confused by what others do while it is looked up',
      flow: [fetch('f', 'no'), talk('z')],
      ...down,
      flows: { sorry: [talk('s')] },
      during: { 'f/1001': (it) => it.set({ x: '1' }) },
      hears: 's z finish',
      variables_at_end: { x: '1' },
    },
  ]);
});

describe('the message of a failure', () => {
  cases([
    {
      name: 'is kept to a thousand characters, and never cut in two',
      flow: [fetch('f', 'no', { error: 'z' }), talk('z')],
      script: () => ({ ok: false, error: { status: 'UNAVAILABLE', reason: 'LONG', message: `x${'😀'.repeat(5_000)}` } }),
      hears: 'z finish',
      more: (it) => {
        const message = String(it.row.variables['voipbin.error.message']);
        expect(message).to.equal(`x${'😀'.repeat(499)}…`);
        expect(it.trace[0]?.reason).to.have.length.below(1_100);
      },
    },
  ]);
});
