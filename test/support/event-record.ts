/** Keeps every event that is published, whatever happens to connections meanwhile, and says whether all are as promised. */
import { randomUUID } from 'node:crypto';
import { connect, type GetMessage } from 'amqplib';
import { expect } from 'chai';
import type { JsonObject } from '../../pkg/model/json.ts';

export interface RecordedEvent {
  readonly id: string;
  readonly type: string;
  readonly message_id: string;
  readonly sequence: unknown;
  readonly data: JsonObject;
}

/** A durable queue of its own: nobody consumes it before the test looks, so nothing is delivered twice by that. */
export class EventRecord {
  readonly seen: RecordedEvent[] = [];
  readonly #amqp: string;
  readonly #queue: string;

  private constructor(amqp: string, queue: string) {
    this.#amqp = amqp;
    this.#queue = queue;
  }

  static async open(amqp: string, exchange: string): Promise<EventRecord> {
    const queue = `test.record.${randomUUID()}`;
    const model = await connect(amqp);
    const channel = await model.createChannel();
    await channel.assertExchange(exchange, 'fanout', { durable: true });
    await channel.assertQueue(queue, { durable: true });
    await channel.bindQueue(queue, exchange, '');
    await model.close();
    return new EventRecord(amqp, queue);
  }

  /** All that has come so far. */
  async read(): Promise<readonly RecordedEvent[]> {
    const model = await connect(this.#amqp, { noDelay: true });
    const channel = await model.createChannel();
    let message = await channel.get(this.#queue, { noAck: true });
    for (; message !== false; message = await channel.get(this.#queue, { noAck: true })) this.seen.push(toEvent(message));
    await model.close();
    return this.seen;
  }

  /** Events of each flow and activeflow, in the order in which they came. */
  byId(): ReadonlyMap<string, readonly RecordedEvent[]> {
    const byId = new Map<string, RecordedEvent[]>();
    for (const event of this.seen) {
      const events = byId.get(event.id);
      if (events) events.push(event);
      else byId.set(event.id, [event]);
    }
    return byId;
  }

  /** Copies that were not the first. */
  get repeats(): number {
    return this.seen.length - new Set(this.seen.map((event) => event.message_id)).size;
  }

  /**
   * The promise of events, for activeflows of which this many are stored: first copies come in the order of their
   * sequence, without a gap, up to the last one; a repeat has the message id, the sequence and the data of the first.
   */
  check(stored: ReadonlyMap<string, number>): void {
    const byId = this.byId();
    for (const [id, count] of stored) {
      const first = new Map<unknown, RecordedEvent>();
      for (const event of byId.get(id) ?? []) {
        const known = first.get(event.sequence);
        if (known) expect(event, `a repeat of ${known.message_id}`).deep.equal(known);
        else first.set(event.sequence, event);
      }
      const expected = Array.from({ length: count }, (_, index) => index + 1);
      expect([...first.keys()], `first copies of the events of ${id}`).deep.equal(expected);
      const ids = new Set([...first.values()].map((event) => event.message_id));
      expect(ids.size, `message ids of ${id}`).equal(count);
    }
  }
}

function toEvent({ content, properties }: GetMessage): RecordedEvent {
  const { type, data } = JSON.parse(content.toString()) as { type: string; data: JsonObject };
  return { id: String(data.id), type, message_id: properties.messageId, sequence: properties.headers?.['x-sequence'], data };
}
