// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { expect } from 'chai';
import type { EffectAnswer } from '../../../pkg/action/definition.ts';
import { due } from '../../../pkg/engine/change.ts';
import { formatTime } from '../../../pkg/engine/world.ts';
import { EngineDriver } from '../../support/engine.ts';
import { act, empty, fetch, id, labelOf, set, talk } from '../../support/engine_flow.ts';
import { cases, refusal } from './cases.ts';
import { fetched } from './scripts.ts';

const SIGNAL = 'callback:pay';

const wait = (label: string, option: object = {}, extra?: { error?: string }) =>
  act(label, 'callback_wait', { name: 'pay', ...option }, extra);
const bridged = (...actions: readonly object[]) => ({ while_waiting: actions as never });

/** A call that waits at `w` and plays a and b meanwhile. */
function bridgedCall(option: object = {}): EngineDriver {
  const it = new EngineDriver({ flow: [wait('w', { ...bridged(talk('a'), talk('b')), ...option }), talk('z'), talk('t')] });
  it.next(id('start'));
  return it;
}

const hears = (it: EngineDriver, asked: string, key = '') => labelOf(it.next(id(asked), key).id);

describe('waiting for a signal', () => {
  cases([
    {
      name: 'stands still until it comes, where there is no caller',
      reference: 'api',
      flow: [wait('w', { into: 'paid' }), set('v', 'amount', '${paid.body.amount}')],
      at: { w: (it) => expect(it.signal(SIGNAL, { body: { amount: 7 } })).equal(true) },
      hears: 'w',
      variables_at_end: { amount: '7' },
      trace: [
        'w waiting until callback "pay" comes',
        'w resumed callback:pay has come',
        'v run sets amount',
        'finish finished nothing comes after the last action',
      ],
    },
    {
      name: 'is left when its time is over, to its target',
      reference: 'api',
      flow: [wait('w', { timeout: 100, timeout_target_id: id('t'), into: 'paid' }), empty('z'), empty('t')],
      variables: { paid: 'of the last time' },
      hears: 'w finish',
      executed: 'start w t',
      variables_at_end: { paid: null },
    },
    {
      name: 'without a target it goes on',
      reference: 'api',
      flow: [wait('w', { timeout: 100 }), empty('z')],
      hears: 'w finish',
      executed: 'start w z',
    },
    {
      name: 'what has come already is taken at once',
      flow: [wait('w', { into: 'paid' }), talk('z', {}, '${paid.body}')],
      script: looked({ arrival: { id: 'kept', value: { body: 'thanks' } } }),
      hears: 'z finish',
      more: (it) => expect(it.trace[1]?.action).to.deep.include({ option: { text: 'thanks' } }),
    },
  ]);

  it('plays to a call in a loop', () => {
    const it = bridgedCall();
    expect([hears(it, 'a'), hears(it, 'b'), hears(it, 'a'), hears(it, 'b')]).deep.equal(['b', 'a', 'b', 'a']);
    expect(it.row.state.wait).equal(null);
  });

  it('cuts the caller off, who gets what follows, once', () => {
    const it = bridgedCall({ into: 'paid' });
    expect(it.signal(SIGNAL, 'yes')).equal(true);
    expect([it.row.state.cut_off, it.wake()]).deep.equal([true, 'cut_off']);
    expect([hears(it, 'a', '1'), hears(it, 'a', '1'), hears(it, 'a', '2')]).deep.equal(['z', 'z', 'z']);
    expect([it.row.state.cut_off, it.row.state.stacks.length, it.row.variables.paid]).deep.equal([undefined, 1, 'yes']);
  });

  it('a caller who asked just before gets what it plays, and then what follows', () => {
    const it = bridgedCall();
    expect(hears(it, 'a', '1')).equal('b');
    it.signal(SIGNAL);
    expect(hears(it, 'a', 'cut off too early'), 'the action that it is to be cut off from').equal('b');
    expect(it.row.state.cut_off, 'and is told again').equal(true);
    expect(hears(it, 'b', '3')).equal('z');
  });

  it('a call that has nothing to play pauses', () => {
    const it = new EngineDriver({ flow: [wait('w'), talk('z')] });
    const pause = it.next(id('start'));
    expect(pause).deep.include({ type: 'sleep', option: { duration: 60_000 } });
    expect(it.next(pause.id, 'it is over').type, 'and pauses again').equal('sleep');
    it.signal(SIGNAL);
    expect(labelOf(it.next(pause.id, 'cut off').id)).equal('z');
  });

  it('a loop in which the caller gets nothing to run gets a pause', () => {
    const it = new EngineDriver({ flow: [wait('w', bridged(set('v', 'x', '1'), empty('e')))] });
    expect(it.next(id('start')).type).equal('sleep');
    expect(it.row.variables.x).equal('1');
  });

  it('texts of what plays are substituted when it plays, and not before', () => {
    const flow = [wait('w', bridged(talk('a', {}, '${turn}')))];
    const it = new EngineDriver({ flow, parent: { id: id('parent'), variables: { turn: '${secret}', secret: 'x' } } });
    expect(it.next(id('start')).option, 'what a variable holds is data').deep.equal({ text: '${secret}' });
    it.set({ turn: 'two' });
    expect(it.next(id('a')).option).deep.equal({ text: 'two' });
  });

  it('its time is over in a call: one commit decides', () => {
    const it = bridgedCall({ timeout: 100, timeout_target_id: id('t'), into: 'paid' });
    expect(it.row.wake_at).equal(it.row.state.stacks[1]?.awaits?.due);
    it.clock.advance(99.9);
    expect(it.wake()).equal('nothing');
    it.clock.advance(1);
    expect([it.wake(), it.signal(SIGNAL, 'late')]).deep.equal(['timeout', false]);
    expect([hears(it, 'a'), it.row.variables.paid]).deep.equal(['t', null]);
  });

  it('what came first is not undone by the end of the time', () => {
    const it = bridgedCall({ timeout: 100, timeout_target_id: id('t') });
    it.signal(SIGNAL);
    it.clock.advance(1_000);
    expect([it.wake(), hears(it, 'a')]).deep.equal(['cut_off', 'z']);
  });

  it('leaves what the loop has fetched, and is not held up by what is being fetched', () => {
    const script = fetched({ list: [talk('p')] });
    const flow = [wait('w', bridged(fetch('f', 'list'))), talk('z')];
    const entered = new EngineDriver({ flow, script });
    expect(hears(entered, 'start')).equal('p');
    entered.signal(SIGNAL);
    expect([hears(entered, 'p'), entered.row.state.stacks.length]).deep.equal(['z', 1]);

    const during = { asked: false };
    const busy: EngineDriver = new EngineDriver({
      flow,
      script,
      mishaps: {
        during: ({ effect }) => {
          if (effect.kind === 'fetch' && !during.asked) during.asked = busy.signal(SIGNAL);
        },
      },
    });
    expect([hears(busy, 'start', '1'), busy.row.state.cut_off]).deep.equal(['z', undefined]);
  });

  it('looks again when a signal is given between its look and its wait', () => {
    let given = false;
    const racing: EngineDriver = new EngineDriver({
      reference: 'api',
      flow: [wait('w', { into: 'paid' }), set('v', 'got', '${paid}')],
      script: (effect) => {
        if (effect.kind !== 'look') return undefined;
        if (given) return { ok: true, value: { arrival: { id: 'i', value: 'in between' } } };
        given = true;
        expect(racing.signal(SIGNAL), 'nobody waits yet').equal(false);
        return { ok: true, value: {} };
      },
    });
    racing.execute();
    expect([racing.row.status, racing.row.variables.got]).deep.equal(['ended', 'in between']);
  });

  it('what was pushed and forwarded by request comes first', () => {
    const pushed = bridgedCall();
    pushed.push([talk('p')]);
    pushed.signal(SIGNAL);
    expect([hears(pushed, 'a'), hears(pushed, 'p')]).deep.equal(['p', 'z']);
    const forwarded = bridgedCall({ timeout: 100, timeout_target_id: id('z') });
    forwarded.forward(id('t'));
    forwarded.clock.advance(101);
    expect([forwarded.wake(), hears(forwarded, 'a')]).deep.equal(['timeout', 't']);
  });

  it('may be waited for inside of a loop: each by its own name', () => {
    const inner = act('i', 'callback_wait', { name: 'inner', while_waiting: [talk('x')] as never });
    const one = new EngineDriver({ flow: [wait('w', bridged(inner, talk('b'))), talk('z')] });
    expect(hears(one, 'start')).equal('x');
    one.signal('callback:inner');
    expect(hears(one, 'x')).equal('b');
    expect(hears(one, 'b'), 'the loop waits again').equal('x');
    one.signal(SIGNAL);
    expect(hears(one, 'x')).equal('z');
  });

  it('what has no room is refused, and the flow waits on', () => {
    const it = bridgedCall({ into: 'paid' });
    expect(refusal(() => it.signal(SIGNAL, 'x'.repeat(70_000)))).equal('400 VARIABLE_TOO_LARGE');
    expect([hears(it, 'a'), it.signal(SIGNAL, 'x'.repeat(48 * 1024))], 'what fits into all variables fits').deep.equal([
      'b',
      true,
    ]);
    expect(hears(it, 'b')).equal('z');
  });

  it('a target that is nowhere is refused before it waits', () => {
    const it = new EngineDriver({ flow: [wait('w', { timeout: 1, timeout_target_id: id('gone') })] });
    expect(refusal(() => it.next(id('start')))).match(/TARGET_NOT_FOUND/);
  });

  it('an ended flow takes none', () => {
    const it = bridgedCall();
    it.stop();
    expect(refusal(() => it.signal(SIGNAL))).equal('409 ACTIVEFLOW_ENDED');
    expect(due(it.row, formatTime(it.clock.now() + 1e9))).equal('nothing');
  });
});

function looked(value: object): (effect: { kind: string }) => EffectAnswer | undefined {
  return ({ kind }) => (kind === 'look' ? { ok: true, value: value as never } : undefined);
}
