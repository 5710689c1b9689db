import { type Bench, REQUESTS } from '../bench.ts';
import { callFlow, internalFlow } from '../flows.ts';
import { measure, type Row } from '../measure.ts';

/** What five actions of the manager's own add to a `next`. */
export async function internalCase(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const callers of bench.options.form === 'short' ? [100] : [1, 100]) {
    rows.push(
      ...(await bench.withDaemon(async () =>
        measure(
          bench,
          [
            {
              name: 'next, no internal actions',
              callers,
              workload: { kind: 'walk', pool: 'plain' },
              prepare: await bench.pool(callFlow('plain', REQUESTS)),
            },
            {
              name: 'next, 5 internal actions',
              callers,
              workload: { kind: 'walk', pool: 'internal' },
              prepare: await bench.pool(internalFlow('internal', REQUESTS)),
            },
          ],
          'next, no internal actions',
        ),
      )),
    );
  }
  return rows;
}
