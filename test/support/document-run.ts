/** A folder in which the commands of the documents are run, as they stand there. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './daemon.ts';
import { type Block, ROOT } from './markdown.ts';

/** Not every machine has curl. This one knows what the documents ask of it: method, headers, data and a time limit. */
const CURL = `#!/usr/bin/env node
const [, , silent, url, flag, body] = process.argv;
if (silent !== '-s' || (flag !== undefined && flag !== '-d')) throw new Error('usage: curl -s URL [-d DATA]');
const answer = await fetch(url, flag === undefined ? {} : { method: 'POST', body });
process.stdout.write(await answer.text());
`;

export interface Printed {
  readonly block: Block;
  /** stdout and stderr, as they came. */
  readonly text: string;
}

/** What a document's commands came to: what each block printed, up to the one that failed. */
export interface Outcome {
  readonly printed: readonly Printed[];
  readonly code: number | null;
}

/** What of the repository the documents' commands use; `dist` is made here. */
const USED = ['node_modules', 'package.json', 'scripts', 'test'];

export class Workshop {
  readonly #dir = mkdtempSync(join(tmpdir(), 'flow-docs-'));

  /** The repository as it is after `npm ci` and `npm run build`. */
  constructor() {
    for (const name of USED) symlinkSync(join(ROOT, name), join(this.#dir, name));
    const built = spawnSync(process.execPath, ['scripts/build.mjs', join(this.#dir, 'dist')], { cwd: ROOT, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`the build failed: ${built.stdout}${built.stderr}`);
    mkdirSync(join(this.#dir, 'bin'));
    if (spawnSync('curl', ['--version']).error) writeFileSync(join(this.#dir, 'bin/curl'), CURL, { mode: 0o755 });
  }

  close(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Runs the blocks of one document in one shell, beside its daemons. Only ports are other than they say. */
  async play(blocks: readonly Block[]): Promise<Outcome> {
    const [http, metrics, receiver] = [await freePort(), await freePort(), await freePort()];
    const text = (commands: string): string =>
      commands
        .replaceAll('127.0.0.1:8080', `127.0.0.1:${http}`)
        .replaceAll('127.0.0.1:2112', `127.0.0.1:${metrics}`)
        .replaceAll('8090', String(receiver));
    const env = {
      PATH: `${join(this.#dir, 'bin')}:${process.env.PATH}`,
      HOME: this.#dir,
      NO_COLOR: '1',
      HTTP_LISTEN_ADDR: `127.0.0.1:${http}`,
      PROM_LISTEN_ADDR: `127.0.0.1:${metrics}`,
    };
    // A clean folder for each: a document must not need what another one has left.
    const cwd = mkdtempSync(join(this.#dir, 'play-'));
    for (const name of [...USED, 'dist']) symlinkSync(join(this.#dir, name), join(cwd, name));
    const daemons: ChildProcess[] = [];
    try {
      for (const { commands } of blocks.filter(({ kind }) => kind === 'daemon'))
        daemons.push(await startDaemon(`exec ${text(commands)}`, { cwd, env }));
      const run = blocks.filter(({ kind }) => kind === 'run').map((block) => ({ block, commands: text(block.commands) }));
      return await runShell(run, { cwd, env });
    } finally {
      await Promise.all(daemons.map(end));
    }
  }
}

/** Those that still run, so that none outlives the tests. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

interface Where {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

async function startDaemon(command: string, where: Where): Promise<ChildProcess> {
  const child = spawn('bash', ['-c', command], where);
  running.add(child);
  child.once('close', () => running.delete(child));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer): void => {
      said += chunk;
      if (/^flow-manager ready/m.test(said)) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('close', (code) => reject(new Error(`${command} ended with ${code}: ${said}`)));
  });
  return child;
}

async function runShell(run: readonly { block: Block; commands: string }[], where: Where): Promise<Outcome> {
  const mark = `@@${process.pid}@@`;
  const script = run.map(({ commands }) => `printf '\\n%s\\n' '${mark}'\n${commands}`).join('\n');
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\n${script}`], where);
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const parts = said.split(`\n${mark}\n`).slice(1);
  return { printed: run.slice(0, parts.length).map(({ block }, at) => ({ block, text: parts[at] ?? '' })), code };
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = new Promise((resolve) => daemon.once('close', resolve));
  daemon.kill('SIGTERM');
  await ended;
}

/** Ids, times and durations differ from run to run; columns are as wide as what stands in them. */
export function lasting(text: string): string {
  return text
    .replace(/\b(?!0{8}-0{4}-0{4})[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<id>')
    .replace(/\bdirect\.[0-9a-f]+/g, '<direct>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/\b\d\d:\d\d:\d\d\.\d+/g, '<clock>')
    .replace(/\d+(\.\d+)? (ms|s)\b/g, '<duration>')
    .replace(/ +/g, ' ')
    .replace(/ +$/gm, '')
    .trim();
}

/** What a document shows, as a pattern: `…` is anything within a line, and alone in its line any lines at all. */
export function patternOf(documented: string): RegExp {
  const lines = lasting(documented).split('\n');
  const patterns = lines.map((line) => (line.trim() === '…' ? '(?:.*\\n)*?' : `${line.split('…').map(escaped).join('.*')}\\n`));
  return new RegExp(`^${patterns.join('')}$`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
