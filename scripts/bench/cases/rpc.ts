import { type Bench, ECHO, FLOOR, REQUESTS, SILENT_FLOOR } from '../bench.ts';
import { BRIEF, callFlow } from '../flows.ts';
import { type Contestant, MANY_CALLERS, measure, type Row, roundsAt } from '../measure.ts';

/** echo, the floor (worker/floor.ts), create and next in turns, at each number of callers; a new daemon and an empty table for each. */
export async function rpcCase(
  bench: Bench,
  wanted: (name: 'create' | 'next') => boolean,
  node: readonly string[] = [],
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const callers of bench.options.callers) {
    rows.push(...(await bench.withDaemon(() => atOnce(bench, callers, wanted), node)));
  }
  return rows;
}

async function atOnce(bench: Bench, callers: number, wanted: (name: 'create' | 'next') => boolean): Promise<Row[]> {
  const contestants: Contestant[] = [{ name: 'echo', callers, workload: { kind: 'echo', queue: ECHO } }];
  if (wanted('next')) {
    contestants.push({ name: 'floor', callers, workload: { kind: 'echo', queue: FLOOR } });
    // What of the floor is the broker's, for an event and a webhook that are on its disk before they are confirmed.
    if (callers === MANY_CALLERS) {
      contestants.push({ name: 'floor, nothing published', callers, workload: { kind: 'echo', queue: SILENT_FLOOR } });
    }
    const prepare = await bench.pool(callFlow('calls', REQUESTS));
    contestants.push({ name: 'next', callers, workload: { kind: 'walk', pool: 'calls' }, prepare });
  }
  if (wanted('create')) {
    await bench.pool(callFlow('new', REQUESTS, BRIEF));
    contestants.push({ name: 'create', callers, workload: { kind: 'create', pool: 'new' } });
  }
  return measure(bench, contestants, 'echo', roundsAt(callers, bench));
}
