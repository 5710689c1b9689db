import { type Channel, type ChannelModel, connect } from 'amqplib';
import type { Log } from '../../service/ports.ts';
import { describe, replyCode } from './fault.ts';
import { type Topology, withChannel } from './topology.ts';

/** delayed: the broker's plugin holds messages back. stored: the stand-in queue takes them, and we keep them. */
export type DelayMode = 'delayed' | 'stored';

const EXISTS_OTHERWISE = 406;
const COMMAND_INVALID = 503;
const NOT_FOUND = 404;

/**
 * The exchange for delayed messages: published to with header `x-delay` and the target queue as routing key.
 *
 * With the broker's plugin it is of type x-delayed-message, and the target queue is bound when it is first used.
 * Without, it is a topic exchange whose every message comes to one stand-in queue; whoever serves that puts them
 * into timer rows. Siblings that publish there get the same promise either way.
 */
export class DelayExchange {
  readonly exchange: string;
  /** The stand-in queue; declared only without the plugin. */
  readonly storedQueue: string;
  readonly #probe: () => Promise<DelayMode>;
  readonly #topology: Topology;
  #mode: Promise<DelayMode> | undefined;
  /** The connection that all is declared on, and the queues bound on it. */
  #declared: ChannelModel | undefined;
  readonly #bound = new Set<string>();

  constructor(exchange: string, topology: Topology, probe: () => Promise<DelayMode>) {
    this.exchange = exchange;
    this.storedQueue = `${exchange}.stored`;
    this.#topology = topology;
    this.#probe = probe;
  }

  /** Found out once; a probe that fails is made again by the next caller. */
  mode(): Promise<DelayMode> {
    this.#mode ??= this.#probe().catch((error: unknown) => {
      this.#mode = undefined;
      throw error;
    });
    return this.#mode;
  }

  /** On each new connection: a broker that was replaced has none of it. */
  async declare(model: ChannelModel): Promise<void> {
    this.#declared = undefined;
    this.#bound.clear();
    // Gone with the broker that had it: probing is what declares it.
    if ((await this.mode()) === 'delayed' && !(await exists(model, this.exchange))) this.#mode = undefined;
    if ((await this.mode()) === 'stored') {
      await this.#topology.exchange(model, this.exchange, 'topic');
      await this.#topology.queue(model, this.storedQueue);
      await this.#topology.bind(model, this.storedQueue, this.exchange);
    }
    this.#declared = model;
  }

  /** Makes sure that a message for this queue gets somewhere. The queue itself is its owner's to declare. */
  async route(model: ChannelModel, queue: string): Promise<void> {
    if (this.#declared !== model) await this.declare(model);
    if (this.#bound.has(queue)) return;
    // An exchange that was there already may be a direct one, which `#` means nothing to: hence a binding by name.
    const target = (await this.mode()) === 'delayed' ? queue : this.storedQueue;
    await this.#topology.bind(model, target, this.exchange, queue);
    this.#bound.add(queue);
  }
}

async function exists(model: ChannelModel, exchange: string): Promise<boolean> {
  try {
    await withChannel(model, (channel) => channel.checkExchange(exchange));
    return true;
  } catch (error) {
    if (replyCode(error) === NOT_FOUND) return false;
    throw error;
  }
}

/**
 * Declares the exchange with the plugin's type, which tells whether the plugin is there. On a connection that is
 * thrown away, since an unknown exchange type closes the whole connection (503).
 */
export async function probeDelay(url: string, exchange: string, log: Log): Promise<DelayMode> {
  const model = await connect(url, {
    noDelay: true,
    timeout: 10_000,
    clientProperties: { connection_name: 'flow-manager probe' },
  });
  let closedBy: unknown;
  model.on('error', (error) => log.debug({ error: describe(error) }, 'probe connection error'));
  const gone = new Promise<void>((resolve) => {
    model.once('close', (error) => {
      closedBy = error;
      resolve();
    });
  });
  try {
    const mode = await decide(
      () => withChannel(model, (channel) => declareDelayed(channel, exchange)),
      () => closedBy,
    );
    log.info(
      { exchange, mode },
      mode === 'delayed' ? 'RabbitMQ delays messages' : 'RabbitMQ has no delayed-message plugin: stored instead',
    );
    return mode;
  } finally {
    if (closedBy === undefined) await Promise.race([model.close().catch(() => undefined), gone]);
  }
}

async function declareDelayed(channel: Channel, exchange: string): Promise<void> {
  const options = { durable: true, arguments: { 'x-delayed-type': 'direct' } };
  await channel.assertExchange(exchange, 'x-delayed-message', options);
}

/** Exported for its test: what the outcome of the declaration says. */
export async function decide(declare: () => Promise<void>, closedBy: () => unknown): Promise<DelayMode> {
  try {
    await declare();
    return 'delayed';
  } catch (error) {
    if (replyCode(closedBy()) === COMMAND_INVALID) return 'stored';
    if (replyCode(error) !== EXISTS_OTHERWISE) throw error;
    // The plugin is there, but the exchange was made before, or otherwise. RabbitMQ says which argument differs in
    // words only: any but the type itself means that it delays all the same.
    return describe(error).includes("inequivalent arg 'type'") ? 'stored' : 'delayed';
  }
}
