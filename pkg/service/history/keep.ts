import type { Activeflow } from '../../model/activeflow.ts';
import type { HistoryKeep, HistoryRecord, PendingHistory } from '../../model/history.ts';

/** What one history may take, as JSON: it may stand in its row, which has a limit, and it is answered in one message. */
const MAX_BYTES = 4 << 20;

/** A new row with the first record of its history in it. Whose history is kept is decided here, once for its life. */
export function withStart(row: Activeflow, keep: HistoryKeep, record: () => HistoryRecord): Activeflow {
  if (keep === 'off') return row;
  return withHistory(row, added({ keep, bytes: 0, records: [], moved: false, state: 'open' }, record()));
}

/**
 * The next row of an activeflow with its history carried on; the same row when none is kept.
 *
 * @param record of this commit; undefined: the history is not written on
 * @param moved revision up to which records are in rows of their own
 */
export function withRecord(
  before: Activeflow,
  next: Activeflow,
  moved: number,
  record: () => HistoryRecord | undefined,
): Activeflow {
  const { history } = before.outbox;
  if (!history) return next;
  const records = history.records.filter(({ revision }) => revision > moved);
  const kept = { ...history, records, moved: history.moved || records.length < history.records.length };
  if (kept.state === 'dropped') return withHistory(next, kept);
  // A good end: what has not moved is forgotten with this very commit, the mover takes the rest away.
  if (kept.keep === 'failed' && next.status === 'ended' && !next.state.error) {
    return kept.moved ? withHistory(next, { ...kept, records: [], state: 'dropped' }) : next;
  }
  if (kept.state === 'full') return withHistory(next, kept);
  const made = record();
  return withHistory(next, made ? added(kept, made) : { ...kept, state: 'full' });
}

/** Beyond the limit it breaks off, for good: a history with a gap could not be replayed. */
function added(history: PendingHistory, record: HistoryRecord): PendingHistory {
  const bytes = history.bytes + Buffer.byteLength(JSON.stringify(record));
  if (bytes > MAX_BYTES) return { ...history, state: 'full' };
  return { ...history, bytes, records: [...history.records, record] };
}

function withHistory(row: Activeflow, history: PendingHistory): Activeflow {
  return { ...row, outbox: { ...row.outbox, history } };
}
