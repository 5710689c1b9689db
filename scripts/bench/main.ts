import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Bench } from './bench.ts';
import { builtDaemon } from './build.ts';
import { callbackCase } from './cases/callback.ts';
import { daemonsCase } from './cases/daemons.ts';
import { deadEndpointCase } from './cases/dead-endpoint.ts';
import { fairnessCase } from './cases/fairness.ts';
import { internalCase, WITH_INTERNAL } from './cases/internal.ts';
import { lengthCase } from './cases/length.ts';
import { rpcCase } from './cases/rpc.ts';
import { runningCase } from './cases/running.ts';
import { startCase } from './cases/start.ts';
import { webhooksCase } from './cases/webhooks.ts';
import { facts } from './machine.ts';
import type { Row } from './measure.ts';
import { type CaseName, type Options, readOptions, USAGE, UsageError } from './options.ts';
import { endAll, endWell, isEnding } from './processes.ts';
import { profileFlags, readProfile } from './profile.ts';
import { cpuLine, figureLine, header, rowLine, targetLine } from './report.ts';
import type { Figure } from './statistics.ts';
import { targets } from './targets.ts';

/**
 * How fast the daemon is, next to an echo on the same machine in the same minutes: private servers, the built daemon,
 * callers, consumers, each in a process of its own. Exit code 0: it could be measured, whatever came out.
 */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') return console.log(USAGE);
  const program = builtDaemon(options.dist);
  endWell(fail);
  const bench = await Bench.open(options, program, (row) => console.log(`${rowLine(row)}\n${cpuLine(row)}`));
  const about = await facts(bench);
  console.log(`${about.revision}; ${JSON.stringify(about.machine)}\n\n${header()}`);
  const { rows, figures } = await measureAll(bench, options);
  for (const figure of figures) console.log(figureLine(figure));
  const met = targets(rows, figures);
  console.log(`\n${met.map(targetLine).join('\n')}`);
  const { form, only, rounds, seconds, acks } = options;
  write(options.out, { at: new Date().toISOString(), form, only, rounds, seconds, acks, ...about, rows, figures, targets: met });
  await bench.close();
}

async function measureAll(bench: Bench, options: Options): Promise<{ rows: Row[]; figures: Figure[] }> {
  const wanted = (name: CaseName): boolean => options.only.length === 0 || options.only.includes(name);
  const rows: Row[] = [];
  const figures: Figure[] = [];
  // First of all: it makes the schema and the queue as well.
  if (wanted('start')) figures.push(...(await startCase(bench)));
  else await warmServers(bench);
  if (wanted('echo') || wanted('create') || wanted('next')) {
    rows.push(...(await profiled(bench, 'next', (node) => rpcCase(bench, wanted, node))));
  }
  if (wanted('internal')) rows.push(...(await profiled(bench, WITH_INTERNAL, (node) => internalCase(bench, node))));
  if (wanted('length')) rows.push(...(await lengthCase(bench)));
  if (wanted('running')) {
    const found = await runningCase(bench);
    rows.push(...found.rows);
    figures.push(...found.figures);
  }
  if (wanted('fairness')) rows.push(...(await fairnessCase(bench)));
  if (wanted('callback')) figures.push(...(await callbackCase(bench)));
  if (wanted('daemons')) rows.push(...(await daemonsCase(bench)));
  if (wanted('webhooks')) figures.push(...(await profiled(bench, 'webhooks', (node) => webhooksCase(bench, node))));
  if (wanted('dead-endpoint')) figures.push(...(await deadEndpointCase(bench)));
  return { rows, figures };
}

/** Runs a case with a profile of its daemon when one is wanted, and shows that; the first window has warmed up. */
async function profiled<T>({ options, windows }: Bench, window: string, work: (node: string[]) => Promise<T>): Promise<T> {
  const { profile } = options;
  if (profile === undefined) return work([]);
  const result = await work(profileFlags(profile));
  const measured = windows.filter(({ name }) => name === window).slice(1);
  console.log(`\n${readProfile(profile, measured)}`);
  return result;
}

async function warmServers(bench: Bench): Promise<void> {
  await bench.startDaemon('daemon');
  await bench.stopDaemon('daemon');
}

function write(file: string, results: object): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`\nwritten to ${file}`);
}

function fail(error: unknown): void {
  if (isEnding()) return;
  const usage = error instanceof UsageError;
  console.error(usage ? `${error.message}\n${USAGE}` : error instanceof Error ? error.stack : String(error));
  endAll().finally(() => process.exit(usage ? 2 : 1));
}

main()
  .then(endAll)
  .then(() => process.exit(0), fail);
