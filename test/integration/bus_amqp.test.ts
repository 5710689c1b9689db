/**
 * What only a real broker can do to the bus: drop connections, fall silent, have queues of its own making. Over 300
 * lines, because all of it happens to one bus behind one proxy, set up once.
 */
import { type Channel, type ChannelModel, type ConsumeMessage, connect } from 'amqplib';
import { expect } from 'chai';
import { AmqpBus, deadLetterQueue } from '../../pkg/bus/index.ts';
import { BusError, type Delivery, type Verdict } from '../../pkg/service/ports.ts';
import { Cleaner } from '../contract/bus_cleaner.ts';
import { eventually, gate, Inbox } from '../support/inbox.ts';
import { TcpProxy } from '../support/proxy.ts';
import { QuietLog } from '../support/quiet_log.ts';
import { services } from '../support/services.ts';

const DONE: Verdict = { kind: 'done' };
const echo = async (delivery: Delivery): Promise<Verdict> => ({ kind: 'done', reply: text(delivery.body) });

function text(body: Uint8Array): string {
  return Buffer.from(body).toString();
}

/** The code of the BusError that it fails with. */
function code(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: unknown) => (error instanceof BusError ? error.code : String(error)),
  );
}

describe('bus on RabbitMQ', () => {
  const cleaner = new Cleaner(async () => (await services()).amqp);
  let proxy: TcpProxy;
  let log: QuietLog;
  let bus: AmqpBus;
  let queue: string;
  /** A client beside ours. */
  let other: ChannelModel;
  let channel: Channel;

  before(async function () {
    this.timeout(60_000);
    other = await connect((await services()).amqp);
  });

  beforeEach(async () => {
    channel = await other.createChannel();
    proxy = await TcpProxy.to((await services()).amqp);
    log = new QuietLog();
    bus = new AmqpBus({ url: proxy.url, log, delayExchange: cleaner.exchange('test.delay'), heartbeat_s: 1 });
    queue = cleaner.queue('test.queue');
    await bus.open();
  });

  afterEach(async () => {
    await bus.close();
    await proxy.close();
    await channel.close();
  });

  after(async () => {
    await other.close();
    await cleaner.clean();
  });

  const ask = (body: string, timeout_ms = 8_000) => bus.request(queue, body, { timeout_ms, message_id: 'm' });

  describe('loses its connections', () => {
    it('fails what is under way at once, and serves and asks again by itself', async () => {
      const arrived = new Inbox<Delivery>();
      const hold = gate();
      await bus.serve(
        queue,
        async (delivery) => {
          arrived.push(delivery);
          if (text(delivery.body) === 'held') await hold.opened;
          return echo(delivery);
        },
        { prefetch: 10 },
      );
      const held = code(ask('held', 60_000));
      await arrived.at(0);
      const started = performance.now();
      proxy.reset();
      expect(await held).to.equal('closed');
      expect(performance.now() - started).to.be.below(1_000);
      expect(text(await ask('back'))).to.equal('back');
      // Delivered again, because it was not acknowledged; the first copy outlives its channel and harms nothing.
      await eventually('the held request is delivered again', () =>
        arrived.items.some((delivery) => delivery.redelivered && text(delivery.body) === 'held'),
      );
      hold.open();
      expect(text(await ask('alive'))).to.equal('alive');
      expect(log.messages('error')).to.deep.equal([]);
    });

    it('publishes what was not sent yet, says of the rest that it does not know, and loses nothing silently', async () => {
      await channel.assertQueue(queue, { durable: true });
      const outcomes: Promise<string>[] = [];
      for (let n = 0; n < 3_000; n++) outcomes.push(code(bus.publish([{ exchange: '', routing_key: queue, body: String(n) }])));
      await outcomes[0];
      proxy.reset();
      const codes = await Promise.all(outcomes);
      expect(new Set(codes)).to.deep.equal(new Set(['none', 'closed']));
      // Only what was on its way is unknown.
      expect(codes.filter((outcome) => outcome === 'closed')).to.have.length.at.most(500);
      const got = new Set<string>();
      for (let message = await channel.get(queue); message; message = await channel.get(queue)) got.add(text(message.content));
      const lost = codes.flatMap((outcome, n) => (outcome === 'none' && !got.has(String(n)) ? [n] : []));
      expect(lost).to.deep.equal([]);
    });

    it('goes through ten drops under load without a request answered wrongly', async function () {
      this.timeout(30_000);
      await bus.serve(queue, echo, { prefetch: 50 });
      let stop = false;
      const counts = { answered: 0, closed: 0 };
      const worker = async (id: number) => {
        for (let n = 0; !stop; n++) {
          const body = `${id}/${n}`;
          try {
            expect(text(await ask(body))).to.equal(body);
            counts.answered++;
          } catch (error) {
            if (!(error instanceof BusError) || error.code !== 'closed') throw error;
            counts.closed++;
          }
        }
      };
      const workers = Array.from({ length: 10 }, (_, id) => worker(id));
      for (let drop = 0; drop < 10; drop++) {
        const before = counts.answered;
        await eventually('requests are answered', () => counts.answered > before + 20);
        proxy.reset();
      }
      const before = counts.answered;
      await eventually('requests are answered after the last drop', () => counts.answered > before + 20);
      stop = true;
      await Promise.all(workers);
      expect(counts.closed).to.be.above(0);
    });

    it('declares exchanges and the way of delayed messages again', async () => {
      const exchange = cleaner.exchange('test.event');
      await bus.declareExchange(exchange);
      await bus.delay(queue, '{}', 1_000, 'd');
      proxy.reset();
      // As on a broker that was replaced.
      await channel.deleteExchange(exchange);
      await channel.deleteQueue(bus.storedQueue);
      await eventually(
        'events are published',
        async () => (await code(bus.publish([{ exchange, routing_key: 'x', body: '{}' }]))) === 'none',
      );
      await eventually('messages are delayed', async () => (await code(bus.delay(queue, '{}', 1_000, 'd'))) === 'none');
      expect((await channel.checkQueue(bus.storedQueue)).messageCount).to.be.above(0);
    });
  });

  describe('publishes messages of all kinds on one channel', () => {
    /** Small ones are written by us, large ones and those with odd headers by amqplib: they share their channel's order. */
    const bodyOf = (n: number): string => `${n}:${'é'.repeat(n % 7 === 0 ? 100_000 : n % 5 === 0 ? 6_000 : n)}`;

    it('keeps them whole and in order, and confirms each of them', async function () {
      this.timeout(20_000);
      await channel.assertQueue(queue, { durable: true });
      const got: ConsumeMessage[] = [];
      await channel.consume(queue, (message) => message && got.push(message), { noAck: true });
      const confirmed = Array.from({ length: 300 }, (_, n) =>
        bus.publish([
          {
            exchange: '',
            routing_key: queue,
            body: bodyOf(n),
            message_id: `m${n}`,
            headers:
              n % 3 === 0 ? { 'x-sequence': n, 'x-odd': { of: [n] } as unknown as string } : { 'x-sequence': n, 'x-name': 'é' },
          },
        ]),
      );
      await Promise.all(confirmed);
      await eventually('all have arrived', () => got.length === 300);
      for (const [n, { content, properties }] of got.entries()) {
        expect(properties.messageId).to.equal(`m${n}`);
        expect(text(content) === bodyOf(n), `body of ${n}`).to.equal(true);
        expect(properties.headers).to.include(n % 3 === 0 ? { 'x-sequence': n } : { 'x-sequence': n, 'x-name': 'é' });
        expect(properties).to.include({ contentType: 'application/json', deliveryMode: 2 });
      }
    });

    it('sends what came before a message that the broker refuses, and confirms the refused one never', async () => {
      await channel.assertQueue(queue, { durable: true });
      const large = bus.publish([{ exchange: '', routing_key: queue, body: bodyOf(7) }]);
      const gone = code(bus.publish([{ exchange: 'test.no.such.exchange', routing_key: queue, body: '{}' }]));
      expect(await code(large)).to.be.oneOf(['none', 'closed']);
      expect(await gone).to.equal('closed');
      // It came first: the broker closes the channel for what came after it.
      await eventually('the first message is in its queue', async () => (await channel.checkQueue(queue)).messageCount === 1);
    });
  });

  describe('has no broker', () => {
    it('waits for it at the start, says for what, and can be closed meanwhile', async () => {
      await proxy.down();
      const late = new AmqpBus({ url: proxy.url, log, delayExchange: cleaner.exchange('test.delay') });
      const opened = late.open();
      await eventually('it says what it waits for', () =>
        log.messages('warn').includes(`waiting for RabbitMQ at ${proxy.address}`),
      );
      expect(await code(late.check())).to.equal('closed');
      await proxy.up();
      await opened;
      await late.check();
      await late.close();

      await proxy.down();
      const never = new AmqpBus({ url: proxy.url, log });
      const outcome = code(never.open());
      await never.close();
      expect(await outcome).to.equal('closed');
      expect(JSON.stringify(log.lines)).not.to.contain('guest');
    });

    it('refuses to publish after a while, and publishes when it is back', async function () {
      this.timeout(20_000);
      await channel.assertQueue(queue, { durable: true });
      await proxy.down();
      await eventually('it notices', async () => (await code(bus.check())) === 'closed');
      expect(await code(bus.publish([{ exchange: '', routing_key: queue, body: 'waits' }]))).to.equal('closed');
      expect(await code(bus.publish([{ exchange: '', routing_key: queue, body: 'refused at once' }]))).to.equal('closed');
      expect(await code(ask('nobody', 50))).to.equal('closed');
      await proxy.up();
      await eventually('it is back', async () => (await code(bus.check())) === 'none');
      const outcome = () => code(bus.publish([{ exchange: '', routing_key: queue, body: 'taken' }]));
      await eventually('it publishes', async () => (await outcome()) === 'none');
    });

    it('notices one that is silent, and finds it again', async function () {
      this.timeout(30_000);
      await bus.serve(queue, echo, { prefetch: 10 });
      proxy.blackhole(true);
      expect(await code(ask('silence', 20_000))).to.equal('closed');
      proxy.blackhole(false);
      expect(text(await ask('again', 20_000))).to.equal('again');
    });

    it('closes soon although nothing answers', async () => {
      await bus.serve(queue, echo, { prefetch: 10 });
      proxy.blackhole(true);
      const started = performance.now();
      await bus.close();
      expect(performance.now() - started).to.be.below(8_000);
    });
  });

  describe('finds things as others made them', () => {
    it('uses queues and exchanges that exist with other arguments as they are, and says so once', async () => {
      const exchange = cleaner.exchange('test.event');
      await channel.assertQueue(queue, { durable: true, arguments: { 'x-max-length': 1_000 } });
      await channel.assertExchange(exchange, 'topic', { durable: false, autoDelete: false });
      const seen = new Inbox<Delivery>();
      const collect = async (delivery: Delivery) => {
        seen.push(delivery);
        return DONE;
      };
      await bus.serve(queue, collect, { prefetch: 1, bind: [exchange] });
      await bus.publish([{ exchange, routing_key: 'call_hangup', body: '{}' }]);
      expect((await seen.at(0)).routing_key).to.equal('call_hangup');
      proxy.reset();
      const after = () => code(bus.publish([{ exchange: '', routing_key: queue, body: 'after' }]));
      await eventually('it publishes', async () => (await after()) === 'none');
      await seen.at(1);
      const said = log.lines.filter((line) => line.message === 'exists already with other arguments, used as it is');
      expect(said.map((line) => line.fields)).to.deep.include.members([
        { queue, reason: Reflect.get(said[0]?.fields ?? {}, 'reason') },
        { exchange, reason: Reflect.get(said[1]?.fields ?? {}, 'reason') },
      ]);
      expect(said).to.have.lengthOf(2);
    });

    it('consumes again when its queue is deleted', async () => {
      const first = await bus.serve(queue, echo, { prefetch: 10 });
      expect(text(await ask('before'))).to.equal('before');
      await channel.deleteQueue(queue);
      await eventually('the queue is there again', async () => (await code(ask('after', 500))) === 'none');
      await first.close();
    });

    it('delays through an exchange of another type', async () => {
      const exchange = cleaner.exchange('test.delay');
      await channel.assertExchange(exchange, 'direct', { durable: true });
      const own = new AmqpBus({ url: proxy.url, log, delayExchange: exchange });
      await own.open();
      await own.delay(queue, '{}', 1_000, 'd-1');
      const message = await channel.get(own.storedQueue, { noAck: true });
      expect(message ? message.properties.messageId : '').to.equal('d-1');
      expect(message ? message.properties.headers : {}).to.include({ 'x-delay': 1_000 });
      await own.close();
    });
  });

  describe('answers callers of every kind', () => {
    async function answer(properties: object): Promise<ConsumeMessage> {
      const replies = new Inbox<ConsumeMessage>();
      const { queue: replyTo } = await channel.assertQueue('', { exclusive: true });
      await channel.consume(replyTo, (message) => message && replies.push(message), { noAck: true });
      channel.sendToQueue(queue, Buffer.from('hello'), { replyTo, ...properties });
      return replies.at(0);
    }

    it('with a correlation id, and without', async () => {
      await bus.serve(queue, echo, { prefetch: 10 });
      const one = await answer({ correlationId: 'c-1' });
      expect(one.properties).to.include({ correlationId: 'c-1', contentType: 'application/json' });
      const none = await answer({});
      expect(none.properties.correlationId).to.equal(undefined);
      expect(text(none.content)).to.equal('hello');
    });

    it('and is not put out by an address that is none', async () => {
      const seen = new Inbox<Delivery>();
      await bus.serve(
        queue,
        async (delivery) => {
          seen.push(delivery);
          return echo(delivery);
        },
        { prefetch: 10 },
      );
      for (const replyTo of ['amq.rabbitmq.reply-to.garbage', 'no.such.queue', 'x'.repeat(255), '\u0000']) {
        channel.sendToQueue(queue, Buffer.from('odd'), { replyTo, correlationId: 'c' });
      }
      await seen.first(4);
      expect(text(await ask('fine'))).to.equal('fine');
      expect(text(await ask('still fine'))).to.equal('still fine');
      await eventually('all is acknowledged', async () => (await channel.checkQueue(queue)).messageCount === 0);
    });
  });

  it('rejects when the broker refuses a message', async () => {
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } });
    const messages = Array.from({ length: 5 }, () => ({ exchange: '', routing_key: queue, body: '{}' }));
    expect(await code(bus.publish(messages))).to.equal('closed');
  });

  it('refuses headers that do not fit into a frame, and goes on', async () => {
    await channel.assertQueue(queue, { durable: true });
    const message = { exchange: '', routing_key: queue, body: '{}' };
    const outcome = await code(bus.publish([{ ...message, headers: { 'x-long': 'x'.repeat(100_000) } }]));
    expect(outcome).to.match(/^RangeError/);
    await bus.publish([message]);
  });

  it('marks events as persistent and dates them', async () => {
    await channel.assertQueue(queue, { durable: true });
    await bus.publish([{ exchange: '', routing_key: queue, body: '{}', message_id: 'e-1', expiration_ms: 60_000.5 }]);
    const message = await channel.get(queue, { noAck: true });
    expect(message ? message.properties : {}).to.include({
      deliveryMode: 2,
      messageId: 'e-1',
      contentType: 'application/json',
      expiration: '60001',
    });
    expect(message ? message.properties.timestamp : 0).to.be.closeTo(Date.now() / 1_000, 60);
  });

  it('sets bytes aside as they are', async () => {
    const bytes = Buffer.from([0xff, 0x00, 0xfe, 0x7b]);
    await bus.serve(queue, async () => ({ kind: 'dead', reason: 'not JSON' }), { prefetch: 1 });
    channel.sendToQueue(queue, bytes, { messageId: 'm-1' });
    const dead = new Inbox<ConsumeMessage>();
    await channel.consume(deadLetterQueue(queue), (message) => message && dead.push(message), { noAck: true });
    const message = await dead.at(0);
    expect(message.content).to.deep.equal(bytes);
    expect(message.properties.headers).to.include({ 'x-reason': 'not JSON', 'x-original-queue': queue });
  });
});
