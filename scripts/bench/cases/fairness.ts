import { type Bench, REQUESTS } from '../bench.ts';
import { callFlow } from '../flows.ts';
import { measure, type Row } from '../measure.ts';
import type { CallerCommands } from '../protocol.ts';
import { Worker } from '../worker.ts';

const CALLERS = 10;
/** Far more than one customer has when all is well. */
const FLOODING = 500;
/** More than lasts as long as what is measured beside it; it is cut off with its process. */
const FLOOD_S = 60;

/** What others wait while one customer floods the daemon, with a process of its own: their p99 beside that without. */
export async function fairnessCase(bench: Bench): Promise<Row[]> {
  return bench.withDaemon(async () => {
    const prepare = await bench.pool(callFlow('others', REQUESTS));
    const workload = { kind: 'walk', pool: 'others' } as const;
    return measure(
      bench,
      [
        { name: 'next of others', callers: CALLERS, workload, prepare },
        {
          name: 'next of others, one floods',
          callers: CALLERS,
          workload,
          prepare,
          around: () => flood(bench),
        },
      ],
      'next of others',
    );
  });
}

/** Begins to flood; what it gives back ends it. */
async function flood(bench: Bench): Promise<() => Promise<void>> {
  const worker = new Worker<CallerCommands>('callers.ts');
  await worker.ask('connect', { url: bench.servers.amqp });
  const flow = callFlow('flood', REQUESTS);
  await worker.ask('pool', { ...flow, customers: 1 });
  await worker.ask('fill', { pool: 'flood', steps: FLOODING * flow.steps });
  const flooding = worker.ask('run', { workload: { kind: 'walk', pool: 'flood' }, callers: FLOODING, seconds: FLOOD_S });
  // It never ends by itself.
  flooding.catch(() => undefined);
  return () => worker.close();
}
