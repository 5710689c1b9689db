import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './build.ts';
import { atEnd } from './processes.ts';

const SCRIPT = join(ROOT, 'scripts/services');
const NAMES = ['rabbitmq', 'mariadb', 'redis'] as const;

/** RabbitMQ, MariaDB and Redis of the bench's own (scripts/services), in a folder that goes with them. */
export interface Servers {
  readonly amqp: string;
  readonly dsn: string;
  readonly redis: string;
  /** Process ids by name. */
  readonly pids: Readonly<Record<(typeof NAMES)[number], number>>;
  /** On the disk that the servers write to; logs of daemons go here too. */
  readonly dir: string;
}

export async function startServers(): Promise<Servers> {
  const dir = mkdtempSync(join(tmpdir(), 'flow-bench-'));
  const starting = services(dir, 'start');
  atEnd(async () => {
    // One that is cut short could leave a server behind that nobody knows of.
    await starting.catch(() => undefined);
    // The data is thrown away, so nothing is lost by the quick way; `stop` then ends what was started beside them.
    await services(dir, 'kill', ...NAMES);
    await services(dir, 'stop');
    rmSync(dir, { recursive: true, force: true });
  });
  await starting;
  const [addresses, status] = await Promise.all([services(dir, 'env'), services(dir, 'status')]);
  const address = (name: string): string => matched(addresses, new RegExp(`${name}='?([^\\s']+)`));
  const pid = (name: string): number => Number(matched(status, new RegExp(`${name}: running, pid (\\d+)`)));
  return {
    amqp: address('FLOW_TEST_AMQP'),
    dsn: address('FLOW_TEST_DSN'),
    redis: address('FLOW_TEST_REDIS'),
    pids: { rabbitmq: pid('rabbitmq'), mariadb: pid('mariadb'), redis: pid('redis') },
    dir,
  };
}

/** Runs scripts/services to its end, in a process group of its own: Ctrl-C is for the bench to hear. */
function services(dir: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, FLOW_SERVICES_DIR: dir };
  const child = spawn(SCRIPT, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const hear = (chunk: Buffer): void => {
    said += chunk.toString();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(said);
      else reject(new Error(`scripts/services ${args.join(' ')} failed:\n${said.trim()}`));
    });
  });
}

function matched(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`scripts/services did not say ${pattern.source}:\n${text}`);
  return found;
}
