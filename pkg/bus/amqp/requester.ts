import type { Channel, ConsumeMessage, Message } from 'amqplib';
import { BusError, type Log } from '../../service/ports.ts';
import { LastingChannel } from './channel.ts';
import type { AmqpConnection } from './connection.ts';
import { closed } from './fault.ts';
import { publish } from './frame-writer.ts';
import type { Properties } from './frames.ts';
import { expiration } from './publisher.ts';

/** RabbitMQ's pseudo-queue for answers: no queue is made, but requests must go out on the channel that consumes it. */
const REPLY_QUEUE = 'amq.rabbitmq.reply-to';

interface Pending {
  readonly queue: string;
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Requests by direct reply-to: one channel for all of them, one timer and one map entry for each. An answer that
 * comes after its timeout finds no entry and is dropped.
 */
export class Requester {
  readonly #channel: LastingChannel<Channel>;
  readonly #pending = new Map<string, Pending>();
  #count = 0;

  constructor(connection: AmqpConnection, log: Log) {
    this.#channel = new LastingChannel<Channel>(connection, {
      name: 'request',
      log,
      open: (model) => model.createChannel(),
      setup: async (channel) => {
        channel.on('return', (message) => this.#returned(message));
        await channel.consume(REPLY_QUEUE, (message) => this.#answered(message), { noAck: true });
      },
      down: () => this.#lost(),
    });
  }

  start(): this {
    this.#channel.start();
    return this;
  }

  ready(): Promise<unknown> {
    return this.#channel.ready();
  }

  async request(queue: string, body: string, timeout_ms: number, message_id: string): Promise<Uint8Array> {
    const channel = this.#channel.current;
    if (channel) return this.#send(channel, queue, body, timeout_ms, message_id);
    // Nothing is sent yet, so it may as well wait for a connection that is coming back.
    const started = performance.now();
    const next = await this.#channel.ready(timeout_ms);
    const left = timeout_ms - (performance.now() - started);
    return this.#send(next, queue, body, left, message_id);
  }

  async close(): Promise<void> {
    await this.#channel.close();
  }

  #send(channel: Channel, queue: string, body: string, timeout_ms: number, message_id: string): Promise<Uint8Array> {
    const id = (++this.#count).toString(36);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new BusError('timeout', `no answer from ${queue} within ${Math.round(timeout_ms)} ms`));
      }, timeout_ms);
      this.#pending.set(id, { queue, resolve, reject, timer });
      try {
        // Back-pressure is not waited for: requests under way are limited by their timeout and by the callers.
        const options: Properties = {
          mandatory: true,
          replyTo: REPLY_QUEUE,
          correlationId: id,
          messageId: message_id,
          expiration: expiration(timeout_ms),
          contentType: 'application/json',
          timestamp: Math.floor(Date.now() / 1_000),
          persistent: false,
        };
        publish(channel, { exchange: '', routing_key: queue, body, options });
      } catch (error) {
        this.#take(id)?.reject(closed('the connection to RabbitMQ is closing', error));
      }
    });
  }

  #take(id: unknown): Pending | undefined {
    if (typeof id !== 'string') return undefined;
    const pending = this.#pending.get(id);
    if (!pending) return undefined;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    return pending;
  }

  #answered(message: ConsumeMessage | null): void {
    if (message) this.#take(message.properties.correlationId)?.resolve(message.content);
  }

  #returned(message: Message): void {
    const pending = this.#take(message.properties.correlationId);
    pending?.reject(new BusError('unroutable', `there is no queue ${pending.queue}`));
  }

  /** Answers to what was asked on a lost channel cannot arrive any more: their address was that channel. */
  #lost(): void {
    const error = closed('the connection to RabbitMQ was lost before the answer came');
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
  }
}
