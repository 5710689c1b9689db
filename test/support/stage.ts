/**
 * The daemon as its siblings see it, in its two set-ups: on servers (a process of its own, reached over RabbitMQ)
 * and embedded (its wiring in this process, reached over HTTP). One suite runs on both. All suites of a run share
 * a stage unless they want flags of their own, so each looks only at what it made itself.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Adapters } from '../../cmd/daemon/adapters.ts';
import { AmqpBus } from '../../pkg/bus/index.ts';
import { Lifecycle } from '../../pkg/lifecycle/index.ts';
import type { Response } from '../../pkg/rpc/envelope.ts';
import type { Bus } from '../../pkg/service/ports.ts';
import { Cleaner } from '../contract/bus_cleaner.ts';
import { AmqpCaller, Caller } from './caller.ts';
import { argumentsOf, Daemon, type Flags } from './daemon.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { EventCollector } from './events.ts';
import { QuietLog } from './quiet_log.ts';
import { services } from './services.ts';
import { ScriptedSiblings } from './siblings.ts';

export interface Stage {
  readonly kind: 'servers' | 'embedded';
  readonly caller: Caller;
  readonly siblings: ScriptedSiblings;
  readonly events: EventCollector;
  /** Where siblings, and a test, publish. */
  readonly bus: Bus;
  /** Where the metrics are. */
  readonly metrics: string;
  /** Where the HTTP gateway is: `http://127.0.0.1:40001`. */
  readonly gateway: string;
  /** Stops the daemon in an orderly way and starts it again on the same data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Where a daemon of this run takes requests and publishes; no other run uses these names. */
export function daemonFlags(names: Cleaner, database: TestDatabase, amqp: string, redis: string): Flags {
  return {
    dbDSN: database.dsn,
    rabbit_addr: amqp,
    redis_addr: redis,
    rabbit_exchange_delay: names.exchange('test.delay'),
    rabbit_queue_event: names.exchange('test.flow-manager.event'),
    rabbit_queue_listen: names.queue('test.flow-manager.request'),
    rabbit_queue_subscribe: names.queue('test.flow-manager.subscribe'),
    prom_listen_addr: '127.0.0.1:0',
    http_listen_addr: '127.0.0.1:0',
    migrate: true,
  };
}

/** On a broker siblings are found by name, so all daemons of a run share them. */
let onBroker: Promise<{ readonly siblings: ScriptedSiblings; readonly close: () => Promise<void> }> | undefined;

async function playSiblings(url: string): NonNullable<typeof onBroker> {
  const bus = new AmqpBus({ url, log: new QuietLog() });
  await bus.open();
  const siblings = new ScriptedSiblings();
  await siblings.attach(bus);
  return { siblings, close: () => bus.close() };
}

export class ServerStage implements Stage {
  readonly kind = 'servers';
  readonly caller: Caller;
  readonly amqp: AmqpCaller;
  readonly siblings: ScriptedSiblings;
  readonly events = new EventCollector();
  readonly bus: AmqpBus;
  readonly database: TestDatabase;
  readonly flags: Flags;
  readonly #names: Cleaner;
  daemon: Daemon;
  metrics = '';
  gateway = '';

  private constructor(parts: Pick<ServerStage, 'amqp' | 'bus' | 'database' | 'flags' | 'daemon' | 'siblings'>, names: Cleaner) {
    this.amqp = parts.amqp;
    this.siblings = parts.siblings;
    this.caller = new Caller(parts.amqp.send);
    this.bus = parts.bus;
    this.database = parts.database;
    this.flags = parts.flags;
    this.daemon = parts.daemon;
    this.#names = names;
  }

  static async start(more: Flags = {}): Promise<ServerStage> {
    const { amqp: url, redis } = await services();
    const names = new Cleaner(async () => url);
    const database = await createDatabase();
    const flags = { ...daemonFlags(names, database, url, redis), ...more };
    const daemon = Daemon.spawn(argumentsOf(flags));
    const bus = new AmqpBus({ url, log: new QuietLog(), delayExchange: String(flags.rabbit_exchange_delay) });
    await bus.open();
    const amqp = await AmqpCaller.open(url, String(flags.rabbit_queue_listen));
    onBroker ??= playSiblings(url);
    const { siblings } = await onBroker;
    const stage = new ServerStage({ amqp, bus, database, flags, daemon, siblings }, names);
    await stage.events.attach(bus, String(flags.rabbit_queue_event));
    await stage.#ready();
    return stage;
  }

  async restart(): Promise<void> {
    await this.daemon.stop();
    this.daemon = Daemon.spawn(argumentsOf(this.flags));
    await this.#ready();
  }

  async close(): Promise<void> {
    await this.daemon.stop();
    await this.events.detach();
    await this.amqp.close();
    await this.bus.close();
    await this.#names.clean();
    await this.database.drop();
  }

  async #ready(): Promise<void> {
    const line = await this.daemon.ready;
    this.metrics = metricsOf(line);
    this.gateway = gatewayOf(line);
  }
}

