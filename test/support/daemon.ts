/** The daemon as a process of its own, from its sources. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { bundledProgram } from './bundled.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export type Flags = Readonly<Record<string, string | number | boolean>>;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Those that still run, so that none outlives the tests. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function argumentsOf(flags: Flags): string[] {
  return Object.entries(flags).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}=${value}`]));
}

/**
 * @example
 * const daemon = Daemon.spawn(argumentsOf({ dbDSN: database.dsn, migrate: true }));
 * await daemon.ready;
 * await daemon.stop(); // by SIGTERM
 */
export class Daemon {
  readonly exited: Promise<Exit>;
  /** The line that says ready. Rejects when it ends before. */
  readonly ready: Promise<string>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    running.add(child);
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        running.delete(child);
        // Nobody has killed it: V8 says so when its heap is full, by SIGABRT.
        if (signal === 'SIGABRT' || signal === 'SIGSEGV') console.error(this.stderr.slice(-2_000));
        resolve({ code, signal });
      });
    });
    child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    // Lines for one that is gone already.
    child.stdin?.on('error', () => undefined);
    this.ready = new Promise((resolve, reject) => {
      child.stdout?.on('data', (chunk) => {
        this.stdout += chunk;
        showDefects(String(chunk));
        const [line] = /^flow-manager ready.*$/m.exec(this.stdout) ?? [];
        if (line) resolve(line);
      });
      void this.exited.then(({ code }) => reject(new Error(`the daemon ended with ${code}: ${this.stderr.slice(-2_000)}`)));
    });
    // Who does not wait for it looks at the exit.
    this.ready.catch(() => undefined);
  }

  static spawn(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Daemon {
    return Daemon.node([bundledProgram('cmd/flow-manager.ts'), ...argv], env);
  }

  /** Any other program that says ready as the daemon does, run by node. */
  static node(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Daemon {
    return new Daemon(
      spawn(process.execPath, argv, { cwd: ROOT, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } }),
    );
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('it was not started');
    return this.#child.pid;
  }

  /** A line on its standard input. */
  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** SIGTERM; resolves with how it ended. */
  stop(): Promise<Exit> {
    this.#child.kill('SIGTERM');
    return this.exited;
  }

  /** SIGKILL: as by a crash. */
  kill(): Promise<Exit> {
    this.#child.kill('SIGKILL');
    return this.exited;
  }
}

/** A 500 is a defect whatever a test is about: what the log says of it must not be lost with the daemon. */
function showDefects(chunk: string): void {
  for (const line of chunk.split('\n')) if (line.includes('a request failed inside')) console.error(line);
}

/** Below the ports that systems give to who connects or listens without naming one: what is free here stays free. */
const PORTS = [20_000, 32_000] as const;
const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on, and that nobody gets by chance; another one each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...PORTS);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (listens) await new Promise((resolve) => server.close(resolve));
  return listens;
}
