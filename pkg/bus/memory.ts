import { BusError, type Delivery, type Log, type OutgoingMessage, type Serving, type Verdict } from '../service/ports.ts';
import { deadLetterHeaders, deadLetterQueue } from './dead_letter.ts';
import { assertDelay, type DelayingBus } from './delaying.ts';
import { decide, MemoryConsumer, type MemoryMessage, MemoryQueue } from './memory_queue.ts';

export interface MemoryBusOptions {
  readonly log: Log;
  /** default bin-manager.delay */
  readonly delayExchange?: string;
  /**
   * True (default): delayed messages come to the stand-in queue, to be stored, as with a broker that cannot delay.
   * False: timers of this process hold them, and they go with it.
   */
  readonly storeDelays?: boolean;
  /** How long close() waits for handlers that are under way; default 10,000. */
  readonly drain_ms?: number;
}

/** What waits in one queue at most: beyond it publish is refused, and of dead letters the oldest is dropped. */
const MAX_WAITING = 10_000;
const REPLY_PREFIX = 'memory.reply-to.';
/** The longest that setTimeout can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Pending {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * The bus within one process, for `--embedded`. Queues exist once they are served; what is sent to a queue that
 * never was is dropped, as by a broker. A request to one that nobody serves at that moment fails at once.
 */
export class MemoryBus implements DelayingBus {
  readonly storedQueue: string;
  readonly #log: Log;
  readonly #delayExchange: string;
  readonly #storeDelays: boolean;
  readonly #drain_ms: number;
  readonly #queues = new Map<string, MemoryQueue>();
  readonly #exchanges = new Map<string, Set<MemoryQueue>>();
  readonly #consumers = new Set<MemoryConsumer>();
  readonly #pending = new Map<string, Pending>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #requests = 0;
  #closing: Promise<void> | undefined;

