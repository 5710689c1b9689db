import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { endChild, own } from './processes.ts';
import type { Servers } from './servers.ts';

export interface DaemonForm {
  readonly program: string;
  readonly servers: Servers;
  readonly name: string;
  readonly dsn?: string;
  /** Request queue. */
  readonly queue: string;
  /** Flags of node, such as --cpu-prof. */
  readonly node?: readonly string[];
  /** More flags of the daemon. */
  readonly flags?: Readonly<Record<string, string>>;
}

export const EVENT_EXCHANGE = 'bin-manager.flow-manager.event';
const READY = 'flow-manager ready';

/** The built daemon as a process of its own, with its default settings. */
export class Daemon {
  readonly #child: ChildProcess;
  /** When the process was started, in ms since the epoch. */
  readonly started: number;
  readonly ready: Promise<void>;
  /** What it has said until it was ready. */
  said = '';

  constructor({ program, servers, name, dsn, queue, node, flags: more }: DaemonForm) {
    this.started = performance.timeOrigin + performance.now();
    const log = createWriteStream(join(servers.dir, `${name}.log`), { flags: 'a' });
    const flags = {
      dbDSN: dsn ?? servers.dsn,
      rabbit_addr: servers.amqp,
      redis_addr: servers.redis,
      rabbit_queue_listen: queue,
      ...more,
    };
    const args = Object.entries({ ...flags, rabbit_queue_subscribe: `${queue}.subscribe`, prom_listen_addr: '127.0.0.1:0' });
    const child = spawn(
      process.execPath,
      [...(node ?? []), program, '--migrate', ...args.flatMap(([key, value]) => [`--${key}`, value])],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child = own(child);
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    this.ready = new Promise((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        this.said = (this.said + chunk.toString()).slice(-4_000);
        if (this.said.includes(READY)) resolve();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', (code, signal) => reject(new Error(`the daemon ended (${signal ?? code}); it said:\n${this.said}`)));
    });
    // Whoever waits for it hears of it; before that it must not end the bench.
    this.ready.catch(() => undefined);
  }

  static async start(form: DaemonForm): Promise<Daemon> {
    const daemon = new Daemon(form);
    await daemon.ready;
    return daemon;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(): Promise<void> {
    await endChild(this.#child, 20_000);
  }
}
