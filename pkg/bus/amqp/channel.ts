import { setTimeout as pause } from 'node:timers/promises';
import type { Channel, ChannelModel } from 'amqplib';
import type { Log } from '../../service/ports.ts';
import type { AmqpConnection } from './connection.ts';
import { closed, describe } from './fault.ts';

export interface LastingChannelOptions<C extends Channel> {
  /** For log lines. */
  readonly name: string;
  readonly log: Log;
  readonly open: (model: ChannelModel) => Promise<C>;
  /** Declares, consumes: runs on each new channel before it is given to anybody. */
  readonly setup?: (channel: C, model: ChannelModel) => Promise<void>;
  /** Called in the same turn in which the channel became usable. */
  readonly up?: (channel: C) => void;
  /** Called in the same turn in which the channel was lost. */
  readonly down?: () => void;
}

const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 3_000;
const CLOSE_MS = 2_000;

/**
 * One channel that is opened again whenever it is lost: with its connection, or alone by a channel error (404, 406),
 * which amqplib's recovery does not see.
 *
 * One loop: wait for the connection, open, set up, serve until the channel closes, pause, again. The pause grows
 * only while it fails, so that a channel error which repeats does not spin.
 */
export class LastingChannel<C extends Channel> {
  readonly #connection: AmqpConnection;
  readonly #options: LastingChannelOptions<C>;
  readonly #stop = new AbortController();
  #channel: C | undefined;
  #waiters = new Set<(error?: Error) => void>();
  #drained: Promise<void> | undefined;

  constructor(connection: AmqpConnection, options: LastingChannelOptions<C>) {
    this.#connection = connection;
    this.#options = options;
  }

  start(): this {
    void this.#keep();
    return this;
  }

  /** The channel, when it can be used at this moment. */
  get current(): C | undefined {
    return this.#channel;
  }

  /** Throws BusError `closed` when there is none after `timeout_ms`; without a limit only when closed for good. */
  async ready(timeout_ms?: number): Promise<C> {
    while (!this.#channel) {
      if (this.#stop.signal.aborted) throw closed('the bus is closed');
      await this.#changed(timeout_ms);
    }
    return this.#channel;
  }

  /** Resolves when there is room to write again, or when the channel is lost: look at `current` afterwards. */
  drained(): Promise<void> {
    const channel = this.#channel;
    if (!channel) return Promise.resolve();
    this.#drained ??= new Promise((resolve) => {
      const done = () => {
        channel.off('drain', done);
        channel.off('close', done);
        this.#drained = undefined;
        resolve();
      };
      channel.on('drain', done);
      channel.on('close', done);
    });
    return this.#drained;
  }

  /** Gives the channel up, so that it is opened and set up anew. */
  async reset(): Promise<void> {
    if (this.#channel) await closeChannel(this.#channel);
  }

  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    const channel = this.#channel;
    this.#lose();
    this.#tell(closed('the bus is closed'));
    if (channel) await closeChannel(channel);
  }

  async #keep(): Promise<void> {
    let wait = MIN_PAUSE_MS;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#once();
        wait = MIN_PAUSE_MS;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#options.log.warn({ channel: this.#options.name, error: describe(error) }, 'cannot open channel, will try again');
        wait = Math.min(wait * 2, MAX_PAUSE_MS);
      }
      await pause(wait, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined);
    }
  }

  /** Resolves when a channel that was usable is lost; rejects when it did not get that far. */
  async #once(): Promise<void> {
    const { open, setup, up, log, name } = this.#options;
    const model = await this.#connection.up();
    if (this.#stop.signal.aborted) return;
    const channel = await open(model);
    channel.on('error', (error) => log.warn({ channel: name, error: describe(error) }, 'channel error'));
    const lost = new Promise<void>((resolve) => {
      // First of all listeners: amqplib's own fails the open confirms, whose callbacks must find the channel gone.
      channel.prependOnceListener('close', () => {
        if (this.#channel === channel) this.#lose();
        resolve();
      });
    });
    const early = lost.then(() => Promise.reject(new Error('the channel closed while it was set up')));
    try {
      await Promise.race([setup?.(channel, model), early]);
    } catch (error) {
      await closeChannel(channel);
      throw error;
    }
    if (this.#stop.signal.aborted) return closeChannel(channel);
    this.#channel = channel;
    up?.(channel);
    this.#tell();
    await lost;
  }

  #lose(): void {
    if (!this.#channel) return;
    this.#channel = undefined;
    this.#options.down?.();
  }

  #tell(error?: Error): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter(error);
  }

  #changed(timeout_ms: number | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const waiter = (error?: Error) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      this.#waiters.add(waiter);
      if (timeout_ms === undefined) return;
      timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(closed(`no connection to RabbitMQ at ${this.#connection.address} within ${timeout_ms} ms`));
      }, timeout_ms);
    });
  }
}

/**
 * Closes a channel that may be closed already. amqplib settles `close()` with the broker's CloseOk only, never when
 * the connection goes first: hence the event, and the limit for a silent peer.
 */
export async function closeChannel(channel: Channel): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const gone = new Promise<void>((resolve) => {
    channel.once('close', resolve);
    timer = setTimeout(resolve, CLOSE_MS);
  });
  await Promise.race([channel.close().catch(() => undefined), gone]);
  clearTimeout(timer);
}
