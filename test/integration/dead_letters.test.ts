/** What was set aside on a real broker: looked at without a trace, and sent back without a loss. */
import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, connect, type Options } from 'amqplib';
import { expect } from 'chai';
import { openDeadLetters } from '../../cmd/control/connect.ts';
import { AmqpBus, type DeadLetter, DeadLetters, deadLetterQueue } from '../../pkg/bus/index.ts';
import type { Response } from '../../pkg/rpc/envelope.ts';
import type { Delivery, Verdict } from '../../pkg/service/ports.ts';
import { Cleaner } from '../contract/bus_cleaner.ts';
import { AmqpProxy } from '../support/amqp-proxy.ts';
import { eventually, Inbox } from '../support/inbox.ts';
import { QuietLog } from '../support/quiet_log.ts';
import { services } from '../support/services.ts';
import { onServers } from '../support/stage.ts';
import { control } from '../unit/control/support.ts';

describe('dead letters on RabbitMQ', () => {
  const cleaner = new Cleaner(async () => (await services()).amqp);
  let model: ChannelModel;
  let channel: Channel;
  let bus: AmqpBus;
  let desk: DeadLetters;
  let queue: string;

  before(async function () {
    this.timeout(60_000);
    const { amqp } = await services();
    model = await connect(amqp);
    channel = await model.createChannel();
    bus = new AmqpBus({ url: amqp, log: new QuietLog(), delayExchange: cleaner.exchange('test.delay') });
    await bus.open();
    desk = await DeadLetters.open(amqp, 5_000);
  });

  after(async () => {
    await desk.close();
    await bus.close();
    await model.close();
    await cleaner.clean();
  });

  beforeEach(() => {
    queue = cleaner.queue('test.queue');
  });

  /** Lets a handler refuse these, and resolves when all lie there. */
  async function setAside(messages: readonly (readonly [body: string | Buffer, properties: Options.Publish])[]): Promise<void> {
    const serving = await bus.serve(queue, async () => ({ kind: 'dead', reason: 'no good' }), { prefetch: 1 });
    for (const [body, properties] of messages) channel.sendToQueue(queue, Buffer.from(body), properties);
    await eventually('all are set aside', async () => (await bus.waiting(deadLetterQueue(queue))) === messages.length);
    await serving.close();
  }

  async function all(): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    await desk.each(queue, (letter) => letters.push(letter) > 0);
    return letters;
  }

  const named = (names: string[]) => names.map((name) => [name, { messageId: name }] as const);

  it('are looked at without being taken, and stay in their order', async () => {
    expect(await all()).to.deep.equal([]);
    await setAside(named(['a', 'b', 'c']));
    for (let times = 0; times < 3; times += 1)
      expect((await all()).map(({ message_id }) => message_id)).to.deep.equal(['a', 'b', 'c']);
    const [first] = await all();
    expect(first).to.deep.include({ queue, reason: 'no good', retries: 0, routing_key: queue, headers: {} });
    expect(Date.parse(first?.time ?? '')).to.be.closeTo(Date.now(), 60_000);
    let seen = 0;
    await desk.each(queue, () => ++seen < 2);
    expect(seen).to.equal(2);
    expect(await bus.waiting(deadLetterQueue(queue))).to.equal(3);
    const taken = await channel.get(deadLetterQueue(queue), { noAck: true });
    if (!taken) throw new Error('it does not lie there');
    expect(taken.content.toString()).to.equal('a');
  });

  it('go back as they came, and are gone from where they lay', async () => {
    const body = Buffer.from([0xff, 0x00, 0x7b]);
    const properties = {
      messageId: 'm-1',
      correlationId: 'c-1',
      replyTo: 'answers',
      contentType: 'application/x-odd',
      contentEncoding: 'none',
      type: 'a type',
      appId: 'an app',
      timestamp: 1_234_567,
      priority: 3,
    };
    await setAside([[body, { ...properties, headers: { 'x-mine': { deep: ['ü', 7] } } }]]);
    const [letter] = await all();
    expect(await desk.retry(queue, () => true)).to.deep.equal({ retried: [letter?.id], failed: [] });
    const back = await channel.get(queue, { noAck: true });
    if (!back) throw new Error('it has not come back');
    expect(back.content).to.deep.equal(body);
    expect(back.properties).to.deep.include({
      ...properties,
      deliveryMode: 2,
      headers: { 'x-mine': { deep: ['ü', 7] }, 'x-retries': 1 },
    });
    expect(await all()).to.deep.equal([]);
  });

  it('go back one by one, and what is set aside again meanwhile is not taken again', async () => {
    await setAside(named(['a', 'b', 'c']));
    const wanted = (await all()).find(({ message_id }) => message_id === 'b')?.id;
    expect((await desk.retry(queue, ({ id }) => id === wanted)).retried).to.deep.equal([wanted]);
    expect((await all()).map(({ message_id }) => message_id)).to.deep.equal(['a', 'c']);
    await channel.get(queue, { noAck: true });
    const serving = await bus.serve(queue, async () => ({ kind: 'dead', reason: 'still no good' }), { prefetch: 1 });
    expect((await desk.retry(queue, () => true)).retried).to.have.length(2);
    await eventually('they are back', async () => (await bus.waiting(deadLetterQueue(queue))) === 2);
    await serving.close();
    const letters = await all();
    expect(letters.map(({ retries }) => retries)).to.deep.equal([1, 1]);
    expect(letters.map(({ reason }) => reason)).to.deep.equal(['still no good', 'still no good']);
  });

  it('stay when there is no queue to go back to', async () => {
    await setAside(named(['a']));
    await channel.deleteQueue(queue);
    const [letter] = await all();
    expect(await desk.retry(queue, () => true)).to.deep.equal({
      retried: [],
      failed: [{ id: letter?.id, reason: `there is no queue ${queue}` }],
    });
    expect((await all()).map(({ id }) => id)).to.deep.equal([letter?.id]);
  });

  for (const [when, kind, from, copies] of [
    ['before its copy arrives', 'publish', 'client', 0],
    ['before the copy is confirmed', 'ack', 'broker', 1],
    ['before it is acknowledged', 'ack', 'client', 1],
  ] as const) {
    it(`are not lost when the tool is cut off ${when}`, async () => {
      await setAside(named(['a', 'b']));
      const proxy = await AmqpProxy.to((await services()).amqp);
      proxy.watch = (unit) => (unit.kind === kind && unit.from === from ? 'cut before' : 'pass');
      const cut = await DeadLetters.open(proxy.url, 5_000);
      const outcome = await cut
        .retry(queue, () => true)
        .then(
          ({ retried }) => retried,
          () => [],
        );
      await proxy.close();
      expect(outcome).not.to.have.length(2);
      await eventually('both lie there', async () => (await bus.waiting(deadLetterQueue(queue))) === 2);
      expect((await all()).map(({ message_id }) => message_id)).to.deep.equal(['a', 'b']);
      const waiting = await bus.waiting(queue);
      expect(waiting).to.be.at.least(copies).and.at.most(2);
    });
  }
});

