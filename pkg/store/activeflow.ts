import { CompiledQuery, type Transaction } from 'kysely';
import type { Activeflow } from '../model/activeflow.ts';
import type { TraceStep } from '../model/trace.ts';
import type {
  ActiveflowCommit,
  ActiveflowFilter,
  ActiveflowStore,
  Page,
  ParticipantWrite,
  RowAt,
  TracePiece,
  UnreadableActiveflow,
} from '../service/ports.ts';
import { isReadable } from '../service/ports.ts';
import {
  ACTIVEFLOW_COLUMNS,
  activeflowFromRow,
  activeflowToRow,
  type CommitRow,
  commitToRow,
  listedFromRow,
  type ReadActiveflow,
} from './activeflow-row.ts';
import { hashKey, KEY_TTL_MS } from './answer.ts';
import { writeArrivals } from './callback.ts';
import { commitStatement } from './commit-sql.ts';
import { type Backlog, backlog, claimDue, renew, settled } from './due.ts';
import { tooLarge } from './errors.ts';
import type { GroupCommit } from './group-commit.ts';
import { GroupRead } from './group-read.ts';
import { withoutMoved } from './history.ts';
import { enlist, wakeNow } from './job-wait.ts';
import { after } from './page.ts';
import { jobOf, writeEntries } from './participant.ts';
import { salvaged } from './salvage.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';
import { type Settling, settle } from './settle.ts';
import { settleCall } from './settle-call.ts';
import { TokenSource } from './token.ts';
import { addTrace, readTrace } from './trace.ts';

/** Ids in one statement. */
const IDS_AT_ONCE = 500;

/** Pages that a sweep looks through for rows that can be read, in one turn. */
const UNSETTLED_PAGES = 5;

/** Written out, because it is read for many requests and kysely would compile it each time. */
const SELECT = `select ${ACTIVEFLOW_COLUMNS.join(', ')},
  (select max(seq) from trace_steps where activeflow_id = activeflows.id) as traced from activeflows where id in`;

export interface ActiveflowStoreParts {
  readonly session: Session;
  readonly commits: GroupCommit;
  readonly settling: Settling;
  /** What one activeflow may take, as JSON. */
  readonly max_row_bytes: number;
}

