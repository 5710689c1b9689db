import { type ChannelModel, connect, type RecoveringChannelModel } from 'amqplib';
import type { Log } from '../../service/ports.ts';
import { closed, describe } from './fault.ts';
import { writeFramesAtOnce } from './frame-writer.ts';
import { cutLater, joinWrites, socketOf } from './socket.ts';

export interface ConnectionOptions {
  /** amqp:// or amqps:// */
  readonly url: string;
  /** Shown in the broker's list of connections. */
  readonly name: string;
  readonly log: Log;
}

/** A silent broker is noticed after two to three heartbeats. An address that names an interval of its own keeps it. */
export function withHeartbeat(address: string, seconds: number): string {
  const url = new URL(address);
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(seconds));
  return url.href;
}

/** How long the closing handshake may take before the socket is cut. */
const CLOSE_MS = 2_000;
/** A handshake that is not through by then is given up: a peer that accepts and says nothing would hold it for ever. */
const HANDSHAKE_MS = 10_000;

/**
 * One connection that comes back by itself, for ever, from the very first attempt on. What lives on it (see
 * LastingChannel) asks for `up()` again after each loss.
 */
export class AmqpConnection {
  readonly #options: ConnectionOptions;
  readonly #address: string;
  #recovering: RecoveringChannelModel | undefined;
  #model: ChannelModel | undefined;
  #waiters: { readonly resolve: (model: ChannelModel) => void; readonly reject: (error: Error) => void }[] = [];
  #closing: Promise<void> | undefined;

  constructor(options: ConnectionOptions) {
    const url = new URL(options.url);
    if (url.protocol !== 'amqp:' && url.protocol !== 'amqps:') {
      throw new TypeError(`expected an amqp:// or amqps:// address, got ${url.protocol}//…`);
    }
    this.#options = options;
    this.#address = `${url.hostname}:${url.port || (url.protocol === 'amqp:' ? '5672' : '5671')}`;
  }

  /** The broker's host and port, without credentials. */
  get address(): string {
    return this.#address;
  }

  get connected(): boolean {
    return this.#model !== undefined;
  }

  /** Starts to connect; says in the log what it waits for. */
  async open(): Promise<void> {
    const { url, name, log } = this.#options;
    const recovering = await connect(url, {
      noDelay: true,
      timeout: HANDSHAKE_MS,
      clientProperties: { connection_name: name },
      recovery: { initialDelay: 100, maxDelay: 3_000, waitForConnect: false, setup: prove },
    });
    const about = { connection: name, address: this.#address };
    recovering.on('error', (error) => log.debug({ ...about, error: describe(error) }, 'connection error'));
    recovering.on('connect', (model) => {
      log.info(about, 'connected to RabbitMQ');
      this.#up(model);
    });
    recovering.on('disconnect', () => {
      this.#model = undefined;
    });
    recovering.on('reconnect-scheduled', ({ attempt, error }) => {
      const fields = { ...about, attempt, error: describe(error) };
      if (attempt === 1 || attempt % 10 === 0) log.warn(fields, `waiting for RabbitMQ at ${this.#address}`);
      else log.debug(fields, `waiting for RabbitMQ at ${this.#address}`);
    });
    recovering.on('blocked', (reason) => log.warn({ ...about, reason }, 'RabbitMQ takes no messages for now'));
    recovering.on('unblocked', () => log.info(about, 'RabbitMQ takes messages again'));
    this.#recovering = recovering;
    if (this.#closing) await recovering.close();
  }

  /** The connection as soon as there is one. Rejects only when this object is closed. */
  up(): Promise<ChannelModel> {
    if (this.#model) return Promise.resolve(this.#model);
    if (this.#closing) return Promise.reject(closed('the bus is closed'));
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #up(model: ChannelModel): void {
    this.#model = model;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(model);
  }

  async #close(): Promise<void> {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(closed('the bus is closed'));
    const model = this.#model;
    this.#model = undefined;
    if (!this.#recovering) return;
    // amqplib waits for the broker's CloseOk without a limit, and never hears of it when the peer is silent.
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        if (model) socketOf(model)?.destroy();
        resolve();
      }, CLOSE_MS);
    });
    await Promise.race([this.#recovering.close(), late]);
    clearTimeout(timer);
  }
}

/**
 * Runs on each new connection before it counts as connected. amqplib attaches its own listeners only afterwards, so
 * an `error` would be thrown and a `close` be missed (a connection taken for alive for ever) without these; the
 * round trip shows that it is alive.
 */
async function prove(model: ChannelModel): Promise<void> {
  model.on('error', ignore);
  const socket = socketOf(model);
  if (socket) joinWrites(socket);
  writeFramesAtOnce(model);
  const gone = new Promise<never>((_, reject) => {
    model.once('close', (error) => {
      if (socket) cutLater(socket);
      reject(error ?? new Error('the connection closed while it was set up'));
    });
  });
  await Promise.race([gone, model.createChannel().then((channel) => channel.close())]);
}

/** The same error comes again with `close` and with whatever waited for the connection. */
function ignore(): void {}
