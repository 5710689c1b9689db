import { Kysely, type Dialect as KyselyDialect, MysqlDialect } from 'kysely';
import type { Store, WeakSetting } from '../service/ports.ts';
import { SqlActiveflowStore } from './activeflow.ts';
import { SqlCallbackStore } from './callback.ts';
import { clockOffset } from './clock.ts';
import { SqlDelayStore } from './delay.ts';
import { SqlDeliveryStore } from './delivery.ts';
import { mysqlDialect, sqliteDialect } from './dialect.ts';
import { describeAddress, parseDsn } from './dsn.ts';
import { weakSettings } from './durability.ts';
import { SqlErasureStore } from './erasure.ts';
import { SqlEventStore } from './event.ts';
import { SqlFlowStore } from './flow.ts';
import { type CommitLane, GroupCommit } from './group-commit.ts';
import { SqlHistoryStore } from './history.ts';
import { SqlLeaseStore } from './lease.ts';
import { SqlListStore } from './list.ts';
import { checkSchema, migrate } from './migrate.ts';
import { QueryPool } from './mysql.ts';
import { MysqlLane } from './mysql-lane.ts';
import { SqlParticipantStore } from './participant.ts';
import { SqlPushStore } from './push.ts';
import { ReadOnlyWatch } from './read-only.ts';
import { SqlRedeliveryStore } from './redelivery.ts';
import { SqlRetentionStore } from './retention.ts';
import type { Schema } from './schema.ts';
import { Sealed } from './sealed.ts';
import { Session } from './session.ts';
import { DEFAULT_SETTLING, type Settling } from './settle.ts';
import { sqliteKyselyDialect } from './sqlite.ts';
import { SqliteLane } from './sqlite-lane.ts';
import { WIDEST } from './statement.ts';
import { SqlSubscriptionStore } from './subscription.ts';
import { SqlWorkflowStore } from './workflow.ts';

interface CommonOptions extends Partial<Settling> {
  /** What one activeflow may take, as JSON; default 15 MiB, just below what a column takes. */
  readonly max_row_bytes?: number;
  /** Commits that share a statement at most; default 200. */
  readonly batch_rows?: number;
  /** Secrets of subscriptions are sealed with the first of these and opened with any; default: they are stored as they are. */
  readonly secret_keys?: readonly string[];
}

export interface MysqlStoreOptions extends CommonOptions {
  /** Go's form or a `mysql://` URL. */
  readonly dsn: string;
  /** Connections for reads, creates and everything but commits; default 10. */
  readonly connections?: number;
  /** Connections for commits of activeflows; default 2. */
  readonly commit_connections?: number;
  /** Told when the server turned out to be read-only, as one is that a failover has left behind. */
  readonly onReadOnly?: (where: string) => void;
  /** Told once when the server does not take commits together, only one by one, which is slow: where, and what it says. */
  readonly onBatchRefused?: (where: string, error: string) => void;
}

export interface SqliteStoreOptions extends CommonOptions {
  /** Its folder is made when it is missing. */
  readonly file: string;
}

/** One statement of a batch in bytes, before quoting, which at worst doubles it: far below any server's packet size. */
const BATCH_BYTES = 1 << 20;

const MAX_ROW_BYTES = 15 << 20;

/**
 * The store on MySQL or MariaDB. Connects when it is first asked.
 *
 * @example const store = openMysqlStore({ dsn: 'flow:secret@tcp(127.0.0.1:3306)/flows' }); await store.check();
 * @throws FlowError INVALID_DSN
 */
export function openMysqlStore(options: MysqlStoreOptions): Store {
  const address = parseDsn(options.dsn);
  const settling = settlingOf(options);
  const where = describeAddress(address);
  const watch = new ReadOnlyWatch(() => options.onReadOnly?.(where));
  const pool = new QueryPool(address, options.connections ?? 10, settling.statement_ms, watch);
  const db = kysely(new MysqlDialect({ pool }));
  const session = new Session(db, mysqlDialect, where, (statement) => pool.execute(statement));
  let told = false;
  const onRefused = ({ message }: Error): void => {
    if (!told) options.onBatchRefused?.(where, message);
    told = true;
  };
  const lanes = Array.from(
    { length: options.commit_connections ?? 2 },
    () => new MysqlLane(address, where, settling, watch, onRefused),
  );
  return new SqlStore(session, lanes, options, async (work) => {
    // One connection holds get_lock, one is for what is asked beside it; no time limit for a statement.
    const own = kysely(new MysqlDialect({ pool: new QueryPool(address, 2, 0, new ReadOnlyWatch(() => undefined)) }));
    try {
      return await work(own);
    } finally {
      await own.destroy();
    }
  });
}

