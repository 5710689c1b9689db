import { expect } from 'chai';
import { FlowError } from '../../../pkg/error/index.ts';
import { mysqlDialect } from '../../../pkg/store/dialect.ts';
import { canonicalTime } from '../../../pkg/store/time.ts';

describe('times', () => {
  const times: readonly (readonly [string, string])[] = [
    ['2026-11-21T08:45:10.947195Z', '2026-11-21T08:45:10.947195Z'],
    ['2026-11-21T08:45:10Z', '2026-11-21T08:45:10.000000Z'],
    ['2026-11-21t08:45:10.9z', '2026-11-21T08:45:10.900000Z'],
    ['2026-11-21T08:45:10.123456789+00:00', '2026-11-21T08:45:10.123456Z'],
    ['2026-11-21T08:45:10.123456+09:00', '2026-11-20T23:45:10.123456Z'],
    ['2026-11-21T08:45:10-01:30', '2026-11-21T10:15:10.000000Z'],
  ];
  for (const [given, canonical] of times) {
    it(`reads ${given}`, () => {
      expect(canonicalTime(given)).to.equal(canonical);
      expect(mysqlDialect.rfc3339(mysqlDialect.time(given))).to.equal(canonical);
    });
  }

  for (const bad of [
    '',
    'yesterday',
    '2026-11-21',
    '2026-13-01T00:00:00Z',
    '2026-11-21T25:00:00Z',
    "2026-11-21T08:45:10Z' or 1=1",
  ]) {
    it(`refuses ${bad || 'nothing'}`, () => {
      expect(() => canonicalTime(bad)).to.throw(FlowError);
    });
  }
});
