import type { TraceStep } from './activeflow.ts';

/**
 * A line of the trace as a row keeps it: its JSON. It never changes, is written with every commit of its activeflow until it
 * has moved to a row of its own, and is seldom looked at: a text is all that the garbage collector has to carry along for it.
 */
export class TraceLine implements TraceStep {
  readonly seq: number;
  /** What JSON.stringify makes of it. */
  readonly json: string;
  #whole: TraceStep | undefined;

  constructor(step: TraceStep) {
    this.seq = step.seq;
    this.json = JSON.stringify(step);
  }

  get step(): number | undefined {
    return this.toJSON().step;
  }

  get action(): TraceStep['action'] {
    return this.toJSON().action;
  }

  get outcome(): TraceStep['outcome'] {
    return this.toJSON().outcome;
  }

  get reason(): string {
    return this.toJSON().reason;
  }

  get duration_ms(): number {
    return this.toJSON().duration_ms;
  }

  get tm(): string {
    return this.toJSON().tm;
  }

  toJSON(): TraceStep {
    this.#whole ??= JSON.parse(this.json) as TraceStep;
    return this.#whole;
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
