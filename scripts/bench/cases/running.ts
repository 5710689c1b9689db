import { setTimeout as pause } from 'node:timers/promises';
import { type Bench, FLOOR, REQUESTS, SPREAD_FLOOR } from '../bench.ts';
import { Database } from '../database.ts';
import { CUSTOMERS, callFlow } from '../flows.ts';
import { measure, type Row } from '../measure.ts';
import type { Walk } from '../protocol.ts';
import { type Figure, spread } from '../statistics.ts';
import { residentMb } from '../usage.ts';
import { IDLE_MS } from './start.ts';

const CALLERS = 100;
/** And those besides that a run uses up: it must not wait for new ones. */
const FEW = 100;
const FULL = `${REQUESTS}.full`;
/** Twice as many as stay in a row before they move: of all that walk, some are about to move what they have. */
const STEPS_AHEAD = 12;

/**
 * A table of 100 running activeflows beside one of 100,000, each with a database and a daemon of its own, so that they
 * can take turns. `walk`: each caller stays with one activeflow, as long as it lasts. `spread`: every `next` is for
 * the activeflow that has waited longest, so that with 100,000 no memory of a daemon helps.
 */
export async function runningCase(bench: Bench): Promise<{ rows: Row[]; figures: Figure[] }> {
  const { running } = bench.options;
  const dsn = await bench.database.another('flow_full');
  const full = await bench.startDaemon('full', { dsn, queue: FULL });
  try {
    return await bench.withDaemon(async () => {
      await fillTable(bench, dsn, running);
      const few = callFlow('few', REQUESTS);
      const prepare = await bench.pool(few);
      await bench.callers.ask('fill', { pool: 'few', steps: FEW * few.steps });
      const of = (count: number): string => count.toLocaleString('en');
      const pair = (kind: 'walk' | 'spread', name: string): Promise<Row[]> =>
        measure(
          bench,
          [
            { name: `${name}, ${of(FEW)} running`, callers: CALLERS, workload: { kind, pool: 'few' }, prepare },
            { name: `${name}, ${of(running)} running`, callers: CALLERS, workload: { kind, pool: 'full' } },
          ],
          `${name}, ${of(FEW)} running`,
        );
      const rows = await pair('walk', 'next');
      if (bench.options.form === 'full') rows.push(...(await pair('spread', 'next, spread over all')));
      const resident = (figure: string): Figure => ({ figure, unit: 'MB', ...spread([residentMb(full.pid)]) });
      const loaded = resident('resident memory at the end of that load');
      await pause(IDLE_MS[bench.options.form]);
      const idle = resident(`resident memory, ${of(running)} running`);
      if (bench.options.form === 'full') rows.push(...(await spreadFloor(bench, running)));
      return { rows, figures: [loaded, idle] };
    });
  } finally {
    await bench.stopDaemon('full');
  }
}

/** What no daemon can leave out that remembers none of them: reading a row before it is written, and writing to a page of its own. */
async function spreadFloor(bench: Bench, rows: number): Promise<Row[]> {
  await bench.floor.ask('spread', { queue: SPREAD_FLOOR, rows });
  const floor = { name: 'floor, rows remembered', callers: CALLERS, workload: { kind: 'echo', queue: FLOOR } } as const;
  const name = `floor, spread over ${rows.toLocaleString('en')} rows`;
  return measure(bench, [floor, { ...floor, name, workload: { kind: 'echo', queue: SPREAD_FLOOR } }], floor.name);
}

/** Real activeflows that have gone a few steps, some more than others, copied. */
async function fillTable(bench: Bench, dsn: string, count: number): Promise<void> {
  const database = await Database.open(dsn);
  const flow = callFlow('full', FULL);
  await bench.pool(flow);
  await bench.callers.ask('fill', { pool: 'full', steps: CUSTOMERS * STEPS_AHEAD * flow.steps });
  await bench.callers.ask('stagger', { pool: 'full', most: STEPS_AHEAD });
  await database.settled();
  const models = await bench.callers.ask('empty', { pool: 'full' });
  const walks = shuffled(await database.multiply(models, count));
  await bench.callers.ask('adopt', { pool: 'full', walks });
  await database.close();
}

/** Neighbours in the table would be read together. */
function shuffled(walks: Walk[]): Walk[] {
  for (let at = walks.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    const [a, b] = [walks[at], walks[other]];
    if (a && b) [walks[at], walks[other]] = [b, a];
  }
  return walks;
}
