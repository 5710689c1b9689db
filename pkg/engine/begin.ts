import type { Run } from '../model/activeflow.ts';
import type { Draft } from './draft.ts';

/** Begins a walk: from here on somebody is responsible for this activeflow until it hands over, waits or ends. */
export function begin(draft: Draft, kind: Run['kind'], key: string): void {
  draft.run = { kind, asked: draft.current.id, key, steps: 0, stage: 'walking' };
  draft.wait = null;
}

/** Done with the current action, however far its tries had come. */
export function walkingOn(run: Run): Run {
  return { ...withoutTries(run), stage: 'walking' };
}

/** At the next action, whose option is to be substituted. */
export function arriving(run: Run): Run {
  return { ...withoutTries(run), steps: run.steps + 1, stage: 'substituting' };
}

function withoutTries(run: Run): Run {
  // Most have none, and leaving members out costs more than all the rest of a step.
  if (run.retry === undefined && run.failing === undefined && run.parallel === undefined) return run;
  const { retry: _retry, failing: _failing, parallel: _parallel, ...others } = run;
  return others;
}
