/**
 * The servers that tests run against. `services()` gives the shared ones: those that FLOW_TEST_AMQP, FLOW_TEST_DSN and
 * FLOW_TEST_REDIS name, and for what they do not name those of scripts/services, which stay up for the next run.
 * `PrivateServers` are a test's own, in a folder of their own, to be stopped, paused and killed at will.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SCRIPT = fileURLToPath(new URL('../../scripts/services', import.meta.url));
const run = promisify(execFile);

export const SERVERS = ['rabbitmq', 'mariadb', 'redis'] as const;
export type ServerName = (typeof SERVERS)[number];

/** Where the servers are: an amqp:// URL, a Go DSN of a database that may be written to, `host:port`. */
export interface Services {
  readonly amqp: string;
  readonly dsn: string;
  readonly redis: string;
}

const VARIABLES = { rabbitmq: 'FLOW_TEST_AMQP', mariadb: 'FLOW_TEST_DSN', redis: 'FLOW_TEST_REDIS' } as const;

let shared: Promise<Services> | undefined;

export function services(): Promise<Services> {
  shared ??= findServices();
  return shared;
}

async function findServices(): Promise<Services> {
  const missing = SERVERS.filter((name) => !process.env[VARIABLES[name]]);
  if (missing.length > 0) await run(SCRIPT, ['start', ...missing]);
  const started = missing.length > 0 ? await addresses(process.env) : {};
  return toServices({ ...started, ...process.env });
}

/** What `scripts/services env` prints, as an object. */
async function addresses(env: NodeJS.ProcessEnv): Promise<Record<string, string>> {
  const { stdout } = await run(SCRIPT, ['env'], { env });
  return Object.fromEntries(
    [...stdout.matchAll(/(FLOW_TEST_\w+)='?([^\s']+)'?/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

function toServices(env: Readonly<Record<string, string | undefined>>): Services {
  return {
    amqp: env[VARIABLES.rabbitmq] ?? '',
    dsn: env[VARIABLES.mariadb] ?? '',
    redis: env[VARIABLES.redis] ?? '',
  };
}

/** Folders of servers that run now: they run detached, so that nothing else ends them when the tests are interrupted. */
const open = new Set<string>();

function endOpen(): void {
  for (const dir of open) {
    const env = { ...process.env, FLOW_SERVICES_DIR: dir };
    spawnSync(SCRIPT, ['kill', ...SERVERS], { env });
    spawnSync(SCRIPT, ['stop'], { env });
    spawnSync('rm', ['-rf', dir]);
  }
}

function watchForTheEnd(): void {
  process.once('exit', endOpen);
  // A signal ends a process without its exit handlers, unless it is listened to. `on`, not `once`: Ctrl-C reaches
  // mocha's child twice, and the second one must not end the clean-up.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
}

/**
 * @example
 * const servers = await PrivateServers.start(['mariadb']);
 * after(() => servers.close());
 * await servers.kill('mariadb');
 * await servers.start('mariadb'); // same port, same data
 */
export class PrivateServers implements Services {
  /** Empty for a server that was not asked for. Ports stay when a server is started again. */
  readonly amqp: string;
  readonly dsn: string;
  readonly redis: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #dir: string;
  readonly #names: readonly ServerName[];

  private constructor(dir: string, env: NodeJS.ProcessEnv, names: readonly ServerName[], found: Services) {
    this.#dir = dir;
    this.#env = env;
    this.#names = names;
    this.amqp = found.amqp;
    this.dsn = found.dsn;
    this.redis = found.redis;
  }

  static async start(names: readonly ServerName[] = SERVERS): Promise<PrivateServers> {
    const dir = await mkdtemp(join(tmpdir(), 'flow-fault-'));
    const env = { ...process.env, FLOW_SERVICES_DIR: dir };
    if (!process.listeners('exit').includes(endOpen)) watchForTheEnd();
    open.add(dir);
    try {
      await run(SCRIPT, ['start', ...names], { env });
    } catch (error) {
      await run(SCRIPT, ['stop'], { env }); // the others may have started
      open.delete(dir);
      await rm(dir, { recursive: true, force: true });
      throw error;
    }
    return new PrivateServers(dir, env, names, toServices(await addresses(env)));
  }

  /** Starts it where it was, and resolves when it serves. */
  async start(name: ServerName): Promise<void> {
    await this.#call('start', name);
    const { amqp, dsn, redis } = toServices(await addresses(this.#env));
    const now = { rabbitmq: amqp, mariadb: dsn, redis }[name];
    const before = { rabbitmq: this.amqp, mariadb: this.dsn, redis: this.redis }[name];
    if (now !== before)
      throw new Error(`${name} came back elsewhere, because its port was taken meanwhile: ${before}, now ${now}`);
  }

  /** Ends it in an orderly way, and resolves when it has ended. */
  async stop(name: ServerName): Promise<void> {
    await this.#call('stop', name);
  }

  async restart(name: ServerName): Promise<void> {
    await this.stop(name);
    await this.start(name);
  }

  /** As by a power cut (SIGKILL). */
  async kill(name: ServerName): Promise<void> {
    await this.#call('kill', name);
  }

  /** Its connections stay open and nothing answers (SIGSTOP). */
  async pause(name: ServerName): Promise<void> {
    await this.#call('pause', name);
  }

  async resume(name: ServerName): Promise<void> {
    await this.#call('resume', name);
  }

  /** For example `rabbitmqctl('close_all_connections', 'test')`; takes about a second. */
  async rabbitmqctl(...args: string[]): Promise<string> {
    return await this.#call('rabbitmqctl', ...args);
  }

  /** Stops all of them and removes their folder. */
  async close(): Promise<void> {
    await this.#call('stop', ...this.#names);
    open.delete(this.#dir);
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #call(...args: string[]): Promise<string> {
    const { stdout } = await run(SCRIPT, args, { env: this.#env });
    return stdout;
  }
}
