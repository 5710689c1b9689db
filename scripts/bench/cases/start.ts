import { setTimeout as pause } from 'node:timers/promises';
import { type Bench, REQUESTS } from '../bench.ts';
import { type Figure, spread } from '../statistics.ts';
import { residentMb } from '../usage.ts';

/** What starting has used and left goes with the first collection of all garbage, after some 25 s. */
export const IDLE_MS = { full: 45_000, short: 500 };

/** From the start of the process to its first answer, its servers being up; and what it takes when it is idle. */
export async function startCase(bench: Bench): Promise<Figure[]> {
  const short = bench.options.form === 'short';
  // The first start of all makes the schema and the queue.
  await bench.startDaemon('daemon');
  await bench.stopDaemon('daemon');
  const starts: number[] = [];
  const memory: number[] = [];
  for (let turn = 0; turn < (short ? 1 : 5); turn++) {
    const daemon = bench.prepareDaemon('daemon');
    const { at } = await bench.callers.ask('first', { queue: REQUESTS });
    starts.push(at - daemon.started);
    if (turn === 0) {
      await pause(IDLE_MS[bench.options.form]);
      memory.push(residentMb(daemon.pid));
    }
    await bench.stopDaemon('daemon');
  }
  return [
    { figure: 'time to first answer', unit: 'ms', ...spread(starts) },
    { figure: 'resident memory, idle', unit: 'MB', ...spread(memory) },
  ];
}
