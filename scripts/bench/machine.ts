import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { cpus, freemem, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Bench } from './bench.ts';
import { ROOT } from './build.ts';
import { round } from './statistics.ts';

export interface Facts {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly revision: string;
}

/** What the figures must be read with. */
export async function facts(bench: Bench): Promise<Facts> {
  const { database, servers, broker } = bench;
  const redis = new Redis(`redis://${servers.redis}`);
  const about = await redis.info('server');
  redis.disconnect();
  return {
    machine: {
      cpu: cpus()[0]?.model ?? '',
      cores: cpus().length,
      memory_gb: round(totalmem() / 1e9),
      free_gb: round(freemem() / 1e9),
      kernel: release(),
      load: round(loadavg()[0] ?? 0),
      ...disk(servers.dir),
      innodb_flush_log_at_trx_commit: await database.variable('innodb_flush_log_at_trx_commit'),
      innodb_buffer_pool_size: await database.variable('innodb_buffer_pool_size'),
      innodb_log_file_size: await database.variable('innodb_log_file_size'),
    },
    versions: {
      node: process.version,
      rabbitmq: broker,
      database: await database.version(),
      redis: /redis_version:(\S+)/.exec(about)?.[1] ?? '',
      ...packages(),
    },
    revision: revision(),
  };
}

/** How long the servers' disk takes to be sure of 4 KiB: where that is nothing, durability costs nothing either. */
function disk(dir: string): { fsync_ms: number; filesystem: string } {
  const file = join(dir, 'fsync');
  const descriptor = openSync(file, 'w');
  const block = Buffer.alloc(4_096, 1);
  const times: number[] = [];
  for (let turn = 0; turn < 50; turn++) {
    const since = performance.now();
    writeSync(descriptor, block);
    fsyncSync(descriptor);
    times.push(performance.now() - since);
  }
  closeSync(descriptor);
  rmSync(file);
  times.sort((a, b) => a - b);
  return { fsync_ms: round(times[25] ?? 0), filesystem: `0x${statfsSync(dir).type.toString(16)}` };
}

function packages(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const named = ['amqplib', 'mysql2', 'kysely'];
  return Object.fromEntries(named.map((name) => [name, dependencies[name] ?? '']));
}

/** Unknown outside a repository. */
function revision(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--', 'cmd', 'pkg', 'migrations') !== '';
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' and changes' : '');
  } catch {
    return 'unknown';
  }
}