/** The store in a file of this process (`:memory:`: in none), for `--embedded`. The same semantics. */
export function openSqliteStore(options: SqliteStoreOptions): Store {
  const session = new Session(kysely(sqliteKyselyDialect(options.file)), sqliteDialect, options.file);
  return new SqlStore(session, [new SqliteLane(session)], options, (work) => work(session.db));
}

/** Lends connections that are fit for migrations. */
type ForMigration = (work: (db: Kysely<Schema>) => Promise<string[]>) => Promise<string[]>;

class SqlStore implements Store {
  readonly flows: SqlFlowStore;
  readonly lists: SqlListStore;
  readonly activeflows: SqlActiveflowStore;
  readonly histories: SqlHistoryStore;
  readonly events: SqlEventStore;
  readonly delays: SqlDelayStore;
  readonly redeliveries: SqlRedeliveryStore;
  readonly retention: SqlRetentionStore;
  readonly leases: SqlLeaseStore;
  readonly erasures: SqlErasureStore;
  readonly callbacks: SqlCallbackStore;
  readonly participants: SqlParticipantStore;
  readonly workflows: SqlWorkflowStore;
  readonly pushes: SqlPushStore;
  readonly subscriptions: SqlSubscriptionStore;
  readonly deliveries: SqlDeliveryStore;
  readonly #session: Session;
  readonly #commits: GroupCommit;
  readonly #forMigration: ForMigration;
  #schemaSeen = false;
  #closed: Promise<void> | undefined;

  constructor(session: Session, lanes: readonly CommitLane[], options: CommonOptions, forMigration: ForMigration) {
    this.#session = session;
    this.#forMigration = forMigration;
    this.#commits = new GroupCommit(lanes, { rows: options.batch_rows ?? WIDEST, bytes: BATCH_BYTES });
    this.flows = new SqlFlowStore(session);
    this.lists = new SqlListStore(session);
    this.activeflows = new SqlActiveflowStore({
      session,
      commits: this.#commits,
      settling: settlingOf(options),
      max_row_bytes: options.max_row_bytes ?? MAX_ROW_BYTES,
    });
    this.histories = new SqlHistoryStore(session);
    this.events = new SqlEventStore(session);
    this.delays = new SqlDelayStore(session);
    this.redeliveries = new SqlRedeliveryStore(session);
    this.retention = new SqlRetentionStore(session);
    this.leases = new SqlLeaseStore(session);
    this.erasures = new SqlErasureStore(session);
    this.callbacks = new SqlCallbackStore(session);
    this.participants = new SqlParticipantStore(session);
    this.workflows = new SqlWorkflowStore(session, this.activeflows.insert);
    this.pushes = new SqlPushStore(session);
    this.subscriptions = new SqlSubscriptionStore(session, new Sealed(options.secret_keys ?? []));
    this.deliveries = new SqlDeliveryStore(session);
  }

  migrate(): Promise<string[]> {
    return this.#forMigration((db) => migrate(this.#session, db));
  }

  /** The schema only ever grows, so that once complete it is not looked at again: this is asked every few seconds. */
  async check(): Promise<void> {
    if (this.#schemaSeen) {
      await clockOffset(this.#session, 1);
      return;
    }
    await checkSchema(this.#session);
    this.#schemaSeen = true;
  }

  clockOffset(): Promise<number> {
    return clockOffset(this.#session);
  }

  weakSettings(): Promise<WeakSetting[]> {
    return weakSettings(this.#session);
  }

  /** What was asked for before is finished first. */
  close(): Promise<void> {
    this.#closed ??= this.#commits.close().finally(() => this.#session.db.destroy());
    return this.#closed;
  }
}

function kysely(dialect: KyselyDialect): Kysely<Schema> {
  return new Kysely<Schema>({ dialect });
}

function settlingOf(options: Partial<Settling>): Settling {
  return {
    timeout_ms: options.timeout_ms ?? DEFAULT_SETTLING.timeout_ms,
    statement_ms: options.statement_ms ?? DEFAULT_SETTLING.statement_ms,
  };
}
