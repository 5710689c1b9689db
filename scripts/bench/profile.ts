import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './build.ts';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** In microseconds of the monotonic clock, as the windows are. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

const SHOWN = 25;

/** Flags of node that make it write a profile into this folder when it ends. */
export function profileFlags(dir: string): string[] {
  mkdirSync(dir, { recursive: true });
  return ['--cpu-prof', '--cpu-prof-interval=200', `--cpu-prof-dir=${dir}`];
}

/** Where the time went within these windows: functions by the time spent in themselves, packages by their sum. */
export function readProfile(dir: string, windows: readonly Window[]): string {
  // Named by their time: the latest is this run's.
  const file = readdirSync(dir)
    .filter((name) => name.endsWith('.cpuprofile'))
    .sort()
    .at(-1);
  if (file === undefined) throw new Error(`the daemon has left no profile in ${dir}`);
  const profile = JSON.parse(readFileSync(join(dir, file), 'utf8')) as Profile;
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const functions = new Map<string, number>();
  const parts = new Map<string, number>();
  let total = 0;
  let at = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    const took = profile.timeDeltas[index] ?? 0;
    at += took;
    const frame = frames.get(id);
    if (!frame || !windows.some(({ from, to }) => at >= from && at <= to)) continue;
    total += took;
    const where = placeOf(frame.url);
    add(functions, `${frame.functionName || '(anonymous)'} ${where}:${frame.lineNumber + 1}`, took);
    add(parts, partOf(frame, where), took);
  }
  const top = (sums: Map<string, number>, count: number): string[] =>
    [...sums]
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([name, sum]) => `${((100 * sum) / total).toFixed(1).padStart(5)} %  ${name}`);
  return [`${file}: ${(total / 1e6).toFixed(1)} s`, '', ...top(functions, SHOWN), '', ...top(parts, SHOWN)].join('\n');
}

function add(sums: Map<string, number>, name: string, value: number): void {
  sums.set(name, (sums.get(name) ?? 0) + value);
}

function placeOf(url: string): string {
  if (!url.startsWith('file://')) return url || 'native';
  const path = relative(ROOT, fileURLToPath(url));
  return path.replace(/^.*node_modules\//, '').replace(/^.*dist\//, '');
}

/** A room of the project, a package, or what the engine says of itself. */
function partOf({ functionName, url }: { functionName: string; url: string }, where: string): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native';
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  return where
    .split('/')
    .slice(0, where.startsWith('pkg/') ? 2 : 1)
    .join('/');
}
