/** The recorded histories of the repository, decided again by this build; and how a difference is named. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { FlowError } from '../../../pkg/error/index.ts';
import type { Json } from '../../../pkg/model/json.ts';
import { type HistoryFile, parseHistory } from '../../../pkg/service/history/file.ts';
import { replay } from '../../../pkg/service/history/replay.ts';
import { id } from '../../support/engine_flow.ts';
import { record, SCENARIOS } from '../../support/history_scenarios.ts';

const FOLDER = new URL('../../fixtures/histories/', import.meta.url);
const NAMES = readdirSync(FOLDER).map((name) => name.replace('.json', ''));

function fixture(name: string, edit?: (text: string) => string): HistoryFile {
  const text = readFileSync(new URL(`${name}.json`, FOLDER), 'utf8');
  const edited = edit?.(text) ?? text;
  if (edit && edited === text) throw new Error(`${name}: nothing was edited`);
  return parseHistory(JSON.parse(edited) as Json);
}

describe('the recorded histories', () => {
  for (const name of NAMES) {
    it(`are decided the same by this build: ${name}`, () => {
      const file = fixture(name);
      expect(replay(file)).to.deep.equal({ decisions: file.records.length });
    });
  }

  it('are there for every scenario', () => {
    expect(NAMES).to.include.members(SCENARIOS.map(({ name }) => name));
  });

  it('come out the same when they are recorded again', async () => {
    const some = SCENARIOS.filter(({ name }) => ['fetch', 'taken_over', 'on_complete'].includes(name));
    for (const scenario of some) {
      for (const [name, file] of await record(scenario)) expect(file, name).to.deep.equal(fixture(name));
    }
  });

  it('hold every outcome and every kind of input', () => {
    const files = NAMES.map((name) => fixture(name));
    const outcomes = new Set(files.flatMap(({ trace }) => trace.map(({ outcome }) => outcome)));
    expect([...outcomes].sort()).to.deep.equal([
      'failed',
      'finished',
      'forwarded',
      'handed_over',
      'jumped',
      'passed_over',
      'pushed',
      'resumed',
      'retried',
      'run',
      'stopped',
      'updated',
      'waiting',
    ]);
    const inputs = new Set(files.flatMap(({ records }) => records.map(({ input }) => input.kind)));
    expect([...inputs].sort()).to.deep.equal(['change', 'continue', 'create', 'follow_up', 'walk']);
  });
});

describe('a decision that is another one than then', () => {
  it('is named by step, action, what was decided and what is now', () => {
    const { decisions, difference } = replay(fixture('loops', (text) => text.replaceAll('"loop_count":2', '"loop_count":1')));
    expect(decisions).to.equal(2);
    expect(difference?.action).to.deep.equal({ id: id('b'), type: 'goto' });
    expect(difference).to.include({ what: 'trace', step: 2 });
    expect(difference?.was).to.deep.include({ outcome: 'jumped', step: 2 });
  });

  it('is named where something else is asked for', () => {
    const { difference } = replay(
      fixture('fetch', (text) => text.replace('"url":"https://flows/one"', '"url":"https://flows/another"')),
    );
    expect(difference).to.include({ what: 'asked', step: 1 });
    expect(difference?.action).to.deep.equal({ id: id('a'), type: 'fetch' });
  });

  it('is named where a variable is another', () => {
    const { difference } = replay(fixture('order', (text) => text.replace('"set":{"x":7}', '"set":{"x":8}')));
    expect(difference).to.include({ what: 'variables.x', was: 8, now: 7 });
  });

  it('is named where the time of a timer is another', () => {
    const { difference } = replay(
      fixture('timer', (text) => text.replace(/"due":"2026-01-02T03:04:10/, '"due":"2026-01-02T03:04:11')),
    );
    expect(difference).to.include({ what: 'state.wait' });
  });

  it('is named where a change is refused now', () => {
    const { difference } = replay(
      fixture('control', (text) =>
        text.replace(`"kind":"forward","action_id":"${id('c')}"`, `"kind":"forward","action_id":"${id('x')}"`),
      ),
    );
    expect(difference).to.include({ what: 'decision', was: 'made' });
    expect(String(difference?.now)).to.match(/^FORWARD_ACTION_NOT_FOUND/);
  });

  it('is named where an end is followed by none', () => {
    const { difference } = replay(
      fixture('on_complete', (text) => text.replace(/"follow_up_flow":\{.*?\},"decided"/, '"follow_up_flow":null,"decided"')),
    );
    expect(difference).to.include({ what: 'trace', was: undefined });
  });

  const others: { readonly [what: string]: readonly [fixture: string, was: string, now: string] } = {
    'beside.starts': ['job', '"starts":[{"name":"who"', '"starts":[{"name":"whose"'],
    'beside.participants': ['job', '"participants":[{"key":"seen"', '"participants":[{"key":"heard"'],
    'beside.taken': ['callback', '"taken":["e', '"taken":["f'],
    'beside.kept': ['callback', '"kept":["e', '"kept":["f'],
    'beside.response': ['workflow', '"response":{"status":201', '"response":{"status":202'],
  };
  for (const [what, [name, was, now]] of Object.entries(others)) {
    it(`is named where a commit does something else besides its own row: ${what}`, () => {
      const { difference } = replay(fixture(name, (text) => text.replace(was, now)));
      expect(difference?.what).to.equal(what);
      expect(difference?.was).not.to.deep.equal(difference?.now);
    });
  }

  it('is named where a commit does something besides its own row that was not done then', () => {
    const { difference } = replay(fixture('job', (text) => text.replace(/"beside":\{"starts":.*?\]\}/, '"beside":{}')));
    expect(difference).to.include({ what: 'beside.starts', was: undefined });
  });

  it('is not looked for besides the row where the record of an older release does not tell it', () => {
    const older = fixture('job', (text) => text.replace(/,"beside":\{"starts":.*?\]\}/, ''));
    expect(replay(older)).to.deep.equal({ decisions: older.records.length });
  });

  it('does not come from a clock that is looked at more often', () => {
    const fewer = fixture('fetch', (text) => text.replace(/"now":\[([\d.]+),[\d.,]+\]/g, '"now":[$1]'));
    expect(replay(fewer)).to.deep.equal({ decisions: fewer.records.length });
  });
});

describe('what is no history', () => {
  const broken: { readonly [name: string]: readonly [(text: string) => string, RegExp] } = {
    'has another format': [(text) => text.replace('flow-manager/history/1', 'other'), /format/],
    'lacks a record': [(text) => text.replace(/ {4}\{"revision":2.*\n/, ''), /records\/1\/revision/],
    'lacks a line of the trace': [(text) => text.replace(/ {4}\{"seq":1.*\n/, ''), /trace\/0\/seq/],
    'begins in the middle': [(text) => text.replace('"kind":"create"', '"kind":"walk"'), /records\/0\/input\/kind/],
    'has no times': [(text) => text.replace(/"now":\[[^\]]*\]/, '"now":["soon"]'), /turns\/0\/now/],
  };
  for (const [name, [edit, where]] of Object.entries(broken)) {
    it(`is refused with the place: ${name}`, () => {
      expect(() => fixture('order', edit)).to.throw(FlowError, where);
    });
  }
});
