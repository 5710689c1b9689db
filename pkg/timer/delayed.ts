import { createHash } from 'node:crypto';
import { toFlowError } from '../error/index.ts';
import type { Json } from '../model/json.ts';
import type { Bus, DelayedMessage, DelayedProperties, DelayStore, Delivery, Ids, Log, Verdict } from '../service/ports.ts';

const BATCH = 50;

/** Headers that are about the way to here, and none of the receiver's business. */
const OF_THE_WAY: ReadonlySet<string> = new Set(['x-delay', 'x-original-routing-key', 'x-retries']);

/**
 * Keeps what came to the broker's delay exchange until its time, where the broker cannot.
 *
 * A message with an id is stored once, however often it is delivered. One without is a message of its own at its first
 * delivery, whatever else is equal to it. Delivered again it may be stored already, by a process that was lost before the
 * broker had its acknowledgement: such a row is `open`, and stands for it. A row is closed once its delivery is
 * acknowledged. What is left is a process that dies in the moment between the two: an equal message that is delivered
 * again then, for a reason of its own, would be taken for that one. And one that was stored and sent within that moment
 * leaves no row, and is sent twice.
 */
export class DelayKeeper {
  readonly #delays: DelayStore;
  readonly #ids: Ids;
  readonly #log: Log;
  /** Open rows that stand for a delivery which is being settled: they stand for no other one. */
  readonly #taken = new Set<string>();

  constructor(delays: DelayStore, ids: Ids, log: Log) {
    this.#delays = delays;
    this.#ids = ids;
    this.#log = log;
  }

  readonly handle = async (delivery: Delivery): Promise<Verdict> => {
    const delay = Number(delivery.headers['x-delay'] ?? 0);
    if (!Number.isFinite(delay) || delay < 0)
      return { kind: 'dead', reason: `header x-delay: expected ms, got ${delivery.headers['x-delay']}` };
    const message = toMessage(delivery);
    const content = contentOf(message, delay);
    try {
      if (delivery.message_id !== '') {
        await this.#delays.add({ ...message, id: content }, delay);
        return { kind: 'done' };
      }
      const id = await this.#unnamed(content, delivery.redelivered);
      // Stored already: the same id again changes nothing.
      await this.#delays.add({ ...message, id }, delay, 'open');
      return { kind: 'done', settled: (acknowledged) => this.#settled(id, acknowledged) };
    } catch (thrown) {
      const error = toFlowError(thrown);
      return error.retryable ? { kind: 'requeue' } : { kind: 'dead', reason: error.message };
    }
  };

  async #unnamed(content: string, redelivered: boolean): Promise<string> {
    const open = redelivered ? await this.#delays.open(content) : [];
    const id = open.find((known) => !this.#taken.has(known)) ?? `${content}/${this.#ids.next()}`;
    this.#taken.add(id);
    return id;
  }

  #settled(id: string, acknowledged: boolean): void {
    this.#taken.delete(id);
    if (!acknowledged) return;
    this.#delays.settled(id).catch((error: unknown) => {
      this.#log.warn({ error: String(error) }, 'a delayed message is not marked as acknowledged');
    });
  }
}

/** Sends delayed messages whose time has come to their queues, as they were sent. True: there may be more. */
export async function sendDelayed(delays: DelayStore, bus: Bus, lease_ms: number): Promise<boolean> {
  const due = await delays.claim(BATCH, lease_ms);
  if (due.length === 0) return false;
  await bus.publish(
    due.map(({ queue, body, headers, properties }) => ({ exchange: '', routing_key: queue, body, headers, ...properties })),
  );
  await delays.done(due.map((message) => message.id));
  return due.length === BATCH;
}

function toMessage(delivery: Delivery): Omit<DelayedMessage, 'id'> {
  const { message_id, correlation_id, reply_to, content_type } = delivery;
  const { text, encoding } = textOf(delivery.body);
  const properties: DelayedProperties = {
    ...(message_id !== '' && { message_id }),
    ...(correlation_id !== '' && { correlation_id }),
    ...(reply_to !== '' && { reply_to }),
    ...(content_type !== undefined && { content_type }),
    ...(encoding && { encoding }),
  };
  const headers = Object.entries(delivery.headers).filter(([name]) => !OF_THE_WAY.has(name));
  return { queue: targetOf(delivery), body: text, headers: Object.fromEntries(headers) as { [name: string]: Json }, properties };
}

/** What was set aside and sent back comes by the stand-in queue's own name, and tells in a header whom it was for. */
function targetOf({ headers, routing_key }: Delivery): string {
  const original = headers['x-original-routing-key'];
  return typeof original === 'string' && headers['x-retries'] !== undefined ? original : routing_key;
}

function textOf(body: Uint8Array): { readonly text: string; readonly encoding?: 'base64' } {
  try {
    return { text: new TextDecoder('utf8', { fatal: true, ignoreBOM: true }).decode(body) };
  } catch {
    return { text: Buffer.from(body).toString('base64'), encoding: 'base64' };
  }
}

/** All that makes it this message: the same id may go to several queues, or come with another body. */
function contentOf(message: Omit<DelayedMessage, 'id'>, delay: number): string {
  const { queue, body, headers, properties } = message;
  return createHash('sha256')
    .update(JSON.stringify([queue, delay, headers, properties]))
    .update(body)
    .digest('base64url');
}
