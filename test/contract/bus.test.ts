/**
 * One suite for the Bus port, run on RabbitMQ and in the process. Over 300 lines, because it is one list of cases that
 * every adapter must pass.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { AmqpBus, type DelayingBus, deadLetterQueue, MemoryBus } from '../../pkg/bus/index.ts';
import { BusError, type Delivery, type Verdict } from '../../pkg/service/ports.ts';
import { gate, Inbox } from '../support/inbox.ts';
import { QuietLog } from '../support/quiet_log.ts';
import { services } from '../support/services.ts';
import { Cleaner } from './bus_cleaner.ts';

const DONE: Verdict = { kind: 'done' };

const adapters = {
  RabbitMQ: async (delayExchange: string): Promise<DelayingBus> => {
    const bus = new AmqpBus({ url: (await services()).amqp, log: new QuietLog(), delayExchange });
    await bus.open();
    return bus;
  },
  'in process': async (delayExchange: string): Promise<DelayingBus> => new MemoryBus({ log: new QuietLog(), delayExchange }),
};

function text(body: Uint8Array): string {
  return Buffer.from(body).toString();
}

async function failure(promise: Promise<unknown>): Promise<BusError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof BusError)) throw new Error(`expected a BusError, got ${error}`);
  return error;
}

for (const [name, make] of Object.entries(adapters)) {
  describe(`bus: ${name}`, () => {
    let bus: DelayingBus;
    let queue: string;
    let exchange: string;
    const cleaner = new Cleaner(name === 'RabbitMQ' ? async () => (await services()).amqp : undefined);

    before(async function () {
      this.timeout(60_000);
      bus = await make(cleaner.exchange('test.delay'));
    });

    beforeEach(() => {
      queue = cleaner.queue('test.queue');
      exchange = cleaner.exchange('test.event');
    });

    after(async () => {
      await bus.close();
      await cleaner.clean();
    });

    const send = (body: string, extra: object = {}) => bus.publish([{ exchange: '', routing_key: queue, body, ...extra }]);
    const ask = (body: string, timeout_ms = 5_000) => bus.request(queue, body, { timeout_ms, message_id: randomUUID() });

    /** Serves `queue`, and keeps what it gets. */
    async function collect(target = queue, bind: string[] = []): Promise<Inbox<Delivery>> {
      const inbox = new Inbox<Delivery>();
      const handler = async (delivery: Delivery) => {
        inbox.push(delivery);
        return DONE;
      };
      await bus.serve(target, handler, { prefetch: 100, bind });
      return inbox;
    }

    it('answers a request with the bytes that the handler gave', async () => {
      await bus.serve(queue, async (delivery) => ({ kind: 'done', reply: `${text(delivery.body)} – und zurück 📞` }), {
        prefetch: 10,
      });
      expect(text(await ask('hin'))).to.equal('hin – und zurück 📞');
    });

    it('gives each of many requests under way its own answer, whatever the order', async () => {
      const handler = async (delivery: Delivery): Promise<Verdict> => {
        const n = Number(text(delivery.body));
        for (let turn = 0; turn < (n * 7) % 13; turn++) await new Promise((resolve) => setImmediate(resolve));
        return { kind: 'done', reply: String(n * 2) };
      };
      await bus.serve(queue, handler, { prefetch: 50 });
      const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => ask(String(n))));
      expect(answers.map(text)).to.deep.equal(answers.map((_, n) => String(n * 2)));
    });

    it('tells the handler of a request where to answer, and its message id', async () => {
      const seen = new Inbox<Delivery>();
      const handler = async (delivery: Delivery): Promise<Verdict> => {
        seen.push(delivery);
        return { kind: 'done', reply: '' };
      };
      await bus.serve(queue, handler, { prefetch: 1 });
      expect(text(await bus.request(queue, '{}', { timeout_ms: 5_000, message_id: 'the-id' }))).to.equal('');
      const delivery = await seen.at(0);
      expect(delivery).to.include({ message_id: 'the-id', redelivered: false, routing_key: queue });
      expect(delivery.reply_to).not.to.equal('');
      expect(delivery.correlation_id).not.to.equal('');
    });

    it('fails a request to a queue that does not exist at once', async () => {
      const started = performance.now();
      const error = await failure(ask('anybody?', 30_000));
      expect(error.code).to.equal('unroutable');
      expect(error.message).to.contain(queue);
      expect(performance.now() - started).to.be.below(2_000);
    });

    it('fails a request that gets no answer in time, and drops the answer that comes later', async () => {
      const late = gate();
      const handler = async (delivery: Delivery): Promise<Verdict> => {
        if (text(delivery.body) === 'slow') await late.opened;
        return { kind: 'done', reply: text(delivery.body) };
      };
      await bus.serve(queue, handler, { prefetch: 10 });
      const error = await failure(ask('slow', 50));
      expect(error.code).to.equal('timeout');
      late.open();
      expect(text(await ask('quick'))).to.equal('quick');
    });

    it('delivers a message with its id, headers and routing key, and nowhere to answer', async () => {
      const inbox = await collect();
      await send('{"a":1}', { message_id: 'm-1', headers: { 'x-sequence': 7, 'x-name': 'ü' } });
      const delivery = await inbox.at(0);
      expect(text(delivery.body)).to.equal('{"a":1}');
      expect(delivery).to.include({ message_id: 'm-1', reply_to: '', correlation_id: '', routing_key: queue });
      expect(delivery.headers).to.include({ 'x-sequence': 7, 'x-name': 'ü' });
    });

    it('drops an answer that nobody waits for', async () => {
      const handled = new Inbox<string>();
      const handler = async (delivery: Delivery): Promise<Verdict> => {
        handled.push(text(delivery.body));
        return { kind: 'done', reply: 'to nobody' };
      };
      await bus.serve(queue, handler, { prefetch: 1 });
      await send('one');
      await send('two');
      expect(await handled.first(2)).to.deep.equal(['one', 'two']);
    });

    it('copies what is published to an exchange to every bound queue', async () => {
      const other = cleaner.queue('test.other');
      const first = await collect(queue, [exchange]);
      const second = await collect(other, [exchange]);
      await bus.publish([{ exchange, routing_key: 'flow_created', body: '{}', message_id: 'e-1' }]);
      for (const inbox of [first, second]) {
        expect(await inbox.at(0)).to.include({ message_id: 'e-1', routing_key: 'flow_created' });
      }
    });

    it('takes what is published to an exchange without a queue, or to no queue', async () => {
      await bus.declareExchange(exchange);
      await bus.declareExchange(exchange);
      await bus.publish([
        { exchange, routing_key: 'x', body: '{}' },
        { exchange: '', routing_key: `${queue}.not-there`, body: '{}' },
      ]);
      await bus.publish([]);
    });

    it('refuses what is published to an exchange that does not exist, and goes on', async () => {
      const inbox = await collect();
      const error = await failure(bus.publish([{ exchange: `${exchange}.not-there`, routing_key: 'x', body: '{}' }]));
      expect(error.code).to.equal('closed');
      await send('after');
      expect(text((await inbox.at(0)).body)).to.equal('after');
    });

    it('keeps the order of what is published, over many calls and more than it sends at once', async () => {
      const inbox = await collect();
      const bodies = Array.from({ length: 1_500 }, (_, n) => String(n));
      const calls = [];
      for (let i = 0; i < bodies.length; i += 3) {
        calls.push(bus.publish(bodies.slice(i, i + 3).map((body) => ({ exchange: '', routing_key: queue, body }))));
      }
      await Promise.all(calls);
      expect((await inbox.first(bodies.length)).map((delivery) => text(delivery.body))).to.deep.equal(bodies);
    });

    it('carries a body of a mebibyte', async () => {
      const inbox = await collect();
      const body = 'é'.repeat(512 * 1024);
      await send(body);
      expect(text((await inbox.at(0)).body)).to.equal(body);
    });

    it('sets a refused message aside with its reason, and its neighbours do not suffer', async () => {
      const fine = new Inbox<string>();
      const handler = async (delivery: Delivery): Promise<Verdict> => {
        const body = text(delivery.body);
        if (body === 'bad') return { kind: 'dead', reason: 'not for me' };
        if (body === 'worse') throw new Error('it broke');
        fine.push(body);
        return DONE;
      };
      await bus.serve(queue, handler, { prefetch: 1 });
      await send('bad', { message_id: 'm-bad', headers: { 'x-sequence': 3 } });
      await send('worse');
      await send('good');
      expect(await fine.at(0)).to.equal('good');
      const dead = await collect(deadLetterQueue(queue));
      const [bad, worse] = await dead.first(2);
      expect(text(bad?.body ?? new Uint8Array())).to.equal('bad');
      expect(bad?.message_id).to.equal('m-bad');
      expect(bad?.headers).to.include({ 'x-reason': 'not for me', 'x-original-queue': queue, 'x-sequence': 3 });
      expect(worse?.headers).to.include({ 'x-reason': 'it broke', 'x-original-routing-key': queue });
    });

    it('keeps a refused message as it is, and shortens a long reason', async () => {
      await bus.serve(queue, async () => ({ kind: 'dead', reason: 'r'.repeat(100_000) }), { prefetch: 1 });
      await send('\u0000\ud7ff {');
      const dead = await (await collect(deadLetterQueue(queue))).at(0);
      expect(text(dead.body)).to.equal('\u0000\ud7ff {');
      expect(String(dead.headers['x-reason'])).to.have.lengthOf(1_000);
    });

    it('delivers again what was given back, marked as such', async () => {
      const seen = new Inbox<boolean>();
      const handler = async (delivery: Delivery): Promise<Verdict> => {
        seen.push(delivery.redelivered);
        return seen.items.length < 3 ? { kind: 'requeue' } : { kind: 'done', reply: 'at last' };
      };
      await bus.serve(queue, handler, { prefetch: 1 });
      expect(text(await ask('again'))).to.equal('at last');
      expect(seen.items).to.deep.equal([false, true, true]);
    });

    it('has at most `prefetch` deliveries under way', async () => {
      const hold = gate();
      const started = new Inbox<string>();
      let most = 0;
      let running = 0;
      const handler = async (delivery: Delivery): Promise<Verdict> => {
        most = Math.max(most, ++running);
        started.push(text(delivery.body));
        await hold.opened;
        running--;
        return DONE;
      };
      await bus.serve(queue, handler, { prefetch: 4 });
      await bus.publish(Array.from({ length: 20 }, (_, n) => ({ exchange: '', routing_key: queue, body: String(n) })));
      await started.first(4);
      hold.open();
      await started.first(20);
      expect(most).to.equal(4);
    });

    it('closes a serving after what is under way, and leaves the rest in the queue', async () => {
      const hold = gate();
      const started = new Inbox<string>();
      const handler = async (delivery: Delivery): Promise<Verdict> => {
        started.push(text(delivery.body));
        await hold.opened;
        return { kind: 'done', reply: 'finished' };
      };
      const serving = await bus.serve(queue, handler, { prefetch: 1 });
      const answer = ask('first');
      await started.at(0);
      await send('second');
      let closed = false;
      const closing = serving.close().then(() => {
        closed = true;
      });
      // Time enough to close a channel, counted in round trips.
      const other = cleaner.queue('test.other');
      await bus.serve(other, async () => ({ kind: 'done', reply: 'pong' }), { prefetch: 1 });
      for (let n = 0; n < 20; n++) await bus.request(other, 'ping', { timeout_ms: 5_000, message_id: randomUUID() });
      expect(closed).to.equal(false);
      hold.open();
      expect(text(await answer)).to.equal('finished');
      await closing;
      await serving.close();
      expect(started.items).to.deep.equal(['first']);
      expect(text((await (await collect()).at(0)).body)).to.equal('second');
    });

    it('brings delayed messages to the stand-in queue, whoever sends them, with delay and target', async () => {
      expect(await bus.delayIsStored()).to.equal(true);
      const stored = await collect(bus.storedQueue);
      await bus.delay(queue, '{"later":true}', 5_000, 'd-1');
      const delayed = bus.storedQueue.replace(/\.stored$/, '');
      await bus.publish([{ exchange: delayed, routing_key: 'a.sibling', body: '{}', headers: { 'x-delay': 10 } }]);
      const [own, sibling] = await stored.first(2);
      expect(own).to.include({ routing_key: queue, message_id: 'd-1' });
      expect(own?.headers['x-delay']).to.equal(5_000);
      expect(text(own?.body ?? new Uint8Array())).to.equal('{"later":true}');
      expect(sibling).to.include({ routing_key: 'a.sibling' });
      expect(sibling?.headers['x-delay']).to.equal(10);
    });

    it('refuses a delay that the broker would take for none', async () => {
      for (const wrong of [-1, 1.5, Number.NaN, 2 ** 32]) {
        const error = await bus.delay(queue, '{}', wrong, 'd').then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error).to.be.instanceOf(RangeError);
      }
    });

    it('closes once, and answers `closed` from then on', async () => {
      const own = await make(cleaner.exchange('test.delay'));
      await own.serve(queue, async () => ({ kind: 'requeue' }), { prefetch: 1 });
      const waiting = failure(own.request(queue, 'never answered', { timeout_ms: 60_000, message_id: 'm' }));
      await own.check();
      await Promise.all([own.close(), own.close()]);
      await own.close();
      expect((await waiting).code).to.equal('closed');
      for (const call of [
        () => own.check(),
        () => own.publish([{ exchange: '', routing_key: queue, body: '{}' }]),
        () => own.request(queue, '{}', { timeout_ms: 1_000, message_id: 'm' }),
        () => own.delay(queue, '{}', 1, 'm'),
        () => own.declareExchange(exchange),
        () => own.serve(queue, async () => DONE, { prefetch: 1 }),
      ]) {
        expect((await failure(call())).code).to.equal('closed');
      }
    });
  });
}