  constructor(options: MemoryBusOptions) {
    this.#log = options.log;
    this.#delayExchange = options.delayExchange ?? 'bin-manager.delay';
    this.#storeDelays = options.storeDelays ?? true;
    this.#drain_ms = options.drain_ms ?? 10_000;
    this.storedQueue = `${this.#delayExchange}.stored`;
    if (this.#storeDelays) this.#queue(this.storedQueue);
  }

  async waiting(queue: string): Promise<number> {
    return this.#queues.get(queue)?.length ?? 0;
  }

  async delayIsStored(): Promise<boolean> {
    return this.#storeDelays;
  }

  async serve(
    queue: string,
    handler: (delivery: Delivery) => Promise<Verdict>,
    options: { readonly prefetch: number; readonly bind?: readonly string[] },
  ): Promise<Serving> {
    this.#assertOpen();
    const target = this.#queue(queue);
    for (const exchange of options.bind ?? []) this.#bound(exchange).add(target);
    const consumer = new MemoryConsumer(target, options.prefetch, async (message) => {
      const verdict = await decide(handler, message);
      if (verdict.kind === 'requeue') return 'back';
      if (verdict.kind === 'dead') this.#setAside(queue, message, verdict.reason);
      if (verdict.reply !== undefined && message.reply_to !== '') this.#reply(message, verdict.reply);
      if (verdict.kind === 'done') verdict.settled?.(true);
      return 'settled';
    });
    this.#consumers.add(consumer);
    return {
      close: async () => {
        await consumer.close();
        this.#consumers.delete(consumer);
      },
    };
  }

  async request(
    queue: string,
    body: string,
    options: { readonly timeout_ms: number; readonly message_id: string },
  ): Promise<Uint8Array> {
    this.#assertOpen();
    const target = this.#queues.get(queue);
    if (!target?.served) throw new BusError('unroutable', `nobody serves the queue ${queue}`);
    const reply_to = `${REPLY_PREFIX}${++this.#requests}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(reply_to);
        reject(new BusError('timeout', `no answer from ${queue} within ${options.timeout_ms} ms`));
      }, options.timeout_ms);
      this.#pending.set(reply_to, { resolve, reject, timer });
      // By who waits, not by the time: a timer may go off earlier than the clock says.
      const expired = (): boolean => !this.#pending.has(reply_to);
      target.put({ ...message(queue, body, options.message_id), reply_to, correlation_id: reply_to, expired });
    });
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    this.#assertOpen();
    for (const outgoing of messages) this.#route(outgoing);
  }

  async declareExchange(exchange: string): Promise<void> {
    this.#assertOpen();
    this.#bound(exchange);
  }

  async delay(queue: string, body: string, delay_ms: number, message_id: string): Promise<void> {
    assertDelay(delay_ms);
    await this.publish([
      { exchange: this.#delayExchange, routing_key: queue, body, message_id, headers: { 'x-delay': delay_ms } },
    ]);
  }

  async check(): Promise<void> {
    this.#assertOpen();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#drain_ms);
    });
    await Promise.race([Promise.all([...this.#consumers].map((consumer) => consumer.close())), late]);
    clearTimeout(timer);
    for (const armed of this.#timers) clearTimeout(armed);
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(new BusError('closed', 'the bus is closed'));
    }
    this.#pending.clear();
  }

  #route(outgoing: OutgoingMessage): void {
    const { exchange, routing_key, expiration_ms } = outgoing;
    const made: MemoryMessage = {
      ...message(routing_key, Buffer.from(outgoing.body, outgoing.encoding ?? 'utf8'), outgoing.message_id ?? ''),
      correlation_id: outgoing.correlation_id ?? '',
      reply_to: outgoing.reply_to ?? '',
      ...(outgoing.content_type !== undefined && { content_type: outgoing.content_type }),
      headers: outgoing.headers ?? {},
      ...(expiration_ms !== undefined && { expired: after(expiration_ms) }),
    };
    if (exchange === this.#delayExchange) {
      this.#delayed(made);
      return;
    }
    const named = this.#queues.get(routing_key);
    const targets = exchange === '' ? (named ? [named] : []) : this.#exchanges.get(exchange);
    if (!targets) throw new BusError('closed', `there is no exchange ${exchange}`);
    for (const queue of targets) this.#put(queue, made);
  }

  #put(queue: MemoryQueue, made: MemoryMessage): void {
    if (queue.length >= MAX_WAITING) throw new BusError('closed', `${MAX_WAITING} messages wait in ${queue.name} already`);
    queue.put(made);
  }

  #delayed(made: MemoryMessage): void {
    const delay = made.headers['x-delay'];
    if (this.#storeDelays) this.#put(this.#queue(this.storedQueue), made);
    else this.#later(typeof delay === 'number' ? delay : 0, () => this.#queues.get(made.routing_key)?.put(made));
  }

  /** Does not keep the process alive: what must outlive it is stored. */
  #later(delay_ms: number, run: () => void): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        if (delay_ms > MAX_TIMER_MS) this.#later(delay_ms - MAX_TIMER_MS, run);
        else run();
      },
      Math.min(delay_ms, MAX_TIMER_MS),
    ).unref();
    this.#timers.add(timer);
  }

  #reply(to: MemoryMessage, body: string): void {
    const pending = this.#pending.get(to.reply_to);
    if (!pending) return;
    this.#pending.delete(to.reply_to);
    clearTimeout(pending.timer);
    pending.resolve(Buffer.from(body));
  }

  #setAside(queue: string, dead: MemoryMessage, reason: string): void {
    const { message_id, correlation_id, reply_to, routing_key } = dead;
    this.#log.warn({ queue, message_id, reason }, 'message set aside to the dead-letter queue');
    const target = this.#queue(deadLetterQueue(queue));
    if (target.length >= MAX_WAITING) target.dropOldest();
    const headers = { ...dead.headers, ...deadLetterHeaders(reason, queue, routing_key) };
    target.put({ ...message(target.name, dead.body, message_id), correlation_id, reply_to, headers });
  }

  #queue(name: string): MemoryQueue {
    let queue = this.#queues.get(name);
    if (!queue) {
      queue = new MemoryQueue(name);
      this.#queues.set(name, queue);
    }
    return queue;
  }

  #bound(exchange: string): Set<MemoryQueue> {
    let queues = this.#exchanges.get(exchange);
    if (!queues) {
      queues = new Set();
      this.#exchanges.set(exchange, queues);
    }
    return queues;
  }

  #assertOpen(): void {
    if (this.#closing) throw new BusError('closed', 'the bus is closed');
  }
}

function message(routing_key: string, body: string | Uint8Array, message_id: string): MemoryMessage {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { body: bytes, reply_to: '', correlation_id: '', message_id, redelivered: false, headers: {}, routing_key };
}

function after(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() >= end;
}