export class EmbeddedStage implements Stage {
  readonly kind = 'embedded';
  readonly caller = new Caller((text) => this.#send(text));
  readonly siblings = new ScriptedSiblings();
  readonly events = new EventCollector();
  metrics = '';
  gateway = '';
  readonly #folder: string;
  readonly #flags: Flags;
  #adapters: Adapters | undefined;
  #lifecycle: Lifecycle | undefined;

  private constructor(folder: string, flags: Flags) {
    this.#folder = folder;
    this.#flags = flags;
  }

  static async start(more: Flags = {}): Promise<EmbeddedStage> {
    const folder = await mkdtemp(join(tmpdir(), 'flow-embedded-'));
    const flags = { embedded: folder, http_listen_addr: '127.0.0.1:0', prom_listen_addr: '127.0.0.1:0', ...more };
    const stage = new EmbeddedStage(folder, flags);
    await stage.#open();
    return stage;
  }

  get bus(): Bus {
    if (!this.#adapters) throw new Error('not started');
    return this.#adapters.bus;
  }

  async restart(): Promise<void> {
    await this.#stop();
    await this.#open();
  }

  async close(): Promise<void> {
    await this.#stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    const { embeddedAdapters, readSettings, run } = await loadDaemon();
    const settings = readSettings(argumentsOf(this.#flags), {});
    const log = new QuietLog();
    this.#adapters = embeddedAdapters(settings, this.#folder, log);
    this.#lifecycle = new Lifecycle(log, settings.drain_ms);
    await this.siblings.attach(this.#adapters.bus);
    await this.events.attach(this.#adapters.bus, settings.rabbit.events);
    const line = await run(settings, log, this.#lifecycle, this.#adapters);
    this.metrics = metricsOf(line);
    this.gateway = gatewayOf(line);
  }

  async #stop(): Promise<void> {
    if (!(await this.#lifecycle?.stop('the test is over'))) throw new Error('not stopped in time');
  }

  async #send(text: string): Promise<Response> {
    const answer = await fetch(`${this.gateway}/rpc`, { method: 'POST', body: text });
    return (await answer.json()) as Response;
  }
}

function gatewayOf(line: string): string {
  return `http://${/http at (\S+?),/.exec(line)?.[1]}`;
}

/**
 * As the daemon itself loads its gateway: mocha loads a test's imports in another way, and then there would be two of
 * each module that both need, and an error of one is none of the other.
 */
async function loadDaemon() {
  const { embeddedAdapters } = await import('../../cmd/daemon/adapters.ts');
  const { readSettings } = await import('../../cmd/daemon/options.ts');
  const { run } = await import('../../cmd/daemon/run.ts');
  return { embeddedAdapters, readSettings, run };
}

function metricsOf(line: string): string {
  return `http://${/metrics at (\S+)/.exec(line)?.[1]}`;
}

const STARTS: { readonly [kind in Stage['kind']]: (more?: Flags) => Promise<Stage> } = {
  servers: (more) => ServerStage.start(more),
  embedded: (more) => EmbeddedStage.start(more),
};

const shared = new Map<string, Promise<Stage>>();

/** In the root suite: after the last of all suites. */
after(async function closeShared() {
  this.timeout(30_000);
  for (const stage of shared.values()) await (await stage).close();
  shared.clear();
  await (await onBroker)?.close();
  onBroker = undefined;
});

function sharedStage(kind: Stage['kind']): Promise<Stage> {
  const stage = shared.get(kind) ?? STARTS[kind]();
  shared.set(kind, stage);
  return stage;
}

/**
 * Runs a suite on both set-ups; with flags, on daemons of its own. Siblings are well again after each test.
 *
 * @example eachStage('lists', (get) => { it('…', async () => { await get().caller.ok('GET', '/v1/flows'); }); });
 */
export function eachStage(title: string, suite: (get: () => Stage) => void, flags?: Flags): void {
  for (const kind of ['servers', 'embedded'] as const) {
    describe(`${title}, ${kind}`, () => {
      let stage: Stage | undefined;
      before(async function () {
        this.timeout(60_000); // servers may have to be started
        stage = await (flags ? STARTS[kind](flags) : sharedStage(kind));
      });
      afterEach(() => stage?.siblings.reset());
      after(async () => {
        if (flags) await stage?.close();
      });
      suite(() => {
        if (!stage) throw new Error('the suite has not begun');
        return stage;
      });
    });
  }
}

/** For what only a process, a broker or a database server can show. */
export function onServers(title: string, suite: (get: () => ServerStage) => void, flags?: Flags): void {
  describe(`${title}, servers`, () => {
    let stage: ServerStage | undefined;
    before(async function () {
      this.timeout(60_000);
      const started = await (flags ? ServerStage.start(flags) : sharedStage('servers'));
      if (started instanceof ServerStage) stage = started;
    });
    afterEach(() => stage?.siblings.reset());
    after(async () => {
      if (flags) await stage?.close();
    });
    suite(() => {
      if (!stage) throw new Error('the suite has not begun');
      return stage;
    });
  });
}
