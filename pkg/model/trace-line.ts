import type { Action } from './action.ts';
import type { Outcome, TraceStep } from './activeflow.ts';

/**
 * A line of the trace that keeps its JSON: it never changes, and is written with every commit of its activeflow until it
 * has moved to a row of its own.
 */
export class TraceLine implements TraceStep {
  readonly seq: number;
  declare readonly step?: number;
  readonly action: Action | { readonly id: string; readonly type: string };
  readonly outcome: Outcome;
  readonly reason: string;
  readonly duration_ms: number;
  readonly tm: string;
  #json: string | undefined;

  constructor(step: Omit<TraceStep, 'step'> & { readonly step: number | undefined }) {
    this.seq = step.seq;
    if (step.step !== undefined) this.step = step.step;
    this.action = step.action;
    this.outcome = step.outcome;
    this.reason = step.reason;
    this.duration_ms = step.duration_ms;
    this.tm = step.tm;
  }

  /** What JSON.stringify makes of it. */
  get json(): string {
    this.#json ??= JSON.stringify(this);
    return this.#json;
  }
}

/** One that was read from a row is as any other object. */
export function traceJson(steps: readonly TraceStep[]): string {
  let text = '[';
  for (const step of steps) {
    if (text.length > 1) text += ',';
    text += step instanceof TraceLine ? step.json : JSON.stringify(step);
  }
  return `${text}]`;
}
