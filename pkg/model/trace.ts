import type { Action } from './action.ts';
import { isJsonObject, type JsonObject } from './json.ts';

export const OUTCOMES = [
  'run',
  'handed_over',
  'passed_over',
  'jumped',
  'pushed',
  'waiting',
  'resumed',
  'failed',
  'retried',
  'finished',
  'stopped',
  'forwarded',
  'updated',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One line of what happened, for a person. */
export interface TraceStep {
  /** From 1, without gaps. */
  readonly seq: number;
  /** Cursor step at which `action` stood; absent on lines that are about no move of the cursor. */
  readonly step?: number | undefined;
  /** Whole on a move of the cursor (option as substituted): executed_actions is made of these. */
  readonly action: Action | { readonly id: string; readonly type: string };
  readonly outcome: Outcome;
  /** Why, with the values compared: `7.5 > 10: false`. */
  readonly reason: string;
  readonly duration_ms: number;
  /** RFC 3339 */
  readonly tm: string;
}

/**
 * A line as a row keeps it: most of them are an id, a type and an option, and the names of members would be a third of what
 * is written. An action with more than that stands there whole. Null: a line that is about no move of the cursor.
 */
type StoredLine = readonly [
  seq: number,
  step: number | null,
  outcome: Outcome,
  reason: string,
  duration_ms: number,
  tm: string,
  ...action: readonly [Action] | readonly [id: string, type: string] | readonly [id: string, type: string, option: JsonObject],
];

/** Rows of before this form have lines as they are shown. */
type Line = StoredLine | TraceStep;

/**
 * Lines of the trace that follow each other, as rows keep them: all that one commit has written, or all that was read from a
 * row. They never change, are written with every commit of their activeflow until they have moved to a row of their own, and
 * are seldom looked at: one text is all that the garbage collector has to carry along for them.
 */
export class TraceLines {
  /** Number of its first line. */
  readonly first: number;
  /** Number of its last line. */
  readonly last: number;
  /** What stands between the brackets of a JSON list of them. */
  readonly text: string;

  private constructor(first: number, last: number, text: string) {
    this.first = first;
    this.last = last;
    this.text = text;
  }

  /** Undefined: there are none. */
  static of(steps: readonly TraceStep[]): TraceLines | undefined {
    const [first, last] = [steps[0], steps.at(-1)];
    return first && last && new TraceLines(first.seq, last.seq, withoutBrackets(steps.map(stored)));
  }

  /** Of a list as a row has it. What is no line is left out: a damaged one is no reason to lose the call that it is of. */
  static ofStored(values: readonly unknown[]): TraceLines | undefined {
    const lines = values.filter(isLine);
    const [first, last] = [lines[0], lines.at(-1)];
    return first && last && new TraceLines(seqOf(first), seqOf(last), withoutBrackets(lines));
  }

  /** Without those up to this number; undefined: none is left. */
  after(seq: number): TraceLines | undefined {
    if (seq < this.first) return this;
    return seq >= this.last ? undefined : TraceLines.of(this.steps.filter((step) => step.seq > seq));
  }

  get length(): number {
    return this.last - this.first + 1;
  }

  get steps(): TraceStep[] {
    return stepsOfText(`[${this.text}]`);
  }
}

/** What of them comes after this number. */
export function traceAfter(trace: readonly TraceLines[], seq: number): TraceLines[] {
  const left: TraceLines[] = [];
  for (const lines of trace) {
    const some = lines.after(seq);
    if (some) left.push(some);
  }
  return left;
}

export function countLines(trace: readonly TraceLines[]): number {
  let count = 0;
  for (const lines of trace) count += lines.length;
  return count;
}

/** The JSON list of them all. */
export function traceJson(trace: readonly TraceLines[]): string {
  let text = '[';
  for (const lines of trace) text += text.length > 1 ? `,${lines.text}` : lines.text;
  return `${text}]`;
}

/** Of a JSON list of lines. What is no line is left out. Throws SyntaxError. */
export function stepsOfText(text: string): TraceStep[] {
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) ? value.filter(isLine).map(stepOf) : [];
}

/** Whether it can be shown as a line. */
function isLine(value: unknown): value is Line {
  if (Array.isArray(value)) {
    const [seq, , outcome, reason, , tm, action, type] = value as unknown[];
    return areOfLine(seq, outcome, reason, tm) && (isText(action) ? isText(type) : isAction(action));
  }
  return isJsonObject(value) && areOfLine(value.seq, value.outcome, value.reason, value.tm) && isAction(value.action);
}

function areOfLine(seq: unknown, outcome: unknown, reason: unknown, tm: unknown): boolean {
  return Number.isSafeInteger(seq) && isText(outcome) && isText(reason) && isText(tm);
}

function isAction(value: unknown): boolean {
  return isJsonObject(value) && isText(value.id) && isText(value.type);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function withoutBrackets(values: readonly unknown[]): string {
  return JSON.stringify(values).slice(1, -1);
}

function stored({ seq, step: at, outcome, reason, duration_ms, tm, action }: TraceStep): StoredLine {
  const { id, type } = action;
  const step = at ?? null;
  if (hasMore(action)) return [seq, step, outcome, reason, duration_ms, tm, action];
  return 'option' in action && action.option
    ? [seq, step, outcome, reason, duration_ms, tm, id, type, action.option]
    : [seq, step, outcome, reason, duration_ms, tm, id, type];
}

function hasMore(action: TraceStep['action']): boolean {
  for (const name in action) if (name !== 'id' && name !== 'type' && name !== 'option') return true;
  return false;
}

function stepOf(line: Line): TraceStep {
  if (!isPlain(line)) return line;
  const [seq, step, outcome, reason, duration_ms, tm, ...[action, type, option]] = line;
  return {
    seq,
    ...(step === null ? {} : { step }),
    action: typeof action === 'string' ? { id: action, type: type ?? '', ...(option && { option }) } : action,
    outcome,
    reason,
    duration_ms,
    tm,
  };
}

function seqOf(line: Line): number {
  return isPlain(line) ? line[0] : line.seq;
}

function isPlain(line: Line): line is StoredLine {
  return Array.isArray(line);
}