onServers('dead letters of a daemon', (get) => {
  async function tool(...argv: string[]) {
    const { flags } = get();
    const desk = await openDeadLetters({
      rabbit_addr: String(flags.rabbit_addr),
      rabbit_queue_listen: String(flags.rabbit_queue_listen),
      timeout: 5_000,
    });
    const queues = ['--rabbit_queue_listen', String(flags.rabbit_queue_listen)];
    const events = ['--rabbit_queue_subscribe', String(flags.rabbit_queue_subscribe)];
    const { code, out, err } = await control(
      ['dead-letter', ...argv, ...queues, ...events],
      () => ({ status_code: 500, data: null }),
      {
        desk,
      },
    );
    expect(err).to.equal('');
    expect(code).to.equal(0);
    return out;
  }

  const metric = async () =>
    /^flow_manager_dead_letters{queue="requests"} (\d+)$/m.exec(await (await fetch(get().metrics)).text())?.[1];

  it('are listed, shown and sent back; set aside again, they say so; the metric counts them', async () => {
    const { amqp } = get();
    amqp.tell('!! password=hidden', { messageId: 'nonsense' });
    await eventually('it is counted', async () => (await metric()) === '1');
    const [row] = JSON.parse(await tool('list', '--json')) as { id: string; reason: string }[];
    expect(row?.reason).to.include('JSON').and.not.include('hidden');
    const shown = await tool('show', row?.id ?? '');
    expect(shown).to.include('nonsense').and.include('!! password=***').and.not.include('hidden');
    expect(await tool('retry', row?.id ?? '')).to.equal('sent back 1');
    await eventually('it is set aside again', async () => {
      const rows = JSON.parse(await tool('list', '--json')) as { retries: number }[];
      return rows.length === 1 && rows[0]?.retries === 1;
    });
    // Others share the daemon's queues.
    await amqp.take(deadLetterQueue(String(get().flags.rabbit_queue_listen)));
  });

  it('are answered where somebody waits: an event that is none, too', async () => {
    const { bus, flags } = get();
    const answers = new Inbox<Delivery>();
    const reply_to = `test.answers.${randomUUID()}`;
    const keep = async (delivery: Delivery): Promise<Verdict> => {
      answers.push(delivery);
      return { kind: 'done' };
    };
    const serving = await bus.serve(reply_to, keep, { prefetch: 1, transient: true });
    const message = { exchange: '', routing_key: String(flags.rabbit_queue_subscribe), body: 'nonsense' };
    await bus.publish([{ ...message, reply_to, correlation_id: 'c-1' }]);
    const answer = await answers.at(0);
    expect(answer.correlation_id).to.equal('c-1');
    const { status_code, data } = JSON.parse(Buffer.from(answer.body).toString()) as Response;
    expect({ status_code, reason: (data as { reason?: string }).reason }).to.deep.equal({
      status_code: 400,
      reason: 'BAD_EVENT',
    });
    await serving.close();
  });
});
