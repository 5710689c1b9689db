import { type HistoryRecord, type PendingHistory, RECORDS_TOGETHER } from '../model/history.ts';
import type { HistoryStore } from '../service/ports.ts';
import { inPieces } from './pieces.ts';
import type { Session } from './session.ts';

/** Activeflows whose histories one statement takes away. */
const REMOVED_AT_ONCE = 200;

/** The same without the records that have rows of their own by now; only where there are many, as then they may have moved. */
export async function withoutMoved(session: Session, id: string, history: PendingHistory): Promise<PendingHistory> {
  if (history.records.length < RECORDS_TOGETHER) return history;
  const moved = await session.run((db) =>
    db
      .selectFrom('history_records')
      .select((eb) => eb.fn.max<number | null>('revision').as('revision'))
      .where('activeflow_id', '=', id)
      .executeTakeFirst(),
  );
  const records = history.records.filter(({ revision }) => revision > (moved?.revision ?? 0));
  return records.length < history.records.length ? { ...history, records, moved: true } : history;
}

export class SqlHistoryStore implements HistoryStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** A record that is there already stays: it is the same one. */
  async add(activeflowId: string, records: readonly HistoryRecord[]): Promise<void> {
    const { dialect } = this.#session;
    const rows = records.map((record) => ({
      activeflow_id: activeflowId,
      revision: record.revision,
      record: JSON.stringify(record),
    }));
    for (const piece of inPieces(rows, (row) => row.record.length)) {
      await this.#session.run((db) => {
        const insert = db.insertInto('history_records').values(piece);
        return dialect.name === 'mysql'
          ? insert.onDuplicateKeyUpdate((eb) => ({ revision: eb.ref('history_records.revision') })).execute()
          : insert.onConflict((conflict) => conflict.doNothing()).execute();
      });
    }
  }

  async get(activeflowId: string): Promise<HistoryRecord[]> {
    const rows = await this.#session.run((db) =>
      db.selectFrom('history_records').select('record').where('activeflow_id', '=', activeflowId).orderBy('revision').execute(),
    );
    return rows.map((row) => JSON.parse(row.record) as HistoryRecord);
  }

  async remove(activeflowIds: readonly string[]): Promise<void> {
    const sorted = [...activeflowIds].sort();
    for (let from = 0; from < sorted.length; from += REMOVED_AT_ONCE) {
      const some = sorted.slice(from, from + REMOVED_AT_ONCE);
      await this.#session.run((db) => db.deleteFrom('history_records').where('activeflow_id', 'in', some).execute());
    }
  }
}
