import type { Row } from './measure.ts';
import { type Figure, round } from './statistics.ts';

/** One of the project's targets, and what was measured. */
export interface Target {
  readonly target: string;
  readonly limit: number;
  readonly measured: number;
  readonly met: boolean;
}

/** Those whose figures are among the results. */
export function targets(rows: readonly Row[], figures: readonly Figure[]): Target[] {
  const row = (measure: RegExp, callers: number): Row | undefined =>
    rows.find((one) => one.callers === callers && measure.test(one.measure));
  const figure = (name: RegExp): number | undefined => figures.find((one) => name.test(one.figure))?.median;
  const slower = (one: Row | undefined): number | undefined => one?.ratio && 1 / one.ratio.per_second.median;
  return [
    atLeast('next ÷ echo, calls/s at 100 callers', 0.5, row(/^next$/, 100)?.ratio?.per_second.median),
    atMost('next ÷ echo, p50 of a lone caller', 2, row(/^next$/, 1)?.ratio?.p50.median),
    atMost('next ÷ echo, p99 at 100 callers', 3, row(/^next$/, 100)?.ratio?.p99.median),
    atMost('a step of 1,000 actions ÷ of 10', 1.2, slower(row(/1,000 actions/, 10))),
    atMost('a step with 100,000 running ÷ with 100', 1.2, slower(row(/^next, 100,000 running/, 100))),
    atMost('the same, spread over all of them', 1.2, slower(row(/spread over all, 100,000 running/, 100))),
    atMost('next with 5 internal actions ÷ without, 100 callers', 1.3, slower(row(/5 internal/, 100))),
    atMost('next with 5 internal actions ÷ without, lone caller', 1.3, slower(row(/5 internal/, 1))),
    atMost('p99 of others while one customer floods ÷ without', 2, row(/one floods/, 10)?.ratio?.p99.median),
    atLeast('deliveries of notifications ÷ bare posts', 0.5, figure(/^deliveries ÷/)),
    atMost('notifications beside a dead endpoint, p99 ÷ without', 1.5, figure(/arrival p99, one dead ÷/)),
    atLeast('notifications beside a dead endpoint, rate ÷ without', 0.9, figure(/^notifications, one dead ÷/)),
    atMost('resident memory, idle, MB', 90, figure(/idle/)),
    atMost('resident memory, 100,000 running, MB', 200, figure(/100,000 running/)),
    atMost('time to first answer, ms', 1_000, figure(/first answer/)),
  ].filter((target) => target !== undefined);
}

function atMost(target: string, limit: number, measured: number | undefined): Target | undefined {
  return measured === undefined
    ? undefined
    : { target: `${target} ≤ ${limit}`, limit, measured: round(measured), met: measured <= limit };
}

function atLeast(target: string, limit: number, measured: number | undefined): Target | undefined {
  return measured === undefined
    ? undefined
    : { target: `${target} ≥ ${limit}`, limit, measured: round(measured), met: measured >= limit };
}
