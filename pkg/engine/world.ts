import type { ActionList } from '../model/action.ts';
import type { Stack } from '../model/activeflow.ts';

/** How far a flow may go. Each is a flag; each ends in a clear error. */
export interface Limits {
  /** Actions that an activeflow may walk in its life. */
  readonly actions_per_activeflow: number;
  /** Actions that one request may walk. */
  readonly actions_per_request: number;
  readonly actions_per_list: number;
  readonly stacks: number;
  /** Names besides the service's own six. */
  readonly variables: number;
  /** Bytes of UTF-8 of one value, and of all names and values. */
  readonly variable_bytes: number;
  readonly variables_bytes: number;
  /** How many on_complete_flow may follow each other. */
  readonly complete_depth: number;
  /** Answers by request key that an activeflow keeps. */
  readonly answers: number;
}

export const DEFAULT_LIMITS: Limits = {
  actions_per_activeflow: 10_000,
  actions_per_request: 1_000,
  actions_per_list: 1_000,
  stacks: 100,
  variables: 100,
  variable_bytes: 32 * 1024,
  variables_bytes: 64 * 1024,
  complete_depth: 5,
  answers: 16,
};

/** All that the engine may know of the outside: time, new ids and immutable lists, as arguments. */
export interface World {
  /** ms since 1970, UTC */
  readonly now: () => number;
  /** A new UUID at each call. */
  readonly newId: () => string;
  /** The actions of a stack. Every list that the activeflow's stacks name is there. */
  readonly list: (stack: Stack) => ActionList;
  readonly limits: Limits;
}

/** Later times have five digits in their year, and would sort before all others. */
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');

/** What follows the milliseconds. */
const MICROSECONDS = Array.from({ length: 1000 }, (_, micros) => `${String(micros).padStart(3, '0')}Z`);

/** The millisecond that was written last: many times of one request are within it. */
let written = { ms: Number.NaN, text: '' };

/** ms since 1970 as RFC 3339 UTC with microseconds, the wire's form. */
export function formatTime(ms: number): string {
  const whole = Math.min(Math.floor(ms), LAST_TIME);
  const micros = Math.min(Math.round((ms - whole) * 1000), 999);
  if (written.ms !== whole) written = { ms: whole, text: new Date(whole).toISOString().slice(0, 23) };
  return written.text + (MICROSECONDS[micros] ?? '000Z');
}

/** RFC 3339 in UTC with a fixed number of digits sorts as text. */
export function earliest(times: readonly (string | null)[]): string | null {
  let first: string | null = null;
  for (const time of times) if (time !== null && (first === null || time < first)) first = time;
  return first;
}
