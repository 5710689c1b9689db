import { expect } from 'chai';
import { busySince } from '../../../pkg/rpc/busy.ts';

function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('how busy the process was', () => {
  it('is all of a turn that never lets go', () => {
    const busy = busySince();
    spin(20);
    expect(busy()).to.be.above(0.5);
  });

  it('counts the time in which it could have run and others did', () => {
    const clock = { wanted: 100, now: 1_000 };
    const busy = busySince(
      () => clock.wanted,
      () => clock.now,
    );
    Object.assign(clock, { wanted: 130, now: 1_050 });
    expect(busy()).to.be.closeTo(0.6, 0.001);
    Object.assign(clock, { wanted: 190, now: 1_100 });
    expect(busy()).to.equal(1);
  });

  it('is what the event loop says where the kernel says nothing', () => {
    const busy = busySince(() => undefined);
    spin(20);
    expect(busy()).to.be.above(0.5);
  });
});
