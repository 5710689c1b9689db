import { createHash } from 'node:crypto';
import { type ChannelModel, type ConfirmChannel, connect, type GetMessage, type Message } from 'amqplib';
import { ASIDE, deadLetterQueue, retriesOf, retryHeaders } from '../dead_letter.ts';
import { describe, replyCode } from './fault.ts';
import { withChannel } from './topology.ts';

/** A message that was set aside, as it lies there. */
export interface DeadLetter {
  /** Made from what it is, so that it is the same whoever looks. */
  readonly id: string;
  /** The queue that it came from. */
  readonly queue: string;
  readonly reason: string;
  /** RFC 3339; empty: an older release set it aside. */
  readonly time: string;
  /** How often it was sent back already. */
  readonly retries: number;
  readonly routing_key: string;
  readonly message_id: string;
  readonly correlation_id: string;
  readonly reply_to: string;
  readonly content_type: string;
  /** Its own, without those that say why it lies here. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

export interface Retried {
  readonly retried: readonly string[];
  /** What could not be sent back, and stays. */
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * Looks through the dead letters of a broker and sends them back, for a person at a command line.
 *
 * Looking takes messages without acknowledging them and gives them back by closing the channel: RabbitMQ puts them where
 * they were. The same happens when this process ends in the middle. A message that is sent back is acknowledged only
 * when the broker has confirmed its copy; ended between the two, both are there, and the copy is a repeat of the same
 * message id.
 */
export class DeadLetters {
  readonly #model: ChannelModel;

  private constructor(model: ChannelModel) {
    this.#model = model;
  }

  static async open(url: string, timeout_ms: number): Promise<DeadLetters> {
    const clientProperties = { connection_name: 'flow-control dead letters' };
    const model = await connect(url, { noDelay: true, timeout: timeout_ms, clientProperties });
    // Whatever waits for the connection rejects with the same error.
    model.on('error', () => undefined);
    return new DeadLetters(model);
  }

  /** The oldest first. `look` false: enough. How many lie there is what there was at the beginning. */
  async each(queue: string, look: (letter: DeadLetter) => boolean): Promise<void> {
    const letters = await this.#count(queue);
    if (letters === 0) return;
    await this.#onChannel(async (channel) => {
      for (let seen = 0; seen < letters; seen += 1) {
        const message = await channel.get(deadLetterQueue(queue));
        if (message === false || !look(toLetter(message, queue))) return;
      }
    });
  }

  /** Sends back what is wanted, the oldest first; what is set aside again meanwhile is not taken again. */
  async retry(queue: string, wanted: (letter: DeadLetter) => boolean): Promise<Retried> {
    const letters = await this.#count(queue);
    const retried: string[] = [];
    const failed: { id: string; reason: string }[] = [];
    if (letters === 0) return { retried, failed };
    await this.#onChannel(async (channel) => {
      for (let seen = 0; seen < letters; seen += 1) {
        const message = await channel.get(deadLetterQueue(queue));
        if (message === false) return;
        const letter = toLetter(message, queue);
        if (!wanted(letter)) continue;
        const problem = await sendBack(channel, message, letter.queue);
        if (problem !== undefined) {
          failed.push({ id: letter.id, reason: problem });
          continue;
        }
        channel.ack(message);
        retried.push(letter.id);
      }
    });
    return { retried, failed };
  }

  async close(): Promise<void> {
    await this.#model.close();
  }

  /** 0 when there is no such queue: nothing was ever set aside. */
  async #count(queue: string): Promise<number> {
    try {
      return (await withChannel(this.#model, (channel) => channel.checkQueue(deadLetterQueue(queue)))).messageCount;
    } catch (error) {
      if (replyCode(error) === 404) return 0;
      throw error;
    }
  }

  /** Closing gives back what was not acknowledged, and is answered after all acknowledgements were taken. */
  async #onChannel(work: (channel: ConfirmChannel) => Promise<void>): Promise<void> {
    const channel = await this.#model.createConfirmChannel();
    // The call that caused it rejects with the same error.
    channel.on('error', () => undefined);
    try {
      await work(channel);
    } finally {
      await channel.close();
    }
  }
}

/** What kept it from being sent; undefined: the broker has it, on disk. */
function sendBack(channel: ConfirmChannel, message: Message, queue: string): Promise<string | undefined> {
  const { properties, content } = message;
  const { messageId, correlationId, replyTo, contentType, contentEncoding, type, appId, priority, timestamp } = properties;
  const kept = { messageId, correlationId, replyTo, contentType, contentEncoding, type, appId, priority, timestamp };
  const options = {
    ...Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)),
    headers: retryHeaders(properties.headers ?? {}),
    persistent: true,
    mandatory: true,
  };
  return new Promise((resolve) => {
    let returned = false;
    const onReturn = (): void => {
      returned = true;
    };
    // A broker returns what it cannot route before it confirms it.
    channel.on('return', onReturn);
    channel.publish('', queue, content, options, (error: unknown) => {
      channel.off('return', onReturn);
      if (error) resolve(`RabbitMQ did not take it: ${describe(error)}`);
      else resolve(returned ? `there is no queue ${queue}` : undefined);
    });
  });
}

function toLetter({ properties, content }: GetMessage, from: string): DeadLetter {
  const headers: Readonly<Record<string, unknown>> = properties.headers ?? {};
  const text = (name: string): string => (typeof headers[name] === 'string' ? headers[name] : '');
  const own = Object.entries(headers).filter(([name]) => !Object.values<string>(ASIDE).includes(name));
  const { messageId = '', correlationId = '', replyTo = '', contentType = '' } = properties;
  const parts = [from, text(ASIDE.time), String(messageId), String(correlationId)];
  return {
    id: createHash('sha256').update(JSON.stringify(parts)).update(content).digest('hex').slice(0, 12),
    queue: text(ASIDE.queue) || from,
    reason: text(ASIDE.reason),
    time: text(ASIDE.time),
    retries: retriesOf(headers),
    routing_key: text(ASIDE.routing_key),
    message_id: String(messageId),
    correlation_id: String(correlationId),
    reply_to: String(replyTo),
    content_type: String(contentType),
    headers: Object.fromEntries(own),
    body: content,
  };
}
