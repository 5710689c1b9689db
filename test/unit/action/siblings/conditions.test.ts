import { expect } from 'chai';
import { conditionCallDigitsAction } from '../../../../pkg/action/types/condition_call_digits.ts';
import { conditionCallStatusAction } from '../../../../pkg/action/types/condition_call_status.ts';
import type { JsonObject } from '../../../../pkg/model/json.ts';
import { drive, ok, REFERENCE, refused } from '../../../support/drive.ts';

const ELSE = 'f1000000-0000-4000-8000-000000000001';

describe('condition_call_digits', () => {
  const CASES: readonly (readonly [JsonObject, string, boolean, string])[] = [
    [{ length: 3 }, '12#', true, 'length 3 >= 3: true'],
    [{ length: 4 }, '12#', false, 'length 3 >= 4: false'],
    [{ key: '#' }, '12#', true, '"12#" contains "#": true'],
    [{ key: '*' }, '12#', false, '"12#" contains "*": false'],
    // With both given either is enough.
    [{ length: 3, key: '*' }, '12#', true, 'length 3 >= 3 or "12#" contains "*": true'],
    [{ length: 9, key: '#' }, '12#', true, 'length 3 >= 9 or "12#" contains "#": true'],
    [{ length: 9, key: '*' }, '12#', false, 'length 3 >= 9 or "12#" contains "*": false'],
    [{}, '12#', false, 'neither length nor key is given: false'],
    [{ length: 0, key: '' }, '', false, 'neither length nor key is given: false'],
    [{ length: -1 }, '12#', false, 'neither length nor key is given: false'],
  ];
  for (const [given, digits, holds, reason] of CASES) {
    it(`${JSON.stringify(given)} of "${digits}" is ${holds}`, () => {
      const option = { ...given, false_target_id: ELSE };
      const { effects, decision } = drive(conditionCallDigitsAction, option, [ok({ digits })]);
      expect(effects).to.deep.equal([{ kind: 'request', to: 'call', method: 'GET', uri: `/v1/calls/${REFERENCE}/digits` }]);
      expect(decision).to.deep.equal(holds ? { kind: 'next', reason } : { kind: 'jump', target: ELSE, reason });
    });
  }
});

describe('condition_call_status', () => {
  it('goes on when the call has the status, else jumps; the reason shows both', () => {
    const option = { status: 'progressing', false_target_id: ELSE };
    const same = drive(conditionCallStatusAction, option, [ok({ status: 'progressing' })]);
    expect(same.effects).to.deep.equal([{ kind: 'request', to: 'call', method: 'GET', uri: `/v1/calls/${REFERENCE}` }]);
    expect(same.decision).to.deep.equal({ kind: 'next', reason: '"progressing" == "progressing": true' });
    expect(drive(conditionCallStatusAction, option, [ok({ status: 'ringing' })]).decision).to.deep.equal({
      kind: 'jump',
      target: ELSE,
      reason: '"ringing" == "progressing": false',
    });
  });
});

for (const type of [conditionCallDigitsAction, conditionCallStatusAction]) {
  describe(`${type.type}: a call manager that does not help`, () => {
    it('stops the flow when it refuses, is silent or answers nonsense', () => {
      for (const why of ['CALL_NOT_FOUND', 'SIBLING_TIMEOUT']) {
        expect(drive(type, {}, [refused(why)]).failure).to.include({ reason: why });
      }
      for (const answer of [null, [], {}, { digits: 12, status: null }]) {
        expect(drive(type, {}, [ok(answer)]).failure).to.include({ status: 'UNAVAILABLE', reason: 'SIBLING_ANSWER_INVALID' });
      }
      expect(type.on_failure ?? 'stop').to.equal('stop');
    });
  });
}
