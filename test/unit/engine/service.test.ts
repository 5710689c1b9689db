import { expect } from 'chai';
import type { EngineDriver } from '../../support/engine.ts';
import { act, empty, fetch, id, jump, labelOf, pressed, queueJoin, talk } from '../../support/engine_flow.ts';
import { type Case, cases } from './cases.ts';
import { expectForward, expectStacks, refusedUnchanged } from './expectations.ts';
import { either, fetched, joined } from './scripts.ts';

const queue = { flow: [talk('a'), queueJoin('j', 'queue'), talk('z')], script: joined([talk('w'), talk('x')]) };

describe('service_stop', () => {
  cases([
    {
      name: 'leaves the service’s stack: what follows the join comes next',
      ...queue,
      at: { w: (it) => [it.stopService(id('qc')), expectStacks(it, 'main'), expectForward(it, 'z')] },
      hears: 'a w z finish',
      executed: 'start a j w z',
    },
    {
      name: 'is followed by the next_id of the join',
      ...queue,
      flow: [queueJoin('j', 'queue', { next: 'z' }), talk('y'), talk('z')],
      at: { w: (it) => it.stopService(id('qc')) },
      hears: 'w z finish',
    },
    {
      name: 'of a join at the end finishes',
      ...queue,
      flow: [queueJoin('j', 'queue')],
      at: { w: (it) => it.stopService(id('qc')) },
      hears: 'w finish',
    },
    {
      name: 'inside a pushed list stays in that list',
      ...inService([talk('p')]),
      at: { w: (it) => [it.stopService(id('qc')), expectStacks(it, 'main #')] },
      hears: 'w p z finish',
    },
    {
      name: 'at the end of a pushed list returns from it',
      ...inService([]),
      at: { w: (it) => it.stopService(id('qc')) },
      hears: 'w z finish',
    },
    {
      name: 'drops a forward into the stack that it leaves',
      ...queue,
      at: { w: (it) => [it.forward(id('x')), it.stopService(id('qc'))] },
      hears: 'a w z finish',
    },
    {
      name: 'keeps a forward that leads out',
      ...queue,
      at: { w: (it) => [it.forward(id('a')), it.stopService(id('qc'))], a: () => undefined },
      hears: 'a w a w x z finish',
    },
    {
      name: 'keeps what was pushed in that stack and not entered yet',
      ...queue,
      at: { w: (it) => [it.push([talk('r')]), it.stopService(id('qc'))] },
      hears: 'a w r z finish',
    },
    {
      name: 'a forward after it holds',
      ...queue,
      at: { w: (it) => [it.stopService(id('qc')), it.forward(id('a'))] },
      hears: 'a w a w x z finish',
    },
    {
      name: 'a push after it comes before what follows',
      ...queue,
      at: { w: (it) => [it.stopService(id('qc')), it.push([talk('r')])] },
      hears: 'a w r z finish',
    },
    {
      name: 'a push after it, at the end of the flow, may still jump into the main stack',
      ...queue,
      flow: [talk('a'), queueJoin('j', 'queue')],
      at: { w: (it) => [it.stopService(id('qc')), it.push([jump('g', 'a', 1), talk('r')])] },
      hears: 'a w a w x finish',
    },
    {
      name: 'a push after it, at the end of the flow, ends in finish',
      ...queue,
      flow: [talk('a'), queueJoin('j', 'queue')],
      at: { w: (it) => [it.stopService(id('qc')), it.push([talk('r')])] },
      hears: 'a w r finish',
    },
    {
      name: 'while an action of the service decides: that action is left',
      ...service([pressed('c', '1', 'x'), talk('w'), talk('x')]),
      during: { c: (it) => it.stopService(id('qc')) },
      hears: 'z finish',
      executed: 'start j c z',
    },
    {
      name: 'while an action of the service fails: that action is left',
      ...service([fetch('f', 'no'), talk('w')]),
      during: { f: (it) => it.stopService(id('qc')) },
      hears: 'z finish',
      executed: 'start j f z',
    },
    {
      name: 'while an action of the service fetches: its list is left too',
      ...service([fetch('f', 'list'), talk('w')]),
      during: { f: (it) => it.stopService(id('qc')) },
      hears: 'z finish',
      executed: 'start j f z',
    },
    {
      name: 'add_actions after it come next',
      ...inService([talk('p')]),
      at: { w: (it) => [it.stopService(id('qc')), it.add([talk('r')])] },
      hears: 'w r p z finish',
    },
    {
      name: 'of another stack is refused',
      ...queue,
      at: { w: (it) => refusedUnchanged(it, () => it.stopService(id('other')), '409 SERVICE_NOT_CURRENT') },
      hears: 'a w x z finish',
    },
    {
      name: 'of an outer stack is refused',
      ...queue,
      at: {
        w: (it) => it.push([talk('r')]),
        r: (it) => refusedUnchanged(it, () => it.stopService(id('qc')), '409 SERVICE_NOT_CURRENT'),
      },
      hears: 'a w r x z finish',
    },
    {
      name: 'of the main stack is refused',
      ...queue,
      at: {
        a: (it) => refusedUnchanged(it, () => it.stopService('00000000-0000-0000-0000-000000000001'), '409 SERVICE_NOT_CURRENT'),
      },
      hears: 'a w x z finish',
    },
    {
      name: 'twice: the second is refused',
      ...queue,
      at: {
        w: (it) => [it.stopService(id('qc')), refusedUnchanged(it, () => it.stopService(id('qc')), '409 SERVICE_NOT_CURRENT')],
      },
      hears: 'a w z finish',
    },
    {
      name: 'the same service may be joined again',
      ...queue,
      flow: [queueJoin('j', 'queue'), jump('g', 'j', 1), talk('z')],
      at: { w: (it) => it.stopService(id('qc')) },
      hears: 'w w x z finish',
    },
    {
      name: 'at a block: the flow goes on with what follows the service',
      reference: 'conversation',
      flow: [act('t', 'ai_talk', { assistance_type: 'ai', assistance_id: id('ai') }), empty('z')],
      script: talkWith([act('b', 'block')]),
      at: { b: (it) => it.stopService(id('qc')) },
      hears: 'b',
      executed: 'start t b z',
      more: ended,
    },
    {
      name: 'at a timer: its time is nothing to the flow any more',
      reference: 'conversation',
      flow: [act('t', 'ai_talk', { assistance_type: 'ai', assistance_id: id('ai') }), act('b', 'block'), empty('z')],
      script: talkWith([act('s', 'sleep', { duration: 5_000 }), empty('y')]),
      at: {
        s: (it) => {
          it.stopService(id('qc'));
          expect(labelOf(it.row.state.current.id)).to.equal('b');
          it.clock.advance(5_001);
          expect([it.wake(), it.row.wake_at]).to.deep.equal(['nothing', null]);
        },
      },
      hears: 's b finish',
      executed: 'start t s b z',
    },
    {
      name: 'while it waits for a signal: nothing waits for that any more',
      reference: 'conversation',
      flow: [act('t', 'ai_talk', { assistance_type: 'ai', assistance_id: id('ai') }), act('b', 'block'), empty('z')],
      script: talkWith([act('w', 'callback_wait', { name: 'pay', timeout: 5_000, into: 'paid' }), empty('y')]),
      at: {
        w: (it) => {
          it.stopService(id('qc'));
          expect(it.signal('callback:pay', 'late')).to.equal(false);
          it.clock.advance(5_001);
          expect(it.wake()).to.equal('nothing');
        },
      },
      hears: 'w b finish',
      executed: 'start t w b z',
    },
  ]);
});

/** main: f (fetches j and more), z; j joins a queue that plays w x */
function inService(more: readonly object[]): Pick<Case, 'flow' | 'script'> {
  return {
    flow: [fetch('f', 'list'), talk('z')],
    script: either(fetched({ list: [queueJoin('j', 'queue'), ...more], late: [talk('l')] }), joined([talk('w'), talk('x')])),
  };
}

function service(actions: readonly object[]): Pick<Case, 'flow' | 'script'> {
  return { flow: [queueJoin('j', 'queue'), talk('z')], script: either(joined(actions), fetched({ list: [talk('p')] })) };
}

function ended(it: EngineDriver): void {
  expect(it.row).to.deep.include({ status: 'ended', wake_at: null });
}

function talkWith(actions: readonly object[]): NonNullable<Case['script']> {
  return () => ({ ok: true, value: { id: id('qc'), push_actions: actions as never } });
}
