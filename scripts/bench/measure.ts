import type { Bench } from './bench.ts';
import type { Workload } from './protocol.ts';
import { round, type Spread, spread } from './statistics.ts';
import { cpuSeconds } from './usage.ts';

/** Something that is measured in turns with others. */
export interface Contestant {
  /** In the table, such as `next`. */
  readonly name: string;
  readonly callers: number;
  readonly workload: Workload;
  /** Makes what about so many calls will use up; not measured. */
  readonly prepare?: (calls: number, callers: number) => Promise<void>;
  /** Sets the stage for one run and gives back what clears it; not measured. */
  readonly around?: () => Promise<() => Promise<void>>;
}

/** One run: what the callers saw, and what it took. */
export interface Sample {
  readonly calls: number;
  readonly per_second: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly errors: number;
  /** What each process has used of the CPU, in microseconds a call: less at the mercy of what else runs here. */
  readonly cpu_us: Readonly<Record<string, number>>;
  readonly statements_per_call: number;
  readonly rows_per_update: number;
  readonly log_writes_per_call: number;
  readonly messages_per_call: number;
}

/** One line of the table: medians of the rounds, and their least and greatest. */
export interface Row {
  readonly measure: string;
  readonly callers: number;
  readonly per_second: Spread;
  readonly p50_ms: Spread;
  readonly p99_ms: Spread;
  readonly errors: number;
  /** Round by round, to what was measured beside it in that round: by default the echo at as many callers. */
  readonly ratio?: { readonly to: string; readonly per_second: Spread; readonly p50: Spread; readonly p99: Spread };
  readonly cpu_us: Readonly<Record<string, number>>;
  readonly statements_per_call: number;
  readonly rows_per_update: number;
  readonly log_writes_per_call: number;
  readonly messages_per_call: number;
}

const WARM_UP_S = { full: 6, short: 0.3 };
const WARM_UP_CALLERS = 100;
/** More than is used up, as the next run may be faster. */
const MARGIN = 1.4;
const QUIET_MS = { full: 300, short: 60 };

export const MANY_CALLERS = 100;

/** At so many callers a round differs from the next by a third: what is compared with a target there takes twice as many rounds. */
export function roundsAt(callers: number, { options: { rounds } }: Bench): number {
  return callers === MANY_CALLERS ? 2 * rounds : rounds;
}

/** Runs the contestants in turns, A B A B …, and compares each with the first, round by round. */
export async function measure(
  bench: Bench,
  contestants: readonly Contestant[],
  comparedWith = 'echo',
  rounds = bench.options.rounds,
): Promise<Row[]> {
  const { seconds, form } = bench.options;
  const samples = contestants.map((): Sample[] => []);
  const paces = contestants.map(() => 0);
  for (const [at, contestant] of contestants.entries()) {
    // With many callers, so that a lone one meets compiled code, as in a daemon that has been up for a while.
    const callers = Math.max(contestant.callers, WARM_UP_CALLERS);
    paces[at] = (await once(bench, { ...contestant, callers }, WARM_UP_S[form], 0)).per_second;
  }
  for (let turn = 0; turn < rounds; turn++) {
    for (const [at, contestant] of contestants.entries()) {
      const sample = await once(bench, contestant, seconds, paces[at] ?? 0);
      paces[at] = sample.per_second;
      samples[at]?.push(sample);
    }
  }
  const against = samples[contestants.findIndex(({ name }) => name === comparedWith)];
  return contestants.map((contestant, at) => {
    const row = toRow(contestant, samples[at] ?? [], contestant.name === comparedWith ? undefined : against, comparedWith);
    bench.say(row);
    return row;
  });
}

async function once(bench: Bench, contestant: Contestant, seconds: number, pace: number): Promise<Sample> {
  const clear = await contestant.around?.();
  await contestant.prepare?.(pace * seconds * MARGIN, contestant.callers);
  await bench.quiet(QUIET_MS[bench.options.form]);
  const [before, db, sunk] = [usage(bench), await bench.database.counts(), await bench.sink.ask('count', null)];
  const { workload, callers } = contestant;
  const began = microseconds();
  const run = await bench.callers.ask('run', { workload, callers, seconds });
  bench.windows.push({ name: contestant.name, from: began, to: microseconds() });
  const after = usage(bench);
  // What the calls have caused is theirs, however long it takes to come out.
  await bench.quiet(QUIET_MS[bench.options.form]);
  const [dbNow, sunkNow] = [await bench.database.counts(), await bench.sink.ask('count', null)];
  await clear?.();
  if (run.calls === 0) throw new Error(`${contestant.name}: no call was answered; ${run.error}`);
  if (pace > 0 && run.created > 0) console.error(`${contestant.name}: ${run.created} activeflows had to be made meanwhile`);
  if (run.errors > 0) console.error(`${contestant.name}: ${run.errors} errors, such as: ${run.error}`);
  const messages = sunkNow.webhooks + sunkNow.events - sunk.webhooks - sunk.events;
  const updates = dbNow.updates - db.updates;
  return {
    calls: run.calls,
    per_second: run.calls / run.seconds,
    p50_ms: run.p50,
    p99_ms: run.p99,
    errors: run.errors,
    cpu_us: Object.fromEntries(
      Object.keys(after).map((name) => [name, (1e6 * ((after[name] ?? 0) - (before[name] ?? 0))) / run.calls]),
    ),
    statements_per_call: (dbNow.statements - db.statements) / run.calls,
    rows_per_update: updates === 0 ? 0 : (dbNow.updated - db.updated) / updates,
    log_writes_per_call: (dbNow.log_writes - db.log_writes) / run.calls,
    messages_per_call: messages / run.calls,
  };
}

/** Of the monotonic clock, as profiles have them. */
export function microseconds(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

function usage(bench: Bench): Record<string, number> {
  return Object.fromEntries(Object.entries(bench.processes()).map(([name, pid]) => [name, cpuSeconds(pid)]));
}

function toRow({ name, callers }: Contestant, own: readonly Sample[], against: readonly Sample[] | undefined, to: string): Row {
  const all = (pick: (sample: Sample) => number): Spread => spread(own.map(pick));
  const ratio = (pick: (sample: Sample) => number): Spread =>
    spread(own.flatMap((sample, at) => (against?.[at] ? [pick(sample) / pick(against[at])] : [])));
  const cpu = Object.keys(own[0]?.cpu_us ?? {}).map((process) => [process, all((sample) => sample.cpu_us[process] ?? 0).median]);
  return {
    measure: name,
    callers,
    per_second: all((sample) => sample.per_second),
    p50_ms: all((sample) => sample.p50_ms),
    p99_ms: all((sample) => sample.p99_ms),
    errors: own.reduce((sum, sample) => sum + sample.errors, 0),
    ...(against && {
      ratio: {
        to,
        per_second: ratio((sample) => sample.per_second),
        p50: ratio((sample) => sample.p50_ms),
        p99: ratio((sample) => sample.p99_ms),
      },
    }),
    cpu_us: Object.fromEntries(cpu),
    statements_per_call: all((sample) => sample.statements_per_call).median,
    rows_per_update: all((sample) => sample.rows_per_update).median,
    log_writes_per_call: round(all((sample) => sample.log_writes_per_call).median),
    messages_per_call: all((sample) => sample.messages_per_call).median,
  };
}