/** One file, long as it is: a method for each question of the port, most of which are answered in files of their own. */
export class SqlActiveflowStore implements ActiveflowStore {
  readonly #session: Session;
  readonly #commits: GroupCommit;
  readonly #settling: Settling;
  readonly #maxBytes: number;
  readonly #tokens = new TokenSource();
  readonly #reads = new GroupRead<ReadActiveflow>(async (ids) => {
    const query = CompiledQuery.raw(`${SELECT} (${ids.map(() => '?').join(',')})`, [...ids]);
    return (await this.#session.run((db) => db.executeQuery<ReadActiveflow>(query))).rows;
  });

  constructor({ session, commits, settling, max_row_bytes }: ActiveflowStoreParts) {
    this.#session = session;
    this.#commits = commits;
    this.#settling = settling;
    this.#maxBytes = max_row_bytes;
  }

  async get(id: string): Promise<Activeflow | undefined> {
    const row = await this.#reads.get(id);
    const activeflow = row && activeflowFromRow(this.#session.dialect, row);
    const history = activeflow?.outbox.history;
    if (!history) return activeflow;
    return { ...activeflow, outbox: { ...activeflow.outbox, history: await withoutMoved(this.#session, id, history) } };
  }

  async byCreateKey(key: string): Promise<Activeflow | undefined> {
    const { dialect } = this.#session;
    const row = await this.#session.run((db) =>
      db
        .selectFrom('activeflows')
        .select(ACTIVEFLOW_COLUMNS)
        .where('create_hash', '=', hashKey(key))
        .where('tm_create', '>', dialect.now(-KEY_TTL_MS))
        .executeTakeFirst(),
    );
    return row && activeflowFromRow(dialect, row);
  }

  async list(filter: ActiveflowFilter, page: Page): Promise<(Activeflow | UnreadableActiveflow)[]> {
    const { dialect } = this.#session;
    const rows = await this.#session.run((db) => {
      let query = db.selectFrom('activeflows').select(ACTIVEFLOW_COLUMNS);
      const { deleted, ...equal } = filter;
      for (const [name, value] of Object.entries(equal) as [keyof typeof equal, string | undefined][]) {
        if (value !== undefined) query = query.where(name, '=', value);
      }
      if (deleted !== undefined) query = query.where('tm_delete', deleted ? 'is not' : 'is', null);
      if (page.after) query = query.where(after<'activeflows'>(dialect, page.after));
      return query.orderBy('tm_create', 'desc').orderBy('id', 'desc').limit(page.size).execute();
    });
    return rows.map((row) => listedFromRow(dialect, row));
  }

  async create(activeflow: Activeflow, participants: readonly ParticipantWrite[] = []): Promise<boolean> {
    if (await this.#insert(activeflow, participants)) return true;
    // A key is free again after an hour: whoever holds it longer forgets it, and then it is tried once more.
    return (
      activeflow.create_key !== '' && (await this.#forgetKey(activeflow.create_key)) && this.#insert(activeflow, participants)
    );
  }

  async commit(change: ActiveflowCommit): Promise<boolean> {
    const { creates = [], participants = [], arrivals, settles, jobs } = change;
    if (creates.length + participants.length === 0 && !arrivals && !settles && !jobs) {
      return this.#commits.commit(change.next.id, () => this.#written(change));
    }
    const row = this.#written(change);
    const deadline = Date.now() + this.#settling.timeout_ms;
    const result = await settle(
      row,
      this.#session.where,
      { deadline, unknown: false },
      {
        write: () =>
          this.#session.tryAtomically(async (trx) => {
            const over = jobs !== undefined && (await enlist(trx, this.#session.dialect, row.id, jobs));
            const { sql, values } = commitStatement(this.#session.dialect, row);
            const { numAffectedRows = 0n } = await trx.executeQuery(CompiledQuery.raw(sql, values));
            if (numAffectedRows === 0n) return false;
            if (over) await wakeNow(trx, this.#session.dialect, [row.id]);
            for (const child of creates) await this.insert(trx, child);
            if (arrivals) await writeArrivals(trx, this.#session, row.id, arrivals.kept, arrivals.taken);
            if (settles) await settleCall(trx, this.#session.dialect, settles, (child) => this.insert(trx, child));
            return writeEntries(trx, this.#session.dialect, participants);
          }),
        read: () =>
          this.#session.db.selectFrom('activeflows').select(['revision', 'tokens']).where('id', '=', row.id).executeTakeFirst(),
      },
    );
    if (typeof result === 'boolean') return result;
    throw result;
  }

  async ofReference(reference_type: string, reference_id: string): Promise<string[]> {
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('activeflows')
        .select('id')
        .where('reference_id', '=', reference_id)
        .where('reference_type', '=', reference_type)
        .where('status', '=', 'running')
        .execute(),
    );
    return rows.map((row) => row.id);
  }

  async ofCustomer(customer_id: string, limit: number): Promise<string[]> {
    const rows = await this.#session.run((db) =>
      db
        .selectFrom('activeflows')
        .select('id')
        .where('customer_id', '=', customer_id)
        .where('tm_delete', 'is', null)
        .limit(limit)
        .execute(),
    );
    return rows.map((row) => row.id);
  }

  async countRunning(): Promise<number> {
    const row = await this.#session.run((db) =>
      db
        .selectFrom('activeflows')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('status', '=', 'running')
        .executeTakeFirstOrThrow(),
    );
    return row.count;
  }

  async ended(ids: readonly string[]): Promise<string[]> {
    const found: string[] = [];
    for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
      const some = ids.slice(from, from + IDS_AT_ONCE);
      const rows = await this.#session.run((db) =>
        db.selectFrom('activeflows').select('id').where('id', 'in', some).where('status', '=', 'ended').execute(),
      );
      found.push(...rows.map((row) => row.id));
    }
    return found;
  }

  async salvage(id: string): Promise<Activeflow | undefined> {
    const row = await this.#reads.get(id);
    // A trace that cannot be read either keeps nothing from its end.
    const moved = await this.trace(id).catch((): TraceStep[] => []);
    if (!row) return undefined;
    const job = await this.#session.run((db) => jobOf(db, row));
    return activeflowFromRow(this.#session.dialect, salvaged(row, moved.at(-1)?.seq ?? 0, job));
  }

  trace(id: string): Promise<TraceStep[]> {
    return readTrace(this.#session, id);
  }

  addTrace(pieces: readonly TracePiece[]): Promise<void> {
    return addTrace(this.#session, pieces);
  }

  settled(rows: readonly RowAt[]): Promise<void> {
    return settled(this.#session, rows);
  }

  async unsettled(age_ms: number, limit: number): Promise<(Activeflow | UnreadableActiveflow)[]> {
    const found: (Activeflow | UnreadableActiveflow)[] = [];
    let last: ReadActiveflow | undefined;
    for (let page = 0; page < UNSETTLED_PAGES; page += 1) {
      const rows = await this.#unsettledAfter(last, age_ms, limit - found.filter(isReadable).length);
      found.push(...rows.map((row) => listedFromRow(this.#session.dialect, row)));
      last = rows.at(-1);
      if (!last || found.filter(isReadable).length === limit) break;
    }
    return found;
  }

  claimDue(limit: number, lease_ms: number): Promise<RowAt[]> {
    return claimDue(this.#session, limit, lease_ms);
  }

  renew(ids: readonly string[], lease_ms: number): Promise<void> {
    return renew(this.#session, ids, lease_ms);
  }

  backlog(): Promise<Backlog> {
    return backlog(this.#session);
  }

  #unsettledAfter(last: ReadActiveflow | undefined, age_ms: number, limit: number): Promise<ReadActiveflow[]> {
    const { dialect } = this.#session;
    return this.#session.run((db) => {
      let query = db.selectFrom('activeflows').select(ACTIVEFLOW_COLUMNS).where('unsettled_at', '<=', dialect.now(-age_ms));
      if (last) {
        const { unsettled_at, id } = last;
        query = query.where((eb) =>
          eb.or([eb('unsettled_at', '>', unsettled_at), eb.and([eb('unsettled_at', '=', unsettled_at), eb('id', '>', id)])]),
        );
      }
      return query.orderBy('unsettled_at').orderBy('id').limit(limit).execute();
    });
  }

  #insert(activeflow: Activeflow, participants: readonly ParticipantWrite[]): Promise<boolean> {
    if (participants.length > 0) {
      return this.#session.atomically(async (trx) => {
        await this.insert(trx, activeflow);
        return writeEntries(trx, this.#session.dialect, participants);
      });
    }
    return this.#session.insertOnce((db) => this.insert(db, activeflow));
  }

  /** Within the transaction of somebody else. */
  readonly insert = async (db: Pick<Transaction<Schema>, 'insertInto'>, activeflow: Activeflow): Promise<void> => {
    const { dialect } = this.#session;
    const row = activeflowToRow(dialect, activeflow, this.#tokens.next());
    this.#checkSize(row.id, Buffer.byteLength(row.state) + Buffer.byteLength(row.variables) + Buffer.byteLength(row.outbox));
    const unsettled_at = activeflow.outbox.events.length > 0 ? dialect.now() : null;
    await db
      .insertInto('activeflows')
      .values({ ...row, unsettled_at })
      .execute();
  };

  async #forgetKey(key: string): Promise<boolean> {
    const { dialect } = this.#session;
    const result = await this.#session.run((db) =>
      db
        .updateTable('activeflows')
        .set({ create_key: null, create_hash: null })
        .where('create_hash', '=', hashKey(key))
        .where('tm_create', '<=', dialect.now(-KEY_TTL_MS))
        .executeTakeFirst(),
    );
    return result.numUpdatedRows > 0n;
  }

  #written(change: ActiveflowCommit): CommitRow {
    const row = commitToRow(this.#session.dialect, change, this.#tokens.next());
    this.#checkSize(row.id, row.bytes);
    return row;
  }

  #checkSize(id: string, bytes: number): void {
    if (bytes <= this.#maxBytes) return;
    throw tooLarge(`activeflow ${id} takes ${bytes} bytes, more than the ${this.#maxBytes} that the store keeps of one`);
  }
}
