import { expect } from 'chai';
import { CustomerLimits } from '../../../pkg/http/customer-limits.ts';

/** Limits with a clock of the test's own. */
function world(concurrency: number, per_second: number) {
  let now = 0;
  const timers: { at: number; run: () => void }[] = [];
  const limits = new CustomerLimits({
    concurrency,
    per_second,
    now: () => now,
    after: (ms, run) => timers.push({ at: now + ms, run }),
  });
  const begun: string[] = [];
  const leaves: (() => void)[] = [];
  const ask = (customer: string, name = customer, signal = new AbortController().signal): Promise<string> =>
    limits.enter(customer, signal).then(
      (leave) => {
        begun.push(name);
        leaves.push(leave);
        return 'begun';
      },
      (error: { status: string; reason: string }) => `${error.status} ${error.reason}`,
    );
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const pass = async (ms: number) => {
    const until = now + ms;
    for (;;) {
      const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      timers.splice(timers.indexOf(next), 1);
      now = Math.max(now, next.at);
      next.run();
      await settle();
    }
    now = until;
    await settle();
  };
  return { limits, ask, begun, leaves, settle, pass };
}

const REFUSED = 'RESOURCE_EXHAUSTED HTTP_CUSTOMER_OVER_LIMIT';

describe('the limits of a customer', () => {
  it('let so many be under way, and the next one in when one is over, in order', async () => {
    const { ask, begun, leaves, settle } = world(2, 1_000);
    for (const name of ['1', '2', '3', '4']) void ask('a', name);
    await settle();
    expect(begun).to.deep.equal(['1', '2']);
    leaves.shift()?.();
    await settle();
    expect(begun).to.deep.equal(['1', '2', '3']);
    leaves.shift()?.();
    await settle();
    expect(begun).to.deep.equal(['1', '2', '3', '4']);
  });

  it('let a second’s worth begin at once, and then so many a second', async () => {
    const { ask, begun, pass, settle } = world(1_000, 10);
    for (let one = 0; one < 30; one += 1) void ask('a', String(one));
    await settle();
    expect(begun).to.have.length(10);
    await pass(99);
    expect(begun).to.have.length(10);
    await pass(1);
    expect(begun).to.have.length(11);
    await pass(900);
    expect(begun).to.have.length(20);
    await pass(1_000);
    expect(begun).to.have.length(30);
    expect(begun).to.deep.equal(Array.from({ length: 30 }, (_, at) => String(at)));
  });

  it('keep nobody else waiting', async () => {
    const { ask, begun, settle } = world(1, 1);
    for (let one = 0; one < 5; one += 1) void ask('a');
    void ask('b');
    await settle();
    expect(begun).to.deep.equal(['a', 'b']);
  });

  it('refuse who has waited for as long as it had time, and go on with the others', async () => {
    const { ask, begun, leaves, settle } = world(1, 1_000);
    const time = new AbortController();
    void ask('a', 'first');
    const late = ask('a', 'late', time.signal);
    void ask('a', 'next');
    time.abort();
    expect(await late).to.equal(REFUSED);
    leaves[0]?.();
    await settle();
    expect(begun).to.deep.equal(['first', 'next']);
  });

  it('refuse at once when too many wait', async () => {
    const { ask, settle } = world(2, 1_000);
    for (let one = 0; one < 22; one += 1) void ask('a');
    await settle();
    expect(await ask('a')).to.equal(REFUSED);
    expect(await ask('b')).to.equal('begun');
  });

  it('forget a customer who asks for nothing', async () => {
    const { limits, ask, leaves, pass } = world(2, 10);
    await ask('a');
    await ask('b');
    expect(limits.size).to.equal(2);
    for (const leave of leaves) leave();
    await pass(1_000);
    expect(limits.size).to.equal(0);
  });
});
