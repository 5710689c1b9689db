import { type Bench, REQUESTS } from '../bench.ts';
import { callFlow } from '../flows.ts';
import { measure, type Row } from '../measure.ts';
import type { Workload } from '../protocol.ts';

const CALLERS = 100;
const WARM_UP_S = { full: 1, short: 0.3 };

/** Two daemons on one queue; the second one comes and goes with its turn, and is warm before it is measured. */
export function daemonsCase(bench: Bench): Promise<Row[]> {
  return bench.withDaemon(async () => {
    const prepare = await bench.pool(callFlow('calls', REQUESTS));
    const workload: Workload = { kind: 'walk', pool: 'calls' };
    const around = async (): Promise<() => Promise<void>> => {
      await bench.startDaemon('second');
      await prepare(CALLERS, CALLERS);
      await bench.callers.ask('run', { workload, callers: CALLERS, seconds: WARM_UP_S[bench.options.form] });
      return () => bench.stopDaemon('second');
    };
    return measure(
      bench,
      [
        { name: 'next, 1 daemon', callers: CALLERS, workload, prepare },
        { name: 'next, 2 daemons', callers: CALLERS, workload, prepare, around },
      ],
      'next, 1 daemon',
    );
  });
}
