/** The store's contract runs on every database that it speaks to. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import type { Store } from '../../pkg/service/ports.ts';
import { openMysqlStore, openSqliteStore } from '../../pkg/store/index.ts';
import { createDatabase } from './database.ts';

type CommonOptions = Pick<
  Parameters<typeof openSqliteStore>[0],
  'max_row_bytes' | 'batch_rows' | 'timeout_ms' | 'statement_ms' | 'secret_keys'
>;

/** An empty database, and as many stores on it as a test likes: each is what another process would have. */
export interface Workbench {
  /** Not migrated by itself. `close()` of the bench closes it. */
  open(options?: CommonOptions): Store;
  /** One statement of the test's own, with values in place of `?`. */
  sql(text: string, values?: readonly (string | number)[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

const DIALECTS: { readonly [name: string]: () => Promise<Workbench> } = { MariaDB: mysqlBench, SQLite: sqliteBench };

/** Runs a suite on an empty database of each dialect. */
export function eachDatabase(title: string, suite: (get: () => Workbench) => void): void {
  for (const [name, start] of Object.entries(DIALECTS)) {
    describe(`${title} on ${name}`, () => {
      let bench: Workbench | undefined;
      before(async function () {
        this.timeout(60_000); // servers may have to be started
        bench = await start();
      });
      after(() => bench?.close());
      suite(() => {
        if (!bench) throw new Error('the suite has not begun');
        return bench;
      });
    });
  }
}

/**
 * Runs a suite on each dialect, on a migrated store in a database of its own.
 *
 * @example eachStore('lists', (get) => { it('…', async () => { await get().store.lists.put(…); }); });
 */
export function eachStore(title: string, suite: (get: () => { readonly store: Store; readonly bench: Workbench }) => void): void {
  eachDatabase(title, (getBench) => {
    let store: Store | undefined;
    before(async () => {
      store = getBench().open();
      await store.migrate();
    });
    suite(() => {
      if (!store) throw new Error('the suite has not begun');
      return { store, bench: getBench() };
    });
  });
}

async function mysqlBench(): Promise<Workbench> {
  const database = await createDatabase();
  const stores: Store[] = [];
  return {
    open: (options) => remember(stores, openMysqlStore({ dsn: database.dsn, ...options })),
    async sql(text, values = []) {
      const [rows] = await database.admin.query(text, [...values]);
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
      await database.drop();
    },
  };
}

async function sqliteBench(): Promise<Workbench> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-store-'));
  const file = join(folder, 'deeper', 'flow.db');
  const stores: Store[] = [];
  return {
    open: (options) => remember(stores, openSqliteStore({ file, ...options })),
    async sql(text, values = []) {
      const database = new Libsql(file, { timeout: 5000 });
      try {
        const statement = database.prepare(text);
        if (statement.reader) return statement.all([...values]) as Record<string, unknown>[];
        statement.run([...values]);
        return [];
      } finally {
        database.close();
      }
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function remember(stores: Store[], store: Store): Store {
  stores.push(store);
  return store;
}
