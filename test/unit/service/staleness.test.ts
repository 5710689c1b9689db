import { expect } from 'chai';
import { Staleness } from '../../../pkg/service/activeflow/staleness.ts';

function sighted(sightings: readonly boolean[]): Staleness {
  const staleness = new Staleness();
  for (const stale of sightings) staleness.saw(stale);
  return staleness;
}

describe('staleness of what is remembered', () => {
  it('is common when one in two has been changed elsewhere, and no longer when none is', () => {
    const shared = Array.from({ length: 40 }, (_, at) => at % 2 === 0);
    expect(sighted(shared).isCommon).to.equal(true);
    expect(sighted([...shared, ...Array.from({ length: 40 }, () => false)]).isCommon).to.equal(false);
  });

  it('is not common for a lost race now and then', () => {
    expect(sighted(Array.from({ length: 200 }, (_, at) => at % 10 === 9)).isCommon).to.equal(false);
  });
});
