import { parseArgs } from 'node:util';

export const CASES = [
  'start',
  'next',
  'create',
  'echo',
  'internal',
  'length',
  'running',
  'daemons',
  'fairness',
  'callback',
  'webhooks',
  'dead-endpoint',
] as const;
export type CaseName = (typeof CASES)[number];

export interface Options {
  readonly form: 'short' | 'full';
  readonly only: readonly CaseName[];
  /** Where the results go. */
  readonly out: string;
  /** A built daemon other than this tree's, to compare with. */
  readonly dist: string | undefined;
  /** Folder for a CPU profile of the daemon: then only `next`, `webhooks` or `internal` is measured, and it is shown where the time goes. */
  readonly profile: string | undefined;
  /** Whether consumers of events and webhooks acknowledge them. */
  readonly acks: boolean;
  /** How often each contestant runs, and for how long. */
  readonly rounds: number;
  readonly seconds: number;
  /** Callers at the same time. */
  readonly callers: readonly number[];
  /** Rows of the full table. */
  readonly running: number;
}

export const USAGE = `usage: npm run bench -- [options]
  --short          one short round of everything, at most a minute
  --only NAME      ${CASES.join(', ')}; more than one by commas
  --rounds N       how often each is measured (default 4); next, create and internal at 100 callers twice as often
  --seconds N      how long each time (default 4)
  --callers N,N    callers at the same time (default 1,10,100,300)
  --profile DIR    a CPU profile of the daemon during next (100 callers), or with --only webhooks or internal during that,
                   and its 25 most expensive functions
  --no-acks        consumers of events and webhooks do not acknowledge: the broker writes nothing to disk
  --dist DIR       another build of the daemon, to compare with
  --out FILE       default bench/results.json`;

export class UsageError extends Error {}

export function readOptions(argv: readonly string[]): Options | 'help' {
  const { values } = parse(argv);
  if (values.help) return 'help';
  const short = values.short ?? false;
  return {
    form: short ? 'short' : 'full',
    only: profiled(values.profile !== undefined, namesOf(values.only ?? [])),
    out: values.out ?? 'bench/results.json',
    dist: values.dist,
    profile: values.profile,
    acks: !(values['no-acks'] ?? false),
    rounds: numberOf('rounds', values.rounds, short ? 1 : 4),
    seconds: numberOf('seconds', values.seconds, short ? 0.5 : 4),
    callers:
      values.callers?.split(',').map((text) => numberOf('callers', text, 1)) ??
      defaultCallers(short, values.profile !== undefined),
    running: short ? 10_000 : 100_000,
  };
}

/** Cases whose daemon can be profiled, besides `next`. */
const PROFILED = ['webhooks', 'internal'] as const;

function profiled(profile: boolean, only: readonly CaseName[]): readonly CaseName[] {
  if (!profile) return only;
  return [PROFILED.find((name) => only.includes(name)) ?? 'next'];
}

function defaultCallers(short: boolean, profile: boolean): readonly number[] {
  if (profile) return [100];
  return short ? [1, 100] : [1, 10, 100, 300];
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        short: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        callers: { type: 'string' },
        profile: { type: 'string' },
        'no-acks': { type: 'boolean' },
        dist: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function namesOf(given: readonly string[]): CaseName[] {
  return given
    .flatMap((text) => text.split(','))
    .map((name) => {
      const known = CASES.find((one) => one === name);
      if (!known) throw new UsageError(`--only ${name}: expected one of ${CASES.join(', ')}`);
      return known;
    });
}

function numberOf(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`--${name} ${text}: expected a number above 0`);
}
