import { expect } from 'chai';
import { MemoryBus } from '../../../pkg/bus/memory.ts';
import { BusError, type Delivery, type Verdict } from '../../../pkg/service/ports.ts';
import { Inbox } from '../../support/inbox.ts';
import { QuietLog } from '../../support/quiet_log.ts';

const DONE: Verdict = { kind: 'done' };

describe('bus in process', () => {
  it('holds delayed messages by timers where nobody stores them', async () => {
    const bus = new MemoryBus({ log: new QuietLog(), storeDelays: false });
    const inbox = new Inbox<Delivery>();
    const collect = async (delivery: Delivery) => {
      inbox.push(delivery);
      return DONE;
    };
    await bus.serve('q', collect, { prefetch: 1 });
    expect(await bus.delayIsStored()).to.equal(false);
    const started = performance.now();
    await bus.delay('q', 'late', 60, 'd-1');
    await bus.delay('q', 'early', 20, 'd-2');
    await bus.delay('q', 'never in this test', 4_294_967_295, 'd-3');
    const order = (await inbox.first(2)).map((delivery) => delivery.message_id);
    expect(order).to.deep.equal(['d-2', 'd-1']);
    expect(performance.now() - started).to.be.at.least(59);
    await bus.close();
    expect(inbox.items).to.have.lengthOf(2);
  });

  it('refuses what would wait in memory without an end', async () => {
    const bus = new MemoryBus({ log: new QuietLog() });
    await bus.serve('q', async () => ({ kind: 'requeue' }), { prefetch: 1 });
    const messages = Array.from({ length: 10_001 }, () => ({ exchange: '', routing_key: 'q', body: '' }));
    const error = await bus.publish(messages).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(BusError).with.property('code', 'closed');
    await bus.close();
  });

  it('drops a request from the queue when its time is over', async () => {
    const bus = new MemoryBus({ log: new QuietLog() });
    const seen = new Inbox<string>();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const handler = async (delivery: Delivery): Promise<Verdict> => {
      seen.push(Buffer.from(delivery.body).toString());
      await held;
      return { kind: 'done', reply: 'x' };
    };
    await bus.serve('q', handler, { prefetch: 1 });
    const first = bus.request('q', 'first', { timeout_ms: 5_000, message_id: '1' });
    await seen.at(0);
    const error = await bus.request('q', 'second', { timeout_ms: 20, message_id: '2' }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(BusError).with.property('code', 'timeout');
    release();
    await first;
    await bus.request('q', 'third', { timeout_ms: 5_000, message_id: '3' });
    expect(seen.items).to.deep.equal(['first', 'third']);
    await bus.close();
  });
});
