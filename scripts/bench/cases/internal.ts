import { type Bench, REQUESTS } from '../bench.ts';
import { callFlow, internalFlow } from '../flows.ts';
import { MANY_CALLERS, measure, type Row, roundsAt } from '../measure.ts';

export const WITH_INTERNAL = 'next, 5 internal actions';

/** What five actions of the manager's own add to a `next`. */
export async function internalCase(bench: Bench, node: readonly string[] = []): Promise<Row[]> {
  const rows: Row[] = [];
  const profile = node.length > 0;
  const asked = [1, MANY_CALLERS].filter((callers) => bench.options.callers.includes(callers));
  for (const callers of profile || bench.options.form === 'short' ? [MANY_CALLERS] : asked) {
    rows.push(
      ...(await bench.withDaemon(
        async () =>
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
                name: WITH_INTERNAL,
                callers,
                workload: { kind: 'walk', pool: 'internal' },
                prepare: await bench.pool(internalFlow('internal', REQUESTS)),
              },
            ],
            'next, no internal actions',
            roundsAt(callers, bench),
          ),
        node,
      )),
    );
  }
  return rows;
}
