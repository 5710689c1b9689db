import { isDeepStrictEqual } from 'node:util';
import type { Activeflow } from '../../model/activeflow.ts';
import type { Decided, HistoryRecord } from '../../model/history.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import type { TraceStep } from '../../model/trace.ts';
import { decided, LEFT_OUT } from './decided.ts';

/** Where a build decides otherwise: the first place; what comes after it follows from it. */
export interface Difference {
  /** The commit that is not what it was. */
  readonly revision: number;
  /** Step of the cursor, and the action there. */
  readonly step: number;
  readonly action: { readonly id: string; readonly type: string };
  /** What of the decision: `trace`, `asked`, `state.wait`, `variables.name`, … */
  readonly what: string;
  /** undefined: nothing */
  readonly was: Json | undefined;
  readonly now: Json | undefined;
}

export type Unlike = Pick<Difference, 'what' | 'was' | 'now'>;

/** The first line of the trace that is another one, or is missing, or is one too many (`whole`: the decision is made). */
export function unlikeTrace(
  then: readonly TraceStep[],
  now: readonly TraceStep[],
  whole: boolean,
): { readonly unlike: Unlike; readonly line: TraceStep } | undefined {
  const length = whole ? Math.max(then.length, now.length) : now.length;
  for (let at = 0; at < length; at += 1) {
    const [one, other] = [then[at], now[at]];
    const line = one ?? other;
    if (line && !same(shown(one), shown(other))) return { unlike: { what: 'trace', was: shown(one), now: shown(other) }, line };
  }
  return undefined;
}

/** When, and how long it took, is no decision. */
function shown(line: TraceStep | undefined): Json | undefined {
  if (!line) return undefined;
  const { outcome, reason, step, action } = line;
  return { outcome, reason, ...(step === undefined ? {} : { step }), action: action as unknown as Json };
}

/** What of a commit is not as it was. `before` undefined: the activeflow was made by it. */
export function unlikeRow(
  record: HistoryRecord,
  before: Activeflow | undefined,
  after: Activeflow,
  caused: Pick<Decided, 'beside' | 'follow_up'>,
  slack: number,
): Unlike | undefined {
  const then = record.decided;
  const now = decided(before, after, caused);
  const pairs: [string, unknown, unknown][] = [
    ['status', then.status, now.status],
    ['deleted', then.deleted, now.deleted],
    ['deadline_at', then.deadline_at, now.deadline_at],
    ...statePairs(then.state, before, after),
    ...variablePairs(then.variables, before, after),
    ['answer', then.answer, now.answer],
    ...besidePairs(then.beside, now.beside),
    ['follow_up', then.follow_up, now.follow_up],
  ];
  for (const [what, one, other] of pairs) {
    if (!same(one, other, slack)) return { what, was: plain(one), now: plain(other) };
  }
  return undefined;
}

/** A member that the recorded build did not know yet is not looked at: it is no decision of that time. */
function statePairs(then: object, before: Activeflow | undefined, after: Activeflow): [string, unknown, unknown][] {
  const known: Record<string, unknown> = { ...before?.state };
  const expected: Record<string, unknown> = { ...known, ...then };
  const names = before ? Object.keys(expected) : Object.keys(then);
  const actual: Record<string, unknown> = { ...after.state };
  return names
    .filter((name) => Object.hasOwn(then, name) || !LEFT_OUT.has(name))
    .map((name) => [`state.${name}`, expected[name] ?? null, actual[name] ?? null]);
}

function besidePairs(then: JsonObject | undefined, now: JsonObject = {}): [string, unknown, unknown][] {
  if (!then) return [];
  return [...new Set([...Object.keys(then), ...Object.keys(now)])].map((name) => [`beside.${name}`, then[name], now[name]]);
}

function variablePairs(
  then: HistoryRecord['decided']['variables'],
  before: Activeflow | undefined,
  after: Activeflow,
): [string, unknown, unknown][] {
  const expected = new Map(Object.entries(before?.variables ?? {}));
  for (const name of then?.gone ?? []) expected.delete(name);
  for (const [name, value] of Object.entries(then?.set ?? {})) expected.set(name, value);
  const actual = new Map(Object.entries(after.variables));
  return [...new Set([...expected.keys(), ...actual.keys()])].map((name) => [
    `variables.${name}`,
    expected.get(name),
    actual.get(name),
  ]);
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** Equal as JSON. `slack`: by how many ms two times may differ. */
export function same(one: unknown, other: unknown, slack = 0): boolean {
  const [left, right] = [plain(one), plain(other)];
  return isDeepStrictEqual(left, right) || (slack > 0 && isDeepStrictEqual(rounded(left, right, slack), right));
}

/** `left` with those of its times replaced by `right`'s that are near enough. */
function rounded(left: Json | undefined, right: Json | undefined, slack: number): Json | undefined {
  if (typeof left === 'string' && typeof right === 'string') return near(left, right, slack) ? right : left;
  if (typeof left !== 'object' || left === null || typeof right !== 'object' || right === null) return left;
  if (Array.isArray(left)) return left.map((item, at) => rounded(item, (right as readonly Json[])[at], slack) ?? null);
  const others = right as { readonly [name: string]: Json };
  return Object.fromEntries(Object.entries(left).map(([name, item]) => [name, rounded(item, others[name], slack) ?? null]));
}

function near(left: string, right: string, slack: number): boolean {
  return TIME.test(left) && TIME.test(right) && Math.abs(Date.parse(left) - Date.parse(right)) <= slack + 1;
}

function plain(value: unknown): Json | undefined {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as Json);
}
