import { Redis, type RedisOptions } from 'ioredis';
import type { Cache, Log } from '../service/ports.ts';
import { Outage } from './outage.ts';
import { type Listener, Subscriptions } from './subscriptions.ts';

export interface RedisCacheOptions {
  /** host:port */
  readonly addr: string;
  readonly db: number;
  /** Empty: none. */
  readonly password: string;
  readonly tls: boolean;
  readonly log: Log;
  /** Put before every key and channel; default `flow-manager:` */
  readonly prefix?: string;
}

/** What a cache is worth: beyond that the database is asked. */
const COMMAND_MS = 100;
/** A server that is silent for this long has lost the connection. */
const SILENT_MS = 2_000;
/** The subscriber sends nothing by itself, and would not notice. */
const PING_MS = 5_000;

/**
 * The cache on Redis. No call throws or waits for a server that is away: it finds nothing. Connects by itself, again
 * and again, and subscribes again after each loss; what was published meanwhile is lost.
 */
export class RedisCache implements Cache {
  readonly #commands: Redis;
  /** A connection that subscribes can do nothing else. */
  readonly #subscriber: Redis;
  readonly #subscriptions: Subscriptions;
  readonly #outage: Outage;
  readonly #prefix: string;
  readonly #addr: string;
  readonly #ping: NodeJS.Timeout;
  #closed = false;

  constructor(options: RedisCacheOptions) {
    this.#prefix = options.prefix ?? 'flow-manager:';
    this.#addr = options.addr;
    this.#subscriptions = new Subscriptions(options.log);
    this.#outage = new Outage(options.addr, options.log);
    this.#commands = new Redis(connection(options, 'flow-manager'));
    this.#subscriber = new Redis(connection(options, 'flow-manager subscriber'));
    for (const client of [this.#commands, this.#subscriber]) {
      client.on('error', (error) => this.#outage.failed(error));
    }
    this.#commands.on('ready', () => this.#outage.over());
    this.#commands.on('close', () => {
      if (!this.#closed) this.#outage.failed(new Error('connection lost'));
    });
    this.#subscriber.on('ready', () => this.#subscribeTo(this.#subscriptions.channels));
    this.#subscriber.on('message', (channel: string, message: string) => {
      this.#subscriptions.emit(channel.slice(this.#prefix.length), message);
    });
    this.#ping = setInterval(() => this.#keepAlive(), PING_MS).unref();
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#try((redis) => redis.get(this.#prefix + key))) ?? undefined;
  }

  async set(key: string, value: string, ttl_ms: number): Promise<void> {
    if (ttl_ms <= 0) return this.delete(key);
    await this.#try((redis) => redis.set(this.#prefix + key, value, 'PX', Math.max(1, Math.round(ttl_ms))));
  }

  async delete(key: string): Promise<void> {
    await this.#try((redis) => redis.del(this.#prefix + key));
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#try((redis) => redis.publish(this.#prefix + channel, message));
  }

  /** Resolves at once when Redis is away; it is subscribed as soon as Redis is back. */
  async subscribe(channel: string, listener: Listener): Promise<() => Promise<void>> {
    // A function of its own for each subscription, so that one listener may subscribe twice and leave once.
    const own: Listener = (message) => listener(message);
    if (this.#subscriptions.add(channel, own)) await this.#subscribeTo([channel]);
    return async () => {
      if (!this.#subscriptions.remove(channel, own) || this.#subscriber.status !== 'ready') return;
      await this.#subscriber.unsubscribe(this.#prefix + channel).catch((error: unknown) => this.#outage.failed(error));
    };
  }

  /** Throws when Redis does not answer. */
  async check(): Promise<void> {
    if (this.#commands.status !== 'ready') throw new Error(`not connected to Redis at ${this.#addr}`);
    await this.#commands.ping();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#ping);
    this.#subscriptions.clear();
    this.#commands.disconnect();
    this.#subscriber.disconnect();
  }

  async #try<T>(command: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (this.#commands.status !== 'ready' || this.#outage.skip()) return undefined;
    try {
      const answer = await command(this.#commands);
      this.#outage.over();
      return answer;
    } catch (error) {
      if (!this.#closed) this.#outage.failed(error);
      return undefined;
    }
  }

  async #subscribeTo(channels: readonly string[]): Promise<void> {
    if (channels.length === 0 || this.#subscriber.status !== 'ready') return;
    try {
      await this.#subscriber.subscribe(...channels.map((channel) => this.#prefix + channel));
    } catch (error) {
      if (this.#closed) return;
      this.#outage.failed(error);
      // Its `ready` subscribes to all of them: a connection that did not take it in time is not to be relied on.
      this.#subscriber.disconnect(true);
    }
  }

  #keepAlive(): void {
    if (this.#subscriber.status !== 'ready') return;
    this.#subscriber.ping().catch((error: unknown) => {
      if (!this.#closed) this.#outage.failed(error);
    });
  }
}

function connection(options: RedisCacheOptions, name: string): Omit<RedisOptions, 'replyMapping'> {
  const url = new URL(`redis://${options.addr}`);
  return {
    host: url.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: Number(url.port || 6379),
    db: options.db,
    connectionName: name,
    ...(options.password !== '' && { password: options.password }),
    ...(options.tls && { tls: {} }),
    // Every Redis and every proxy speaks it, and nothing here needs more.
    protocol: 2,
    disableClientInfo: true,
    // A command finds a connection or fails: none waits in a queue for Redis to come back.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Ours, on `ready`: ioredis's does not handle a failure of it.
    autoResubscribe: false,
    commandTimeout: COMMAND_MS,
    socketTimeout: SILENT_MS,
    connectTimeout: SILENT_MS,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
  };
}
