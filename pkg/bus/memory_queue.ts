import { setTimeout as pause } from 'node:timers/promises';
import type { Delivery, Verdict } from '../service/ports.ts';

export interface MemoryMessage extends Delivery {
  /** True once nobody waits for it any more. */
  readonly expired?: () => boolean;
}

/** Takes a message and settles what the handler decided about it; never rejects. */
type Consume = (message: MemoryMessage) => Promise<'settled' | 'back'>;

/** As with RabbitMQ, so that a handler that cannot work yet does not spin. */
const REQUEUE_PAUSE_MS = 100;

/** A queue of the in-process bus: messages wait for a consumer that has room; consumers take turns. */
export class MemoryQueue {
  readonly name: string;
  #waiting: MemoryMessage[] = [];
  #consumers: MemoryConsumer[] = [];
  #turn = 0;
  #scheduled = false;

  constructor(name: string) {
    this.name = name;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get served(): boolean {
    return this.#consumers.length > 0;
  }

  put(message: MemoryMessage): void {
    this.#waiting.push(message);
    this.dispatch();
  }

  /** To where it came from: before all that waits. */
  putBack(message: MemoryMessage): void {
    this.#waiting.unshift(message);
    this.dispatch();
  }

  dropOldest(): void {
    this.#waiting.shift();
  }

  attach(consumer: MemoryConsumer): void {
    this.#consumers.push(consumer);
    this.dispatch();
  }

  detach(consumer: MemoryConsumer): void {
    this.#consumers = this.#consumers.filter((other) => other !== consumer);
  }

  /** In a turn of its own, so that no handler runs inside of somebody's publish. */
  dispatch(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (this.#waiting.length > 0) {
      const consumer = this.#nextWithRoom();
      if (!consumer) return;
      const message = this.#waiting.shift();
      if (message && !message.expired?.()) consumer.take(message);
    }
  }

  #nextWithRoom(): MemoryConsumer | undefined {
    for (let i = 0; i < this.#consumers.length; i++) {
      const consumer = this.#consumers[this.#turn++ % this.#consumers.length];
      if (consumer?.hasRoom) return consumer;
    }
    return undefined;
  }
}

export class MemoryConsumer {
  readonly #queue: MemoryQueue;
  readonly #consume: Consume;
  readonly #prefetch: number;
  #running = 0;
  #idle: (() => void)[] = [];

  constructor(queue: MemoryQueue, prefetch: number, consume: Consume) {
    this.#queue = queue;
    this.#prefetch = prefetch;
    this.#consume = consume;
    queue.attach(this);
  }

  get hasRoom(): boolean {
    return this.#running < this.#prefetch;
  }

  take(message: MemoryMessage): void {
    this.#running++;
    void this.#run(message);
  }

  async close(): Promise<void> {
    this.#queue.detach(this);
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #run(message: MemoryMessage): Promise<void> {
    if ((await this.#consume(message)) === 'back') {
      await pause(REQUEUE_PAUSE_MS);
      this.#queue.putBack({ ...message, redelivered: true });
    }
    this.#running--;
    this.#queue.dispatch();
    if (this.#running === 0) for (const idle of this.#idle.splice(0)) idle();
  }
}

/** The verdict of a handler; one that throws has refused the message. */
export async function decide(handler: (delivery: Delivery) => Promise<Verdict>, delivery: Delivery): Promise<Verdict> {
  try {
    return await handler(delivery);
  } catch (error) {
    return { kind: 'dead', reason: error instanceof Error ? error.message : String(error) };
  }
}
