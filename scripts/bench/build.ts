import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = ['cmd', 'pkg', 'migrations'];
const FILES = ['scripts/build.mjs', 'package-lock.json'];

/** The daemon's program, built anew when any of its sources is younger. */
export function builtDaemon(dist: string | undefined): string {
  const program = join(dist ?? join(ROOT, 'dist'), 'cmd/flow-manager.js');
  if (dist === undefined && isStale(program)) {
    console.error('building the daemon');
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  }
  if (!existsSync(program)) throw new Error(`there is no ${program}`);
  return program;
}

function isStale(program: string): boolean {
  if (!existsSync(program)) return true;
  const built = statSync(program).mtimeMs;
  const sources = SOURCES.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true }).map((name) => join(folder, String(name))),
  );
  return [...sources, ...FILES].some((file) => statSync(join(ROOT, file)).mtimeMs > built);
}
