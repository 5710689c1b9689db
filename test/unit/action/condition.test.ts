import { expect } from 'chai';
import { conditionDatetimeAction } from '../../../pkg/action/types/condition_datetime.ts';
import { conditionVariableAction } from '../../../pkg/action/types/condition_variable.ts';
import { NIL } from '../../../pkg/model/id.ts';
import type { JsonObject } from '../../../pkg/model/json.ts';
import { drive } from '../../support/drive.ts';

const FALSE = 'b0000000-0000-4000-8000-00000000000f';

function variable(option: JsonObject): [holds: boolean, reason: string] {
  const { decision } = drive(conditionVariableAction, { ...option, false_target_id: FALSE });
  return [decision?.kind === 'next', decision?.reason ?? ''];
}

function at(time: string, option: JsonObject): [holds: boolean, reason: string] {
  const { decision } = drive(conditionDatetimeAction, { ...option, false_target_id: FALSE }, [], { now: Date.parse(time) });
  return [decision?.kind === 'next', decision?.reason ?? ''];
}

describe('condition_variable', () => {
  const number = (text: string, condition: string, value: number) =>
    variable({ variable: text, condition, value_type: 'number', value_number: value });

  it('shows the values it compared', () => {
    expect(number('7.5', '>', 10)).to.deep.equal([false, '7.5 > 10: false']);
    expect(variable({ variable: 'ko', condition: '==', value_string: 'ko' })).to.deep.equal([true, '"ko" == "ko": true']);
    expect(variable({ variable: 'x'.repeat(500), condition: '==' })[1]).to.have.length.below(90);
  });

  it('compares numbers as numbers', () => {
    const cases: [string, string, number, boolean][] = [
      ['10', '>', 9, true],
      ['9', '>', 10, false],
      [' 1e3 ', '==', 1000, true],
      ['-0.5', '<', 0, true],
      ['.5', '<=', 0.5, true],
      ['3', '!=', 3, false],
      ['3', '>=', 3, true],
      ['4', '<', 4, false],
    ];
    for (const [text, condition, value, holds] of cases)
      expect(number(text, condition, value)[0], `${text} ${condition} ${value}`).to.equal(holds);
  });

  it('is false for what is no number and for an unknown condition', () => {
    for (const text of ['', ' ', 'abc', '0x10', '1,5', 'NaN', 'Infinity', '1e999']) {
      expect(number(text, '!=', 5)[0], text).to.equal(false);
    }
    expect(number('', '<', 1)[1]).to.equal('"" is not a number: false');
    expect(number('5', '=>', 1)).to.deep.equal([false, 'unknown condition "=>": false']);
    expect(variable({ variable: 'a', value_string: 'a' })).to.deep.equal([false, 'unknown condition "": false']);
  });

  it('compares texts by code point and not by JavaScript’s own order', () => {
    const less = (left: string, right: string) =>
      variable({ variable: left, condition: '<', value_type: 'string', value_string: right })[0];
    expect([less('a', 'b'), less('b', 'a'), less('a', 'ab'), less('10', '9'), less('', 'a')]).to.deep.equal([
      true,
      false,
      true,
      true,
      true,
    ]);
    expect('\u{1F600}' < '\uFF61').to.equal(true);
    expect([less('\u{1F600}', '\uFF61'), less('\uFF61', '\u{1F600}')]).to.deep.equal([false, true]);
    expect([less('\u{1F600}', '\u{1F601}'), less('\u{1F601}', '\u{1F600}')]).to.deep.equal([true, false]);
  });

  it('counts characters', () => {
    const length = (text: string, value: number) =>
      variable({ variable: text, condition: '==', value_type: 'length', value_length: value })[0];
    expect([length('abc', 3), length('', 0), length('\u{1F600}é', 2), length('abc', 4)]).to.deep.equal([true, true, true, false]);
  });

  it('jumps when false, or goes on where there is no target', () => {
    const option = { variable: 'a', condition: '==', value_string: 'b' };
    expect(drive(conditionVariableAction, { ...option, false_target_id: FALSE }).decision).to.include({
      kind: 'jump',
      target: FALSE,
    });
    for (const target of [{}, { false_target_id: NIL }, { false_target_id: '' }]) {
      expect(drive(conditionVariableAction, { ...option, ...target }).decision).to.include({ kind: 'next' });
    }
  });
});

