import type { Channel, ChannelModel } from 'amqplib';
import type { Log } from '../../service/ports.ts';
import { closeChannel } from './channel.ts';
import { describe, replyCode } from './fault.ts';

const EXISTS_OTHERWISE = 406;

/**
 * Declares what this service needs, and takes what exists with other arguments as it is: siblings and operators
 * may have made it. Each declaration has a channel of its own, because a refused one (406) closes its channel.
 */
export class Topology {
  readonly #log: Log;
  /** Said once, not after each reconnect. */
  readonly #said = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** `transient`: not durable, gone with its last consumer. */
  queue(model: ChannelModel, queue: string, transient = false): Promise<void> {
    return this.#declare(
      model,
      { queue },
      (channel) => channel.assertQueue(queue, transient ? { durable: false, autoDelete: true } : { durable: true }),
      (channel) => channel.checkQueue(queue),
    );
  }

  exchange(model: ChannelModel, exchange: string, type: 'fanout' | 'topic'): Promise<void> {
    return this.#declare(
      model,
      { exchange },
      (channel) => channel.assertExchange(exchange, type, { durable: true }),
      (channel) => channel.checkExchange(exchange),
    );
  }

  /** The pattern matters only where the exchange turned out to be no fanout: `#` is everything to a topic exchange. */
  bind(model: ChannelModel, queue: string, exchange: string, pattern = '#'): Promise<void> {
    return withChannel(model, async (channel) => {
      await channel.bindQueue(queue, exchange, pattern);
    });
  }

  async #declare(
    model: ChannelModel,
    what: object,
    declare: (channel: Channel) => Promise<unknown>,
    check: (channel: Channel) => Promise<unknown>,
  ): Promise<void> {
    try {
      await withChannel(model, declare);
    } catch (error) {
      if (replyCode(error) !== EXISTS_OTHERWISE) throw error;
      await withChannel(model, check);
      const key = JSON.stringify(what);
      if (this.#said.has(key)) return;
      this.#said.add(key);
      this.#log.warn({ ...what, reason: describe(error) }, 'exists already with other arguments, used as it is');
    }
  }
}

/** Runs something on a channel that is thrown away afterwards. */
export async function withChannel<T>(model: ChannelModel, run: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await model.createChannel();
  let open = true;
  channel.once('close', () => {
    open = false;
  });
  // The call that caused it rejects with the same error.
  channel.on('error', () => undefined);
  try {
    return await run(channel);
  } finally {
    if (open) await closeChannel(channel);
  }
}
