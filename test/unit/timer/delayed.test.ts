import { expect } from 'chai';
import type { DelayedMessage, DelayStore, Delivery, Verdict } from '../../../pkg/service/ports.ts';
import { DelayKeeper, sendDelayed } from '../../../pkg/timer/delayed.ts';
import { FakeBus } from '../../support/fake-bus.ts';
import { QuietLog } from '../../support/quiet_log.ts';

class FakeDelays implements DelayStore {
  readonly rows = new Map<string, DelayedMessage & { readonly isOpen: boolean }>();

  async add(message: DelayedMessage, _delay: number, open?: 'open'): Promise<void> {
    if (!this.rows.has(message.id)) this.rows.set(message.id, { ...message, isOpen: open === 'open' });
  }
  async open(content: string): Promise<string[]> {
    return [...this.rows.values()].filter(({ id, isOpen }) => isOpen && id.startsWith(`${content}/`)).map(({ id }) => id);
  }
  async settled(id: string): Promise<void> {
    const row = this.rows.get(id);
    if (row) this.rows.set(id, { ...row, isOpen: false });
  }
  async claim(): Promise<DelayedMessage[]> {
    return [...this.rows.values()].map(({ isOpen: _, ...message }) => message);
  }
  async done(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.rows.delete(id);
  }
}

function delivery(changes: Partial<Delivery> = {}): Delivery {
  return {
    body: Buffer.from('{"a":1}'),
    reply_to: '',
    correlation_id: '',
    message_id: '',
    redelivered: false,
    headers: { 'x-delay': 1_000 },
    routing_key: 'target',
    ...changes,
  };
}

function acknowledge(verdict: Verdict, acknowledged = true): void {
  expect(verdict.kind).to.equal('done');
  if (verdict.kind === 'done') verdict.settled?.(acknowledged);
}

describe('delayed messages that are stored', () => {
  let delays: FakeDelays;
  let ids = 0;
  const keeper = () => new DelayKeeper(delays, { next: () => `id-${++ids}` }, new QuietLog());

  beforeEach(() => {
    delays = new FakeDelays();
  });

  it('leave as they came, less the headers of the way', async () => {
    const bus = new FakeBus();
    const given = { message_id: 'm-1', correlation_id: 'c-1', reply_to: 'answers', content_type: 'text/plain' };
    const headers = { 'x-delay': 5, 'x-mine': { deep: [1] } };
    await keeper().handle(delivery({ ...given, headers, body: Buffer.from('\ufeffü') }));
    expect(await sendDelayed(delays, bus, 1_000)).to.equal(false);
    expect(bus.published).to.deep.equal([
      { exchange: '', routing_key: 'target', body: '\ufeffü', headers: { 'x-mine': { deep: [1] } }, ...given },
    ]);
    expect(delays.rows.size).to.equal(0);
  });

  it('leave without an id when they came without', async () => {
    const bus = new FakeBus();
    await keeper().handle(delivery());
    await sendDelayed(delays, bus, 1_000);
    expect(bus.published).to.deep.equal([{ exchange: '', routing_key: 'target', body: '{"a":1}', headers: {} }]);
  });

  it('may be bytes that are no text', async () => {
    const bus = new FakeBus();
    const body = Buffer.from([0xff, 0x00, 0xfe]);
    await keeper().handle(delivery({ body }));
    await sendDelayed(delays, bus, 1_000);
    const [sent] = bus.published;
    expect(Buffer.from(sent?.body ?? '', sent?.encoding)).to.deep.equal(body);
  });

  it('with an id are stored once, and apart when anything else differs', async () => {
    const message = delivery({ message_id: 'm-1' });
    for (const again of [message, { ...message, redelivered: true }]) await keeper().handle(again);
    expect(delays.rows.size).to.equal(1);
    await keeper().handle({ ...message, routing_key: 'another' });
    await keeper().handle({ ...message, body: Buffer.from('{"a":2}') });
    expect(delays.rows.size).to.equal(3);
  });

  it('without an id are stored each by itself, however equal', async () => {
    const one = keeper();
    for (let n = 0; n < 3; n += 1) acknowledge(await one.handle(delivery()));
    expect(delays.rows.size).to.equal(3);
  });

  it('without an id are not doubled by a redelivery after a crash, nor after a second one', async () => {
    await keeper().handle(delivery()); // stored, and the process died before it was acknowledged
    await keeper().handle(delivery({ redelivered: true })); // again
    acknowledge(await keeper().handle(delivery({ redelivered: true })));
    expect(delays.rows.size).to.equal(1);
    // Acknowledged now: an equal one that comes again is another one, which was never stored.
    acknowledge(await keeper().handle(delivery({ redelivered: true })));
    expect(delays.rows.size).to.equal(2);
  });

  it('without an id stand for one redelivery each, also side by side', async () => {
    await keeper().handle(delivery());
    const next = keeper();
    const verdicts = await Promise.all([1, 2].map(() => next.handle(delivery({ redelivered: true }))));
    expect(delays.rows.size).to.equal(2);
    for (const verdict of verdicts) acknowledge(verdict, false);
    for (const _ of verdicts) acknowledge(await next.handle(delivery({ redelivered: true })));
    expect(delays.rows.size).to.equal(2);
  });

  it('that were set aside and sent back go where they were to go', async () => {
    const headers = { 'x-delay': 5, 'x-retries': 1, 'x-original-routing-key': 'target' };
    await keeper().handle(delivery({ headers, routing_key: 'bin-manager.delay.stored' }));
    const [row] = delays.rows.values();
    expect(row).to.deep.include({ queue: 'target', headers: {} });
  });

  it('with a delay that is none are set aside', async () => {
    const verdict = await keeper().handle(delivery({ headers: { 'x-delay': 'soon' } }));
    expect(verdict).to.deep.equal({ kind: 'dead', reason: 'header x-delay: expected ms, got soon' });
  });
});
