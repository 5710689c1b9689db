// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
import { expect } from 'chai';
import type { Effect } from '../../../pkg/action/definition.ts';
import type { Action } from '../../../pkg/model/action.ts';
import { ACTION_START } from '../../../pkg/model/id.ts';
import { ok, refused } from '../../support/drive.ts';
import { EngineDriver } from '../../support/engine.ts';
import { act, id, jump, set, talk } from '../../support/engine_flow.ts';

const send = (label: string, text: string, extra = {}) =>
  act(label, 'message_send', { source: { target: '+1' }, destinations: [{ target: '+2' }], text }, extra);

const branches = (...lists: readonly (readonly Action[])[]) =>
  lists.map((actions, at) => ({ name: String.fromCharCode(97 + at), actions: actions as never }));

const parallel = (lists: readonly (readonly Action[])[], option = {}, extra = {}) =>
  act('p', 'parallel', { branches: branches(...lists), ...option } as never, extra);

const TWO = [
  [send('a1', '${who} a1'), set('s', 'x', '${who} a'), send('a2', '${x} a2')],
  [send('b1', '${who} b1'), set('t', 'x', '${who} b'), send('b2', '${x} b2')],
];

const textOf = (effect: Effect) => (effect.kind === 'request' ? String((effect.data as { text?: string }).text) : effect.kind);

describe('branches side by side', () => {
  it('see their own variables only, and the later branch wins', () => {
    const driver = new EngineDriver({
      flow: [parallel(TWO), talk('z', {}, '${x} ${parallel.a.result.x}')],
      variables: { who: 'Lee' },
    });
    expect(driver.next(ACTION_START).option).to.deep.equal({ text: 'Lee b Lee a' });
    expect(driver.asked.map(({ effect }) => textOf(effect)).sort()).to.deep.equal(['Lee a a2', 'Lee a1', 'Lee b b2', 'Lee b1']);
    expect(driver.row.state.run).to.equal(null);
  });

  it('ask for the same and for nothing else, wherever a process dies', () => {
    for (let at = 0; at < 12; at += 1) {
      let left = at;
      const driver = new EngineDriver({
        flow: [parallel(TWO), talk('z', {}, '${x}')],
        variables: { who: 'Lee' },
        mishaps: { crash: () => left-- === 0 },
        // Another answer each time: what a repeat would bring must not lead anywhere else.
        script: () => ok({ id: id(`t${at}`) }),
      });
      expect(driver.next(ACTION_START).option, `crash ${at}`).to.deep.equal({ text: 'Lee b' });
      const places = new Map(driver.asked.map(({ place, effect }) => [place, textOf(effect)]));
      expect([...places.values()].sort(), `crash ${at}`).to.deep.equal(['Lee a a2', 'Lee a1', 'Lee b b2', 'Lee b1']);
      for (const { place, effect } of driver.asked) expect(textOf(effect)).to.equal(places.get(place));
      expect(driver.asked.length, `crash ${at}`).to.be.at.most(6);
    }
  });

  it('ask nobody twice after a lost race, and see what was set meanwhile only where they had not begun', () => {
    const driver: EngineDriver = new EngineDriver({
      flow: [parallel(TWO), talk('z', {}, '${x} ${who}')],
      variables: { who: 'Lee' },
      mishaps: { during: () => driver.set({ who: 'Kim' }) },
    });
    const said = driver.next(ACTION_START).option;
    expect(said).to.deep.equal({ text: 'Kim b Kim' });
    expect(new Set(driver.asked.map(({ place }) => place)).size).to.equal(driver.asked.length);
    expect(
      driver.asked
        .map(({ effect }) => textOf(effect))
        .filter((text) => text.endsWith('1'))
        .sort(),
    ).to.deep.equal(['Lee a1', 'Lee b1']);
  });

  it('jump within their list, count their loops, and are stopped by stop', () => {
    const list = [set('s', 'n', '${n}x'), jump('g', 's', 2), act('h', 'stop'), set('u', 'n', 'not here')];
    const driver = new EngineDriver({ flow: [parallel([list]), talk('z', {}, '${n}')] });
    expect(driver.next(ACTION_START).option).to.deep.equal({ text: 'xxx' });
    const out = new EngineDriver({ flow: [parallel([[jump('g', 'z', 1)], [set('s', 'n', '1')]]), talk('z')] });
    out.next(ACTION_START);
    expect(out.row.variables['parallel.a']).to.have.nested.property('error.reason', 'TARGET_NOT_FOUND');
    const endless = [jump('g', 'h', 900), jump('h', 'g', 900)];
    const long = new EngineDriver({
      flow: [parallel([endless, [set('s', 'n', '1')]]), talk('z')],
      limits: { actions_per_request: 50 },
    });
    long.next(ACTION_START);
    expect(long.row.variables['parallel.a']).to.have.nested.property('error.reason', 'BRANCH_TOO_LONG');
  });

  it('take failures by on_error_target_id in their list, and leave nothing of them behind', () => {
    const list = [send('a1', 'x', { error: 's' }), set('not', 'n', 'not here'), set('s', 'n', '${voipbin.error.reason}')];
    const driver = new EngineDriver({ flow: [parallel([list]), talk('z', {}, '${n}')], script: () => refused('NO_WAY') });
    expect(driver.next(ACTION_START).option).to.deep.equal({ text: 'NO_WAY' });
    expect(driver.row.variables).not.to.have.property('voipbin.error.reason');
  });

  it('are given up when their time is over, also when that was before a crash', () => {
    let crashed = false;
    const driver: EngineDriver = new EngineDriver({
      flow: [parallel([[send('a1', 'x')], [set('s', 'n', '1')]], { timeout: 1_000 }), talk('z', {}, '${parallel.a.status} ${n}')],
      mishaps: {
        crash: () => {
          if (crashed) return false;
          crashed = true;
          driver.clock.advance(2_000);
          return true;
        },
      },
    });
    expect(driver.next(ACTION_START).option).to.deep.equal({ text: 'TIMEOUT 1' });
    expect(driver.asked).to.deep.equal([]);
  });

  it('are tried again as a whole', () => {
    let tries = 0;
    const driver = new EngineDriver({
      flow: [parallel([[send('a1', 'x')]], {}, { retry: { attempts: 2, initial_ms: 100 } }), talk('z')],
      script: () => (++tries < 2 ? refused('BUSY') : undefined),
    });
    for (let turn = 0; turn < 3 && driver.row.state.current.id !== id('z'); turn += 1) {
      try {
        driver.next(ACTION_START);
      } catch {
        // It pauses before its next try.
      }
      driver.clock.advance(1_000);
      driver.wake();
    }
    expect(tries).to.equal(2);
    expect(new Set(driver.asked.map(({ place }) => place)).size).to.equal(2);
  });
});
