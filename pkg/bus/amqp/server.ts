import { setTimeout as pause } from 'node:timers/promises';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { Delivery, Log, Serving, Verdict } from '../../service/ports.ts';
import { deadLetterHeaders, deadLetterQueue } from '../dead_letter.ts';
import { LastingChannel } from './channel.ts';
import type { AmqpConnection } from './connection.ts';
import { describe } from './fault.ts';
import type { Publisher } from './publisher.ts';
import type { Replier } from './replier.ts';
import type { Topology } from './topology.ts';

export interface ServerDeps {
  readonly connection: AmqpConnection;
  readonly publisher: Publisher;
  readonly replier: Replier;
  readonly topology: Topology;
  readonly log: Log;
}

export interface ServerOptions {
  readonly queue: string;
  readonly handler: (delivery: Delivery) => Promise<Verdict>;
  readonly prefetch: number;
  readonly bind: readonly string[];
  /** A queue as siblings declare theirs: gone with its last consumer, and without a dead-letter queue. */
  readonly transient: boolean;
}

/** What is given back comes again at once: without a pause a handler that cannot work yet would spin. */
const REQUEUE_PAUSE_MS = 100;
const NO_HEADERS = {};

/**
 * Consumes one queue on a channel of its own, and declares and consumes again whenever that channel is lost.
 * A delivery can be settled only on the channel that brought it; when that is gone the broker delivers again.
 * Close: cancel, give back what still arrives, wait for what runs, close the channel.
 */
export class Server implements Serving {
  readonly #deps: ServerDeps;
  readonly #options: ServerOptions;
  readonly #channel: LastingChannel<Channel>;
  #tag: string | undefined;
  #running = 0;
  #idle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(deps: ServerDeps, options: ServerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#channel = new LastingChannel<Channel>(deps.connection, {
      name: `serve ${options.queue}`,
      log: deps.log,
      open: (model) => model.createChannel(),
      setup: (channel, model) => this.#consume(channel, model),
    });
  }

  /** Resolves when it consumes for the first time. */
  async start(): Promise<void> {
    this.#channel.start();
    await this.#channel.ready();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const channel = this.#channel.current;
    if (channel && this.#tag !== undefined) {
      // A channel that is lost meanwhile never answers, and needs no cancelling.
      const lost = new Promise<void>((resolve) => channel.once('close', resolve));
      await Promise.race([channel.cancel(this.#tag).catch(() => undefined), lost]);
    }
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await this.#channel.close();
  }

  async #consume(channel: Channel, model: ChannelModel): Promise<void> {
    const { topology } = this.#deps;
    const { queue, bind, prefetch, transient } = this.#options;
    await topology.queue(model, queue, transient);
    if (!transient) await topology.queue(model, deadLetterQueue(queue));
    for (const exchange of bind) {
      await topology.exchange(model, exchange, 'fanout');
      await topology.bind(model, queue, exchange);
    }
    await channel.prefetch(prefetch);
    const { consumerTag } = await channel.consume(queue, (message) => this.#arrived(channel, message));
    this.#tag = consumerTag;
  }

  #arrived(channel: Channel, message: ConsumeMessage | null): void {
    if (!message) {
      this.#deps.log.warn({ queue: this.#options.queue }, 'RabbitMQ cancelled the consumer, consuming again');
      void this.#channel.reset();
    } else if (this.#closing) {
      this.#settle(() => channel.nack(message, false, true));
    } else {
      void this.#handle(channel, message);
    }
  }

  /** Never rejects. */
  async #handle(channel: Channel, message: ConsumeMessage): Promise<void> {
    this.#running++;
    try {
      const verdict = await this.#decide(message);
      await this.#carryOut(channel, message, verdict);
    } catch (error) {
      this.#deps.log.warn({ queue: this.#options.queue, error: describe(error) }, 'cannot settle a delivery, giving it back');
      await this.#giveBack(channel, message);
    }
    this.#running--;
    if (this.#running === 0) this.#idle?.();
  }

  async #decide(message: ConsumeMessage): Promise<Verdict> {
    try {
      return await this.#options.handler(toDelivery(message));
    } catch (error) {
      return { kind: 'dead', reason: describe(error) };
    }
  }

  async #carryOut(channel: Channel, message: ConsumeMessage, verdict: Verdict): Promise<void> {
    if (verdict.kind === 'requeue') return this.#giveBack(channel, message);
    if (verdict.kind === 'dead') await this.#setAside(message, verdict.reason);
    if (verdict.reply !== undefined) {
      const { replyTo, correlationId } = message.properties;
      // The answer goes out first: after an acknowledgement nobody would ask for it again.
      const sent = replyTo ? this.#deps.replier.send(replyTo, correlationId ?? '', verdict.reply) : undefined;
      if (sent) await sent;
    }
    const acknowledged = this.#settle(() => channel.ack(message));
    if (verdict.kind === 'done') verdict.settled?.(acknowledged);
  }

  async #setAside(message: ConsumeMessage, reason: string): Promise<void> {
    const { queue, transient } = this.#options;
    if (transient) return this.#deps.log.warn({ queue, reason }, 'message dropped: a transient queue has no dead-letter queue');
    const { headers, messageId, correlationId, contentType, contentEncoding, replyTo, type, appId, priority, timestamp } =
      message.properties;
    // Whatever it needs to be worked on after all. Not its expiration: it is to stay until somebody has looked at it.
    const kept = { messageId, correlationId, contentType, contentEncoding, replyTo, type, appId, priority, timestamp };
    this.#deps.log.warn({ queue, message_id: messageId, reason }, 'message set aside to the dead-letter queue');
    await this.#deps.publisher.publish([
      {
        exchange: '',
        routing_key: deadLetterQueue(queue),
        body: message.content,
        options: {
          ...Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)),
          persistent: true,
          headers: { ...headers, ...deadLetterHeaders(reason, queue, message.fields.routingKey) },
        },
      },
    ]);
  }

  async #giveBack(channel: Channel, message: ConsumeMessage): Promise<void> {
    await pause(REQUEUE_PAUSE_MS);
    this.#settle(() => channel.nack(message, false, true));
  }

  /** False: the channel is gone (amqplib throws), and the broker has the delivery back already. */
  #settle(settle: () => void): boolean {
    try {
      settle();
      return true;
    } catch (error) {
      this.#deps.log.debug({ queue: this.#options.queue, error: describe(error) }, 'delivery outlived its channel');
      return false;
    }
  }
}

function toDelivery(message: ConsumeMessage): Delivery {
  const { properties, fields, content } = message;
  return {
    body: content,
    reply_to: properties.replyTo ?? '',
    correlation_id: properties.correlationId ?? '',
    message_id: properties.messageId ?? '',
    redelivered: fields.redelivered,
    headers: properties.headers ?? NO_HEADERS,
    routing_key: fields.routingKey,
    ...(properties.contentType !== undefined && { content_type: properties.contentType }),
  };
}
