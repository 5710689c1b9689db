import type { ChannelModel, ConfirmChannel } from 'amqplib';
import type { Log, OutgoingMessage } from '../../service/ports.ts';
import { LastingChannel } from './channel.ts';
import type { AmqpConnection } from './connection.ts';
import { closed } from './fault.ts';
import { publishConfirmed } from './frame-writer.ts';
import type { Properties, RawMessage } from './frames.ts';

/** What is on its way to the broker at most: more only fills buffers (see LIBRARIES: 500). */
const MAX_UNCONFIRMED = 500;
/** What may wait behind that. More is refused: the outbox has it in the database. */
const MAX_WAITING = 10_000;
/** How long messages that are not sent yet wait for a lost connection. */
const PATIENCE_MS = 5_000;

/** Messages that succeed or fail together. */
class Batch {
  left: number;
  failed = false;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;

  constructor(size: number, resolve: () => void, reject: (error: Error) => void) {
    this.left = size;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  confirm(): void {
    this.left--;
    if (this.left === 0 && !this.failed) this.#resolve();
  }

  fail(error: Error): void {
    if (this.failed) return;
    this.failed = true;
    this.#reject(error);
  }
}

interface Waiting {
  readonly message: RawMessage;
  readonly batch: Batch;
}

/**
 * Publishes with confirms on one channel, in the order of the calls. Messages wait in one queue; `#pump` sends while
 * the channel has room and less than MAX_UNCONFIRMED are open. A batch is confirmed when all of it is. A lost channel
 * fails every batch that has a message on its way, its outcome being unknown; what was not sent yet waits a little
 * for the next channel.
 */
export class Publisher {
  readonly #channel: LastingChannel<ConfirmChannel>;
  #waiting: Waiting[] = [];
  /** Index of the first in #waiting that is not sent: cheaper than shift() on a long array. */
  #head = 0;
  #unconfirmed = 0;
  #full = false;
  #patience: NodeJS.Timeout | undefined;
  /** Set while the broker has been away for longer than PATIENCE_MS, and after close. */
  #away: string | undefined;

  /** `setup` runs on each new channel: exchanges must be there before the first message. */
  constructor(connection: AmqpConnection, log: Log, setup: (model: ChannelModel) => Promise<void>) {
    this.#channel = new LastingChannel<ConfirmChannel>(connection, {
      name: 'publish',
      log,
      open: (model) => model.createConfirmChannel(),
      setup: (_channel, model) => setup(model),
      up: () => this.#up(),
      down: () => this.#down(),
    });
  }

  start(): this {
    this.#channel.start();
    return this;
  }

  ready(): Promise<unknown> {
    return this.#channel.ready();
  }

  publish(messages: readonly RawMessage[]): Promise<void> {
    if (messages.length === 0) return Promise.resolve();
    if (this.#away !== undefined) return Promise.reject(closed(this.#away));
    if (this.#waiting.length - this.#head + messages.length > MAX_WAITING && this.#waiting.length > this.#head) {
      return Promise.reject(closed(`more than ${MAX_WAITING} messages wait to be published`));
    }
    return new Promise((resolve, reject) => {
      const batch = new Batch(messages.length, resolve, reject);
      for (const message of messages) this.#waiting.push({ message, batch });
      this.#pump();
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#patience);
    this.#away = 'the bus is closed';
    this.#failWaiting();
    await this.#channel.close();
    clearTimeout(this.#patience);
  }

  #pump(): void {
    const channel = this.#channel.current;
    if (!channel || this.#full) return;
    while (this.#unconfirmed < MAX_UNCONFIRMED) {
      const next = this.#waiting[this.#head];
      if (!next) break;
      this.#head++;
      if (next.batch.failed) continue;
      if (!this.#send(channel, next)) {
        this.#full = true;
        void this.#channel.drained().then(() => {
          this.#full = false;
          this.#pump();
        });
        break;
      }
    }
    if (this.#head === this.#waiting.length) this.#waiting = [];
    else if (this.#head > 1_000) this.#waiting = this.#waiting.slice(this.#head);
    else return;
    this.#head = 0;
  }

  /** False: the channel's buffer is full now. The message is sent all the same. */
  #send(channel: ConfirmChannel, { message, batch }: Waiting): boolean {
    try {
      const room = publishConfirmed(channel, message, (error) => {
        this.#unconfirmed--;
        if (error) batch.fail(closed('RabbitMQ did not take the message, or the connection was lost first', error));
        else batch.confirm();
        this.#pump();
      });
      this.#unconfirmed++;
      return room;
    } catch (error) {
      // Thrown before anything was written: a table that cannot be encoded, else a channel that is just closing.
      const unfit = error instanceof RangeError || error instanceof TypeError;
      batch.fail(unfit ? error : closed('the connection to RabbitMQ is closing', error));
      return true;
    }
  }

  #up(): void {
    clearTimeout(this.#patience);
    this.#away = undefined;
    this.#full = false;
    this.#pump();
  }

  #down(): void {
    this.#patience = setTimeout(() => {
      this.#away = 'RabbitMQ is away';
      this.#failWaiting();
    }, PATIENCE_MS);
  }

  #failWaiting(): void {
    const error = closed(this.#away ?? 'RabbitMQ is away');
    for (const { batch } of this.#waiting.splice(this.#head)) batch.fail(error);
    this.#waiting = [];
    this.#head = 0;
  }
}

/** An event or message of the port as it goes to the broker: on disk before it is confirmed. */
export function toRaw(message: OutgoingMessage): RawMessage {
  const { message_id, correlation_id, reply_to, headers, expiration_ms } = message;
  const options: Properties = {
    persistent: true,
    contentType: message.content_type ?? 'application/json',
    timestamp: Math.floor(Date.now() / 1_000),
  };
  if (message_id !== undefined) options.messageId = message_id;
  if (headers !== undefined) options.headers = headers;
  if (correlation_id !== undefined) options.correlationId = correlation_id;
  if (reply_to !== undefined) options.replyTo = reply_to;
  if (expiration_ms !== undefined) options.expiration = expiration(expiration_ms);
  const { encoding = 'utf8' } = message;
  const body = encoding === 'utf8' ? message.body : Buffer.from(message.body, encoding);
  return { exchange: message.exchange, routing_key: message.routing_key, body, options };
}

/** Whole milliseconds; 0 would mean: only to a consumer that waits at this very moment. */
export function expiration(ms: number): string {
  return String(Math.max(1, Math.ceil(ms)));
}
