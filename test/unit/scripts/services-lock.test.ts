import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { eventually } from '../../support/inbox.ts';

const SCRIPT = fileURLToPath(new URL('../../../scripts/services', import.meta.url));
const PROCESS = new URL('../../../scripts/lib/process.mjs', import.meta.url).href;
const run = promisify(execFile);

describe('the lock of scripts/services', () => {
  it('is taken over from a holder that has died and that nobody has reaped', async function () {
    this.timeout(20_000);
    const { alive, self } = (await import(PROCESS)) as {
      alive(known: object): boolean;
      self: { readonly pid: number; readonly started: string };
    };
    expect(alive(self)).to.equal(true);
    expect(alive({ ...self, started: '1' })).to.equal(false);
    const folder = await mkdtemp(join(tmpdir(), 'flow-lock-'));
    // A shell that starts one, tells its number and start, and becomes a program that never asks after it. It is killed
    // only then: a shell that hears of its end in time asks after it.
    const commands = 'sleep 60 & echo $! $(cut -d" " -f22 /proc/$!/stat); exec sleep 60';
    const parent = spawn('sh', ['-c', commands], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [pid, started] = await new Promise<string[]>((resolve) =>
        parent.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim().split(' '))),
      );
      const holder = { pid: Number(pid), started };
      const program = () => readFileSync(`/proc/${parent.pid}/comm`, 'utf8').trim();
      await eventually('the shell has become another program', () => program() === 'sleep');
      process.kill(holder.pid, 'SIGKILL');
      await eventually('it has died', () => !alive(holder));
      process.kill(holder.pid, 0); // it still answers: a zombie
      await writeFile(join(folder, 'lock'), JSON.stringify(holder));
      await run(SCRIPT, ['stop'], { env: { ...process.env, FLOW_SERVICES_DIR: folder }, timeout: 15_000 });
    } finally {
      parent.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    }
  });
});
