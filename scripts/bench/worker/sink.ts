import { Duplex } from 'node:stream';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import type { SinkCommands } from '../protocol.ts';
import { DeliveryCounter } from './deliveries.ts';
import { serve } from './serve.ts';

/**
 * Who takes what `next` causes: webhook-manager its requests, a sibling its events. It reads nothing and acknowledges
 * many at once, so that it costs the machine as little as it can. But it does acknowledge, as a service must that
 * loses nothing: the broker has to keep each message on its disk until then, which is part of the price of publishing
 * it (`--no-acks` shows how much: about a third of what the broker does for a `next`).
 */
/** Far more than comes in between two acknowledgements. */
const PREFETCH = 10_000;
const ACK_EVERY_MS = 20;

const counts = { webhooks: 0, events: 0 };

async function consume({ url, queue, exchange, acks }: SinkCommands['consume']['in']): Promise<null> {
  // No heartbeat: amqplib will not see what comes in.
  const properties = { noDelay: true, clientProperties: { connection_name: 'bench sink' } };
  const model = await connect(`${url}?heartbeat=0`, properties);
  const webhooks = await model.createChannel();
  const events = await model.createChannel();
  await webhooks.assertQueue(queue, { durable: true });
  await events.assertExchange(exchange, 'fanout', { durable: true });
  await events.assertQueue('bench.subscribe', { durable: true });
  await events.bindQueue('bench.subscribe', exchange, '');
  for (const [channel, source] of [
    [webhooks, queue],
    [events, 'bench.subscribe'],
  ] as const) {
    await channel.prefetch(PREFETCH);
    await channel.consume(source, () => undefined, { noAck: !acks });
  }
  const acknowledge = takeOver(model, webhooks, events);
  if (acks) setInterval(acknowledge, ACK_EVERY_MS).unref();
  return null;
}

/** Nothing has been published yet, so amqplib is between two frames. From here on it only writes. */
function takeOver(model: ChannelModel, webhooks: Channel, events: Channel): () => void {
  const socket: unknown = Reflect.get(model.connection, 'stream');
  if (!(socket instanceof Duplex)) throw new Error('amqplib has its socket elsewhere now');
  let pending = 0;
  const acknowledge = (): void => {
    if (pending === 0) return;
    pending = 0;
    webhooks.ackAll();
    events.ackAll();
  };
  const first = Reflect.get(webhooks, 'ch');
  const counter = new DeliveryCounter((channel) => {
    counts[channel === first ? 'webhooks' : 'events'] += 1;
    pending += 1;
  });
  socket.removeAllListeners('readable');
  socket.on('data', (chunk: Buffer) => counter.read(chunk));
  return acknowledge;
}

serve<SinkCommands>({ consume, count: async () => counts });