describe('condition_datetime', () => {
  // A Saturday.
  const now = '2026-11-21T09:45:30Z';

  const cases: [name: string, option: JsonObject, holds: boolean][] = [
    ['nothing given', {}, true],
    ['everything any', { condition: '==', minute: -1, hour: -1, day: 0, month: 0, weekdays: [] }, true],
    ['negative day and month', { condition: '==', day: -3, month: -1 }, true],
    ['after 9:30 as a time of day', { condition: '>=', hour: 9, minute: 30 }, true],
    ['after 8:50, though 45 < 50', { condition: '>=', hour: 8, minute: 50 }, true],
    ['before 10:00, though 45 > 0', { condition: '<', hour: 10, minute: 0 }, true],
    ['the very minute', { condition: '==', hour: 9, minute: 45 }, true],
    ['not the very minute', { condition: '!=', hour: 9, minute: 45 }, false],
    ['seconds do not count', { condition: '>', hour: 9, minute: 45 }, false],
    ['midnight is an hour', { condition: '==', hour: 0, minute: 0 }, false],
    ['before 24:00', { condition: '<', hour: 24, minute: 0 }, true],
    ['hour alone', { condition: '==', hour: 9 }, true],
    ['hour alone, up to its end', { condition: '<=', hour: 9 }, true],
    ['minute alone', { condition: '==', minute: 45 }, true],
    ['minute 0 is a minute', { condition: '==', minute: 0 }, false],
    ['after 15 March, though 21 November', { condition: '>=', month: 3, day: 30 }, true],
    ['before 1 December, though 21 > 1', { condition: '<', month: 12, day: 1 }, true],
    ['month alone', { condition: '==', month: 11 }, true],
    ['month alone, past', { condition: '<', month: 11 }, false],
    ['day alone', { condition: '>', day: 20 }, true],
    ['weekday', { condition: '==', weekdays: [0, 6] }, true],
    ['another weekday', { condition: '==', weekdays: [1, 2, 3, 4, 5] }, false],
    ['weekdays need no condition', { weekdays: [6] }, true],
    ['weekdays hold whatever the condition', { condition: '<', hour: 10, weekdays: [1] }, false],
    ['time and date both', { condition: '>=', hour: 9, minute: 0, month: 11, day: 21 }, true],
    ['time but not date', { condition: '>=', hour: 9, minute: 0, month: 12, day: 1 }, false],
    ['unknown condition', { condition: '~', hour: 9 }, false],
  ];
  for (const [name, option, holds] of cases) {
    it(`${name}: ${holds}`, () => expect(at(now, option)[0]).to.equal(holds));
  }

  it('shows the values it compared', () => {
    expect(at(now, { condition: '<', hour: 9, minute: 5, weekdays: [6] })).to.deep.equal([
      false,
      '09:45 < 09:05, weekday 6 in [6] (UTC): false',
    ]);
    expect(at(now, { condition: '>=', month: 3, day: 30 })[1]).to.equal('11/21 >= 03/30 (UTC): true');
    expect(at(now, { condition: 'x', hour: 9 })[1]).to.equal('unknown condition "x", hour 09 x hour 09 (UTC): false');
  });

  it('reads the clock of the time zone, the day and the weekday too', () => {
    const late = '2026-11-21T23:30:00Z';
    expect(
      at(late, { condition: '==', hour: 8, minute: 30, month: 11, day: 22, weekdays: [0], timezone: 'Asia/Seoul' })[0],
    ).to.equal(true);
    expect(at(late, { condition: '==', hour: 18, minute: 30, weekdays: [6], timezone: 'America/New_York' })[0]).to.equal(true);
    expect(at('2026-07-01T00:00:00Z', { condition: '==', hour: 2, timezone: 'Europe/Rome' })[0]).to.equal(true);
    expect(at('2026-01-01T00:00:00Z', { condition: '==', hour: 1, timezone: 'Europe/Rome' })[0]).to.equal(true);
    expect(at('2026-01-01T00:00:00Z', { condition: '==', hour: 0, minute: 0, timezone: '' })[0]).to.equal(true);
  });
});
