import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './build.ts';

interface Frame {
  readonly functionName: string;
  readonly url: string;
  /** From 0, in the bundle, whose lines are long. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: Frame;
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
  const places = new Places();
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, { frame: callFrame, where: places.of(callFrame) }]));
  const functions = new Map<string, number>();
  const parts = new Map<string, number>();
  let total = 0;
  let at = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    const took = profile.timeDeltas[index] ?? 0;
    at += took;
    const known = frames.get(id);
    if (!known || !windows.some(({ from, to }) => at >= from && at <= to)) continue;
    total += took;
    const { frame, where } = known;
    add(functions, `${frame.functionName || '(anonymous)'} ${where}`, took);
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

/** Where functions stand in the sources, by the maps beside the bundles. */
class Places {
  readonly #maps = new Map<string, SourceMap | undefined>();

  of({ url, lineNumber, columnNumber }: Frame): string {
    if (!url.startsWith('file://')) return url || 'native';
    const entry = this.#map(url)?.findEntry(lineNumber, columnNumber);
    if (!entry || !('originalSource' in entry)) return `${shorten(url)}:${lineNumber + 1}`;
    return `${shorten(new URL(entry.originalSource, url).href)}:${entry.originalLine + 1}`;
  }

  #map(url: string): SourceMap | undefined {
    if (!this.#maps.has(url)) {
      const file = `${fileURLToPath(url)}.map`;
      const payload = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as SourceMapPayload) : undefined;
      this.#maps.set(url, payload && new SourceMap(payload));
    }
    return this.#maps.get(url);
  }
}

function shorten(url: string): string {
  return relative(ROOT, fileURLToPath(url)).replace(/^.*node_modules\//, '');
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
