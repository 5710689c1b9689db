import { type Bench, REQUESTS } from '../bench.ts';
import { BRIEF, callFlow, LONG } from '../flows.ts';
import { measure, type Row } from '../measure.ts';

/** Few callers, so that each walks a flow of 1,000 actions from end to end in one run. */
const CALLERS = 10;

/** What a step costs in a long flow and in a short one; the short ones are made before the run. */
export function lengthCase(bench: Bench): Promise<Row[]> {
  return bench.withDaemon(async () =>
    measure(
      bench,
      [
        {
          name: 'next, flow of 10 actions',
          callers: CALLERS,
          workload: { kind: 'walk', pool: 'ten' },
          prepare: await bench.pool(callFlow('ten', REQUESTS, BRIEF)),
        },
        {
          name: 'next, flow of 1,000 actions',
          callers: CALLERS,
          workload: { kind: 'walk', pool: 'thousand' },
          prepare: await bench.pool(callFlow('thousand', REQUESTS, LONG)),
        },
      ],
      'next, flow of 10 actions',
    ),
  );
}
