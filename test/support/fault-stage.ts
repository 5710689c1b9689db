/**
 * Servers, daemons, siblings and a client for tests of what must hold when some of them break. The servers are
 * private ones, shared by all suites of a run; database and queues are each suite's own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { SIBLINGS, siblingQueue } from '../../cmd/control/sandbox.ts';
import { AmqpBus } from '../../pkg/bus/index.ts';
import { parseDsn } from '../../pkg/store/dsn.ts';
import { Cleaner } from '../contract/bus_cleaner.ts';
import { bundledProgram } from './bundled.ts';
import { Caller } from './caller.ts';
import { argumentsOf, Daemon, type Flags } from './daemon.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { Journeys } from './journeys.ts';
import { Oracle } from './oracle.ts';
import { PatientClient } from './patient-client.ts';
import { QuietLog } from './quiet_log.ts';
import { PrivateServers } from './services.ts';
import { ScriptedSiblings } from './siblings.ts';
import { daemonFlags } from './stage.ts';

const FAULTY = 'test/support/faulty-daemon.ts';

let shared: Promise<PrivateServers> | undefined;

after(async function closeServers() {
  this.timeout(60_000);
  await (await shared)?.close();
});

export class FaultStage {
  readonly servers: PrivateServers;
  readonly database: TestDatabase;
  readonly flags: Flags;
  readonly bus: AmqpBus;
  readonly siblings = new ScriptedSiblings();
  readonly oracle = new Oracle();
  readonly client: PatientClient;
  readonly caller: Caller;
  readonly journeys: Journeys;
  readonly #daemons = new Set<Daemon>();
  #spare: Daemon | undefined;

  private constructor(parts: Pick<FaultStage, 'servers' | 'database' | 'flags' | 'bus'>) {
    this.servers = parts.servers;
    this.database = parts.database;
    this.flags = parts.flags;
    this.bus = parts.bus;
    this.client = new PatientClient(parts.bus, this.requests);
    this.caller = new Caller(this.client.send);
    this.journeys = new Journeys(this.caller, this.oracle);
    // The server of this connection may be killed.
    parts.database.admin.on('error', () => undefined);
  }

  /** No daemon yet. Leases are short, so that what a dead one was at is soon taken over. */
  static async start(more: Flags = {}): Promise<FaultStage> {
    shared ??= PrivateServers.start();
    const servers = await shared;
    const database = await createDatabase(servers.dsn);
    const names = new Cleaner(undefined); // the broker goes with all that is on it
    const flags = { ...daemonFlags(names, database, servers.amqp, servers.redis), lease_ms: 1_000, ...more };
    await declareSiblingQueues(servers.amqp);
    const bus = new AmqpBus({ url: servers.amqp, log: new QuietLog() });
    await bus.open();
    const stage = new FaultStage({ servers, database, flags, bus });
    await stage.siblings.attach(bus);
    stage.oracle.attach(stage.siblings);
    return stage;
  }

  get requests(): string {
    return String(this.flags.rabbit_queue_listen);
  }

  get events(): string {
    return String(this.flags.rabbit_queue_event);
  }

  /** Loads a daemon that does nothing yet, so that the next one to be run is there at once. */
  load(more: Flags = {}, node: readonly string[] = []): Daemon {
    const argv = argumentsOf({ ...this.flags, ...more });
    const env = { FLOW_SABOTAGE: process.env.FLOW_SABOTAGE };
    const daemon = Daemon.node([...node, bundledProgram(FAULTY), ...argv], env);
    this.#daemons.add(daemon);
    void daemon.exited.then(() => this.#daemons.delete(daemon));
    return daemon;
  }

  /** A daemon that takes requests. */
  async run(daemon: Daemon = this.load()): Promise<Daemon> {
    daemon.tell('run');
    await daemon.ready;
    return daemon;
  }

  /** The same, from one that was loaded beforehand; the next, with the same flags, is loaded meanwhile. */
  async runSpare(more: Flags = {}): Promise<Daemon> {
    const daemon = await this.run(this.#spare ?? this.load(more));
    this.#spare = this.load(more);
    return daemon;
  }

  /** The same, told something before it takes requests, and not waited for: it may die of the first. */
  startSpare(...words: readonly string[]): Daemon {
    const daemon = this.#spare ?? this.load();
    this.#spare = this.load();
    for (const word of [...words, 'run']) daemon.tell(word);
    daemon.ready.catch(() => undefined);
    return daemon;
  }

  /** By a connection of its own: the server may have been killed since the last one. */
  async sql<Row extends object = Record<string, unknown>>(
    text: string,
    values: readonly (string | number)[] = [],
  ): Promise<Row[]> {
    const { user, password, host = '', port = 3306, database } = parseDsn(this.database.dsn);
    const connection = await createConnection({ user, password, host, port, database, dateStrings: true });
    try {
      const [rows] = await connection.query<RowDataPacket[]>(text, [...values]);
      return rows as unknown as Row[];
    } finally {
      connection.destroy();
    }
  }

  /** How many events each activeflow has had, by what is stored. */
  async storedEvents(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.sql<{ id: string; state: string }>('SELECT id, state FROM activeflows');
    return new Map(rows.map(({ id, state }) => [id, (JSON.parse(state) as { event_seq: number }).event_seq]));
  }

  /** Throws unless every activeflow has ended and everything that it caused is published within that time. */
  async settled(within_ms = 20_000): Promise<void> {
    const end = performance.now() + within_ms;
    for (;;) {
      const [row] = await this.sql<{ running: number; unsettled: number; flow_events: number }>(
        `SELECT (SELECT COUNT(*) FROM activeflows WHERE status = 'running') AS running,
          (SELECT COUNT(*) FROM activeflows WHERE unsettled_at IS NOT NULL) AS unsettled,
          (SELECT COUNT(*) FROM events) AS flow_events`,
      );
      if (row && row.running + row.unsettled + row.flow_events === 0) return;
      if (performance.now() > end) throw new Error(`left after ${within_ms} ms: ${JSON.stringify(row)}`);
      await sleep(100);
    }
  }

  /** By SIGKILL, the spare one as well. */
  async stopAll(): Promise<void> {
    this.#spare = undefined;
    await Promise.all([...this.#daemons].map((daemon) => daemon.kill()));
  }

  async close(): Promise<void> {
    await this.stopAll();
    await this.siblings.detach();
    await this.bus.close();
    this.database.admin.destroy();
  }
}

/** As in production, where they stay while their owner or the broker is away: who asks meanwhile is not told that there are none. */
async function declareSiblingQueues(amqp: string): Promise<void> {
  const model = await connect(amqp);
  const channel = await model.createChannel();
  for (const name of SIBLINGS) await channel.assertQueue(siblingQueue(name), { durable: true });
  await model.close();
}

/**
 * A suite on a stage of its own.
 *
 * @example onFaultStage('owner', (get) => { it('…', async () => { await get().run(); }); }, { lease_ms: 500 });
 */
export function onFaultStage(title: string, suite: (get: () => FaultStage) => void, flags: Flags = {}): void {
  describe(title, () => {
    let stage: FaultStage | undefined;
    before(async function () {
      this.timeout(120_000); // servers are started
      stage = await FaultStage.start(flags);
    });
    after(async function () {
      this.timeout(30_000);
      await stage?.close();
    });
    suite(() => {
      if (!stage) throw new Error('the suite has not begun');
      return stage;
    });
  });
}
