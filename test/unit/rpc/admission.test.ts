import { expect } from 'chai';
import { FlowError } from '../../../pkg/error/index.ts';
import { Admission } from '../../../pkg/rpc/admission.ts';

const OPTIONS = { capacity: 20, customer_share: 0.25, shed_creates_at: 0.8 };

/** Lets as many in as it can, up to `count`; returns how to let them out. */
function fill(admission: Admission, customer: string, count: number): (() => void)[] {
  return Array.from({ length: count }, () => admission.enter(customer, false));
}

describe('admission', () => {
  it('refuses nobody while there is room for everybody', () => {
    const admission = new Admission(OPTIONS);
    fill(admission, 'greedy', 17);
    expect(admission.underWay).to.equal(17);
  });

  it('refuses a customer over its share once others may be in the way, and lets the others in', () => {
    const admission = new Admission(OPTIONS);
    fill(admission, 'greedy', 18);
    expect(() => admission.enter('greedy', false))
      .to.throw(FlowError)
      .with.property('reason', 'CUSTOMER_OVER_SHARE');
    expect(() => fill(admission, 'modest', 5)).not.to.throw();
    expect(() => admission.enter('modest', false))
      .to.throw(FlowError)
      .with.property('code', 429);
  });

  it('lets a customer in again when its requests are done', () => {
    const admission = new Admission(OPTIONS);
    const done = fill(admission, 'greedy', 18);
    for (const leave of done.slice(0, 14)) leave();
    fill(admission, 'modest', 14);
    expect(admission.underWay).to.equal(18);
    expect(() => admission.enter('greedy', false)).not.to.throw();
    expect(() => admission.enter('greedy', false)).to.throw(FlowError);
  });

  it('sheds new activeflows before it refuses those that run', () => {
    const admission = new Admission(OPTIONS);
    fill(admission, '', 16);
    expect(() => admission.enter('', true))
      .to.throw(FlowError)
      .with.property('reason', 'OVERLOADED');
    expect(() => admission.enter('', false)).not.to.throw();
  });

  it('does not count requests whose customer is not known against anybody', () => {
    const admission = new Admission(OPTIONS);
    fill(admission, '', 40);
    expect(admission.underWay).to.equal(40);
  });
});
