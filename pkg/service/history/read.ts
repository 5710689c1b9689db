import type { Action } from '../../model/action.ts';
import type { Activeflow } from '../../model/activeflow.ts';
import type { HistoryRecord } from '../../model/history.ts';
import type { JsonObject } from '../../model/json.ts';
import { traceOf } from '../activeflow/view.ts';
import type { Lists } from '../lists.ts';
import type { Store } from '../ports.ts';
import { historyFile, noHistory } from './file.ts';

/** The history of an activeflow from its homes: rows of its own, what is still in its row, its trace, its lists. */
export async function readHistory(row: Activeflow, store: Store, lists: Lists): Promise<JsonObject> {
  const { history } = row.outbox;
  if (!history || history.state === 'dropped') throw noHistory(row.id);
  const moved = history.moved || history.records[0]?.revision !== 1 ? await store.histories.get(row.id) : [];
  const last = moved.at(-1)?.revision ?? 0;
  const records = [...moved, ...history.records.filter(({ revision }) => revision > last)];
  const seen = records.at(-1)?.decided.trace_seq ?? 0;
  return historyFile({
    activeflow_id: row.id,
    complete: history.state === 'open',
    records,
    trace: (await traceOf(row, store.activeflows)).slice(0, seen),
    lists: await listsOf(row, records, lists),
  }) as unknown as JsonObject;
}

/** The list that it began with, and those that its decisions could look into later. */
async function listsOf(
  { customer_id, state }: Activeflow,
  records: readonly HistoryRecord[],
  lists: Lists,
): Promise<Record<string, readonly Action[]>> {
  const [main] = state.stacks;
  const keys = new Set([...(main?.shared ? [main.list] : []), ...records.flatMap((record) => record.lists ?? [])]);
  const found = [...keys].map(async (key) => [key, (await lists.get(customer_id, key)).actions] as const);
  return Object.fromEntries(await Promise.all(found));
}
