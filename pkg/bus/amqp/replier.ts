import type { Channel } from 'amqplib';
import type { Log } from '../../service/ports.ts';
import { LastingChannel } from './channel.ts';
import type { AmqpConnection } from './connection.ts';
import { publish } from './frame-writer.ts';
import type { Properties } from './frames.ts';

/** How long an answer waits for a lost connection before its request is given back. */
const PATIENCE_MS = 5_000;

/**
 * Sends answers. Without confirms, since the asker repeats what stays unanswered; never mandatory, since RabbitMQ
 * returns a delivered answer to direct reply-to as NO_ROUTE.
 */
export class Replier {
  readonly #channel: LastingChannel<Channel>;

  constructor(connection: AmqpConnection, log: Log) {
    this.#channel = new LastingChannel<Channel>(connection, { name: 'reply', log, open: (model) => model.createChannel() });
  }

  start(): this {
    this.#channel.start();
    return this;
  }

  /**
   * Nothing to wait for: it is on its way. A promise: there was no channel, or its buffer is full, so that the
   * deliveries that cause more answers are held back meanwhile. Throws or rejects when it cannot be sent.
   */
  send(reply_to: string, correlation_id: string, body: string): Promise<void> | undefined {
    const channel = this.#channel.current;
    if (!channel) return this.#later(reply_to, correlation_id, body);
    return answer(channel, reply_to, correlation_id, body) ? undefined : this.#channel.drained();
  }

  async close(): Promise<void> {
    await this.#channel.close();
  }

  async #later(reply_to: string, correlation_id: string, body: string): Promise<void> {
    answer(await this.#channel.ready(PATIENCE_MS), reply_to, correlation_id, body);
  }
}

function answer(channel: Channel, reply_to: string, correlation_id: string, body: string): boolean {
  const options: Properties = { contentType: 'application/json', timestamp: Math.floor(Date.now() / 1_000), persistent: false };
  // Some callers send none; an empty one would not be the same.
  if (correlation_id !== '') options.correlationId = correlation_id;
  return publish(channel, { exchange: '', routing_key: reply_to, body, options });
}
