import type { Run } from '../model/activeflow.ts';
import type { Draft } from './draft.ts';

/** Begins a walk: from here on somebody is responsible for this activeflow until it hands over, waits or ends. */
export function begin(draft: Draft, kind: Run['kind'], key: string): void {
  draft.run = { kind, asked: draft.current.id, key, steps: 0, stage: 'walking' };
  draft.wait = null;
}

/** Done with the current action, however far its tries had come. */
export function walkingOn({ retry: _retry, failing: _failing, parallel: _parallel, ...run }: Run): Run {
  return { ...run, stage: 'walking' };
}
