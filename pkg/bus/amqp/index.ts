import type { ChannelModel } from 'amqplib';
import { BusError, type Delivery, type Log, type OutgoingMessage, type Serving, type Verdict } from '../../service/ports.ts';
import type { DelayingBus } from '../delaying.ts';
import { assertDelay } from '../delaying.ts';
import { AmqpConnection, withHeartbeat } from './connection.ts';
import { DelayExchange, probeDelay } from './delay.ts';
import { closed, describe, replyCode } from './fault.ts';
import { Publisher, toRaw } from './publisher.ts';
import { Replier } from './replier.ts';
import { Requester } from './requester.ts';
import { Server } from './server.ts';
import { Topology, withChannel } from './topology.ts';

export interface AmqpBusOptions {
  /** amqp:// or amqps:// */
  readonly url: string;
  readonly log: Log;
  /** default bin-manager.delay */
  readonly delayExchange?: string;
  /** default 10; a silent broker is noticed after two to three of them */
  readonly heartbeat_s?: number;
  /** How long close() waits for handlers that are under way; default 10,000. */
  readonly drain_ms?: number;
}

/**
 * The bus on RabbitMQ. One connection publishes (events, requests, answers: each on a channel of its own), another
 * consumes, so that a broker that holds publishers back never holds back acknowledgements.
 *
 * ```ts
 * const bus = new AmqpBus({ url: 'amqp://guest:guest@localhost:5672', log });
 * await bus.open(); // waits for the broker for ever
 * ```
 */
export class AmqpBus implements DelayingBus {
  readonly #options: AmqpBusOptions;
  readonly #publishing: AmqpConnection;
  readonly #consuming: AmqpConnection;
  readonly #topology: Topology;
  readonly #delay: DelayExchange;
  readonly #publisher: Publisher;
  readonly #requester: Requester;
  readonly #replier: Replier;
  readonly #exchanges = new Set<string>();
  readonly #servers = new Set<Server>();
  #closing: Promise<void> | undefined;

  constructor(options: AmqpBusOptions) {
    const { log, delayExchange = 'bin-manager.delay' } = options;
    const url = withHeartbeat(options.url, options.heartbeat_s ?? 10);
    this.#options = options;
    this.#publishing = new AmqpConnection({ url, name: 'flow-manager publish', log });
    this.#consuming = new AmqpConnection({ url, name: 'flow-manager consume', log });
    this.#topology = new Topology(log);
    this.#delay = new DelayExchange(delayExchange, this.#topology, () => probeDelay(url, delayExchange, log));
    this.#publisher = new Publisher(this.#publishing, log, (model) => this.#declare(model));
    this.#requester = new Requester(this.#publishing, log);
    this.#replier = new Replier(this.#publishing, log);
  }

  /** Resolves when everything is usable. Waits for the broker for ever; close() ends that with BusError `closed`. */
  async open(): Promise<void> {
    await Promise.all([this.#publishing.open(), this.#consuming.open()]);
    this.#publisher.start();
    this.#requester.start();
    this.#replier.start();
    await Promise.all([this.#publisher.ready(), this.#requester.ready(), this.#consuming.up()]);
  }

  get storedQueue(): string {
    return this.#delay.storedQueue;
  }

  async delayIsStored(): Promise<boolean> {
    return (await this.#delay.mode()) === 'stored';
  }

  async waiting(queue: string): Promise<number> {
    this.#assertOpen();
    const model = await this.#consuming.up();
    try {
      return (await withChannel(model, (channel) => channel.checkQueue(queue))).messageCount;
    } catch (error) {
      if (replyCode(error) === 404) return 0;
      throw error;
    }
  }

  async serve(
    queue: string,
    handler: (delivery: Delivery) => Promise<Verdict>,
    options: { readonly prefetch: number; readonly bind?: readonly string[]; readonly transient?: boolean },
  ): Promise<Serving> {
    this.#assertOpen();
    const server = new Server(
      {
        connection: this.#consuming,
        publisher: this.#publisher,
        replier: this.#replier,
        topology: this.#topology,
        log: this.#options.log,
      },
      { queue, handler, prefetch: options.prefetch, bind: options.bind ?? [], transient: options.transient ?? false },
    );
    this.#servers.add(server);
    await server.start();
    return {
      close: async () => {
        await server.close();
        this.#servers.delete(server);
      },
    };
  }

  async request(
    queue: string,
    body: string,
    options: { readonly timeout_ms: number; readonly message_id: string },
  ): Promise<Uint8Array> {
    this.#assertOpen();
    return this.#requester.request(queue, body, options.timeout_ms, options.message_id);
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<void> {
    this.#assertOpen();
    return this.#publisher.publish(messages.map(toRaw));
  }

  async declareExchange(exchange: string): Promise<void> {
    this.#assertOpen();
    this.#exchanges.add(exchange);
    await this.#topology.exchange(await this.#publishing.up(), exchange, 'fanout');
  }

  async delay(queue: string, body: string, delay_ms: number, message_id: string): Promise<void> {
    assertDelay(delay_ms);
    this.#assertOpen();
    await this.#route(queue);
    await this.publish([
      { exchange: this.#delay.exchange, routing_key: queue, body, message_id, headers: { 'x-delay': delay_ms } },
    ]);
  }

  async check(): Promise<void> {
    this.#assertOpen();
    for (const connection of [this.#publishing, this.#consuming]) {
      if (!connection.connected) throw closed(`not connected to RabbitMQ at ${connection.address}`);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Consumers first, so that nothing new begins; then what their handlers publish by; then the connections. */
  async #close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.drain_ms ?? 10_000);
    });
    await Promise.race([Promise.all([...this.#servers].map((server) => server.close())), late]);
    clearTimeout(timer);
    await Promise.all([this.#publisher.close(), this.#requester.close(), this.#replier.close()]);
    await Promise.all([this.#publishing.close(), this.#consuming.close()]);
  }

  /** On each new publishing channel, before its first message. */
  async #declare(model: ChannelModel): Promise<void> {
    for (const exchange of this.#exchanges) await this.#topology.exchange(model, exchange, 'fanout');
    // Whoever delays tries again; all other messages must not wait for what an operator may have to put right.
    await this.#delay.declare(model).catch((error: unknown) => {
      this.#options.log.warn({ exchange: this.#delay.exchange, error: describe(error) }, 'cannot declare the delay exchange');
    });
  }

  async #route(queue: string): Promise<void> {
    try {
      await this.#delay.route(await this.#publishing.up(), queue);
    } catch (error) {
      if (error instanceof BusError) throw error;
      if (replyCode(error) === 404) throw new BusError('unroutable', `there is no queue ${queue}`, { cause: error });
      throw closed(`cannot delay a message to ${queue}: ${describe(error)}`, error);
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw closed('the bus is closed');
  }
}
