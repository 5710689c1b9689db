import type { Run } from '../model/activeflow.ts';
import type { Writable } from '../model/writable.ts';
import type { Draft } from './draft.ts';

/** Begins a walk: from here on somebody is responsible for this activeflow until it hands over, waits or ends. */
export function begin(draft: Draft, kind: Run['kind'], key: string): void {
  draft.run = { kind, asked: draft.current.id, key, steps: 0, stage: 'walking' };
  draft.wait = null;
}

/** Done with the current action, however far its tries had come. */
export function walkingOn(run: Run): Run {
  return staged(run, 'walking', run.steps);
}

/** At the next action, whose option is to be substituted. */
export function arriving(run: Run): Run {
  return staged(run, 'substituting', run.steps + 1);
}

/** The option of the current action is substituted. */
export function deciding(run: Run): Run {
  if (run.retry || run.failing || run.parallel) return { ...run, stage: 'deciding' };
  return staged(run, 'deciding', run.steps);
}

/** Without tries. Member by member: what was made by spreading has its members set by way of V8's runtime, and a step makes three. */
function staged({ kind, asked, key, after }: Run, stage: Run['stage'], steps: number): Run {
  const run: Writable<Run> = { kind, asked, key, steps, stage };
  if (after !== undefined) run.after = after;
  return run;
}
