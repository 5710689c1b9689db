import { setTimeout as pause } from 'node:timers/promises';
import { Daemon, type DaemonForm, EVENT_EXCHANGE } from './daemon.ts';
import { Database } from './database.ts';
import type { Row } from './measure.ts';
import type { Options } from './options.ts';
import type { CallerCommands, EchoCommands, FloorCommands, PoolForm, SinkCommands } from './protocol.ts';
import { type Servers, startServers } from './servers.ts';
import { Worker } from './worker.ts';

export const REQUESTS = 'bin-manager.flow-manager.request';
export const ECHO = 'bench.echo.request';
export const FLOOR = 'bench.floor.request';
/** The same with nothing published. */
export const SILENT_FLOOR = 'bench.floor.silent.request';
/** Every request for another row of many, which is read first. */
export const SPREAD_FLOOR = 'bench.floor.spread.request';
/** scripts/services gives its database what tests need; compose.yaml has the same redo log. */
const DATABASE_BYTES = { memory: 1 << 30, redo_log: 1 << 30 };
const WEBHOOKS = 'bin-manager.webhook-manager.request';

/** The stage: private servers, an echo server, callers and consumers, each a process of its own; daemons come and go. */
export class Bench {
  readonly options: Options;
  readonly program: string;
  readonly servers: Servers;
  readonly database: Database;
  readonly echo = new Worker<EchoCommands>('echo.ts');
  readonly floor = new Worker<FloorCommands>('floor.ts');
  readonly callers = new Worker<CallerCommands>('callers.ts');
  readonly sink = new Worker<SinkCommands>('sink.ts');
  readonly say: (row: Row) => void;
  /** Version of the broker. */
  broker = '';
  /** When each run was, in microseconds of the monotonic clock. */
  readonly windows: { readonly name: string; readonly from: number; readonly to: number }[] = [];
  readonly #daemons = new Map<string, Daemon>();

  private constructor(options: Options, program: string, servers: Servers, database: Database, say: (row: Row) => void) {
    this.options = options;
    this.program = program;
    this.servers = servers;
    this.database = database;
    this.say = say;
  }

  static async open(options: Options, program: string, say: (row: Row) => void): Promise<Bench> {
    const servers = await startServers();
    const database = await Database.open(servers.dsn);
    await database.giveRoom(DATABASE_BYTES);
    const bench = new Bench(options, program, servers, database, say);
    const url = servers.amqp;
    const { broker } = await bench.echo.ask('serve', { url, queue: ECHO });
    bench.broker = broker;
    await bench.callers.ask('connect', { url });
    await bench.sink.ask('consume', { url, queue: WEBHOOKS, exchange: EVENT_EXCHANGE, acks: options.acks });
    const floor = { queue: FLOOR, silent: SILENT_FLOOR, exchange: EVENT_EXCHANGE, webhooks: WEBHOOKS };
    await bench.floor.ask('serve', { url, dsn: servers.dsn, ...floor });
    return bench;
  }

  /** @param name in the table's column of CPU, and of its log */
  async startDaemon(name: string, form: Partial<Pick<DaemonForm, 'dsn' | 'queue' | 'node' | 'flags'>> = {}): Promise<Daemon> {
    const daemon = this.prepareDaemon(name, form);
    await daemon.ready;
    return daemon;
  }

  /** Started, and not waited for. */
  prepareDaemon(name: string, form: Partial<Pick<DaemonForm, 'dsn' | 'queue' | 'node' | 'flags'>> = {}): Daemon {
    const { program, servers } = this;
    const daemon = new Daemon({ program, servers, name, queue: REQUESTS, ...form });
    this.#daemons.set(name, daemon);
    return daemon;
  }

  async stopDaemon(name: string): Promise<void> {
    await this.#daemons.get(name)?.stop();
    this.#daemons.delete(name);
  }

  /** Runs with one daemon and an empty table, which are gone afterwards. */
  async withDaemon<T>(work: (daemon: Daemon) => Promise<T>, node: readonly string[] = []): Promise<T> {
    const daemon = await this.startDaemon('daemon', { node });
    try {
      await this.database.clear();
      return await work(daemon);
    } finally {
      await this.stopDaemon('daemon');
    }
  }

  /** A pool of activeflows, and what fills it before a run of so many calls. */
  async pool(form: PoolForm): Promise<(calls: number, callers: number) => Promise<void>> {
    await this.callers.ask('pool', form);
    return async (calls, callers) => {
      // Each caller may keep one that it is not through with.
      await this.callers.ask('fill', { pool: form.name, steps: calls + callers * form.steps });
    };
  }

  processes(): Record<string, number> {
    const { rabbitmq, mariadb } = this.servers.pids;
    const daemons = [...this.#daemons].map(([name, { pid }]) => [name, pid]);
    return {
      ...Object.fromEntries(daemons),
      rabbitmq,
      mariadb,
      callers: this.callers.pid,
      echo: this.echo.pid,
      floor: this.floor.pid,
      sink: this.sink.pid,
    };
  }

  /** Resolves when no more messages come out. */
  quiet(ms: number): Promise<void> {
    return untilStill(async () => {
      const { webhooks, events } = await this.sink.ask('count', null);
      return webhooks + events;
    }, ms);
  }

  async close(): Promise<void> {
    for (const name of [...this.#daemons.keys()]) await this.stopDaemon(name);
    await this.database.close();
    await Promise.all([this.echo.close(), this.floor.close(), this.callers.close(), this.sink.close()]);
  }
}

/** Waits until a figure stays the same for `ms`; gives up after ten seconds. */
async function untilStill(figure: () => Promise<number>, ms: number): Promise<void> {
  let last = await figure();
  for (let left = Math.ceil(10_000 / ms); left > 0; left--) {
    await pause(ms);
    const now = await figure();
    if (now === last) return;
    last = now;
  }
}
