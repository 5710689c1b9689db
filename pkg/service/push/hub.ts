import type { Context } from '../context.ts';
import type { PushedEvent } from '../ports.ts';
import { WAKE_CHANNEL } from './channel.ts';

/** Where events of a channel go: one open connection. */
export interface PushSink {
  /** Resolves when there is room for more; false: it is gone or too slow, and gets nothing any more. */
  send(event: PushedEvent): Promise<boolean>;
}

/** One connection's place in its channel. */
class Subscription {
  readonly owner: string;
  readonly #calls: ReadonlySet<string> | undefined;
  readonly #sink: PushSink;
  /** The number of the last event that was sent or passed over. */
  at: number;
  /** The newest that is known of. */
  #head = 0;
  #pumping = false;
  closed = false;

  constructor(owner: string, at: number, calls: ReadonlySet<string> | undefined, sink: PushSink) {
    this.owner = owner;
    this.at = at;
    this.#calls = calls;
    this.#sink = sink;
  }

  /** There are events up to this number: sends them, a page at a time, as fast as they are taken. */
  async advance(head: number, read: (after: number) => Promise<PushedEvent[]>): Promise<void> {
    this.#head = Math.max(this.#head, head);
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.closed && this.at < this.#head) await this.#page(read);
    } finally {
      this.#pumping = false;
    }
  }

  async #page(read: (after: number) => Promise<PushedEvent[]>): Promise<void> {
    const upTo = this.#head;
    const events = await read(this.at);
    for (const event of events) {
      if (this.closed) return;
      const wanted = this.#calls?.has(event.workflow_call_id) ?? true;
      if (wanted && !(await this.#sink.send(event))) {
        this.closed = true;
        return;
      }
      this.at = event.seq;
    }
    // Nothing between here and the head: what was there has been cleared away.
    if (events.length === 0) this.at = Math.max(this.at, upTo);
  }
}

export interface Subscribe {
  readonly owner: string;
  /** The last event that it has; undefined: it wants what comes from now on. */
  readonly after: number | undefined;
  /** Only events of these calls; undefined: all. */
  readonly calls: ReadonlySet<string> | undefined;
}

/** Events read at once for one connection. */
const PAGE = 50;
/** How often the store is asked when nothing wakes: what is published between processes may be lost. */
const LOOK_MS = 1_000;
const MOST = 10_000;
const MOST_OF_ONE = 50;

/**
 * Brings events of users' channels to their open connections. The store is the truth: each connection has its own
 * place in it, and reads on from there. A word from the process that stored an event only says when to look; without
 * one it is looked anyway. So it is the same with one process or many.
 */
export class PushHub {
  readonly #context: Context;
  readonly #byOwner = new Map<string, Set<Subscription>>();
  #open = 0;
  #leave: (() => Promise<void>) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(context: Context) {
    this.#context = context;
  }

  async start(): Promise<void> {
    this.#leave = await this.#context.cache.subscribe(WAKE_CHANNEL, (owner) => {
      if (this.#byOwner.has(owner)) void this.#look([owner]);
    });
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#leave?.();
    await this.#looking;
  }

  /** Open connections, for the metrics. */
  get connections(): number {
    return this.#open;
  }

  /** Why one more connection cannot be had; undefined: it can. */
  full(owner: string): string | undefined {
    if (this.#open >= MOST) return `${MOST} connections are open`;
    return (this.#byOwner.get(owner)?.size ?? 0) >= MOST_OF_ONE ? `${MOST_OF_ONE} connections of this user are open` : undefined;
  }

  /** Begins to send. Returns what ends it. */
  async subscribe({ owner, after, calls }: Subscribe, sink: PushSink): Promise<() => void> {
    // Before it is registered: nothing that comes after this place is passed over.
    const head = (await this.#context.store.pushes.heads([owner])).get(owner) ?? 0;
    // A place that the channel has not come to is none of its own.
    const subscription = new Subscription(owner, Math.min(after ?? head, head), calls, sink);
    this.#add(subscription);
    void this.#advance(subscription, head);
    return () => this.#remove(subscription);
  }

  #add(subscription: Subscription): void {
    const others = this.#byOwner.get(subscription.owner);
    if (others) others.add(subscription);
    else this.#byOwner.set(subscription.owner, new Set([subscription]));
    this.#open += 1;
  }

  #remove(subscription: Subscription): void {
    subscription.closed = true;
    const others = this.#byOwner.get(subscription.owner);
    if (!others?.delete(subscription)) return;
    this.#open -= 1;
    if (others.size === 0) this.#byOwner.delete(subscription.owner);
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look([...this.#byOwner.keys()]).finally(() => this.#schedule());
    }, LOOK_MS).unref();
  }

  async #look(owners: readonly string[]): Promise<void> {
    if (owners.length === 0) return;
    try {
      for (const [owner, head] of await this.#context.store.pushes.heads(owners)) {
        for (const subscription of this.#byOwner.get(owner) ?? []) void this.#advance(subscription, head);
      }
    } catch (error) {
      this.#context.log.warn({ error: String(error) }, 'what is to be pushed could not be read, and is looked for again');
    }
  }

  async #advance(subscription: Subscription, head: number): Promise<void> {
    const { pushes } = this.#context.store;
    try {
      await subscription.advance(head, (after) => pushes.read(subscription.owner, after, PAGE));
    } catch (error) {
      // Its place is kept: the next look goes on there.
      this.#context.log.warn({ error: String(error) }, 'events could not be pushed, and are tried again');
    }
    if (subscription.closed) this.#remove(subscription);
  }
}
