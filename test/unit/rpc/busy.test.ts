import { expect } from 'chai';
import { busySince } from '../../../pkg/rpc/busy.ts';

describe('how busy the process was', () => {
  it('is all of a turn that never lets go', () => {
    const busy = busySince();
    const until = performance.now() + 20;
    while (performance.now() < until);
    expect(busy()).to.be.above(0.5);
  });
});
