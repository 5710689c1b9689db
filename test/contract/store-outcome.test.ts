/** What a commit answers when the connection breaks under it: true exactly when it is stored. */
import { expect } from 'chai';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Activeflow } from '../../pkg/model/activeflow.ts';
import type { Store } from '../../pkg/service/ports.ts';
import { openMysqlStore } from '../../pkg/store/index.ts';
import { createDatabase, hostOf, type TestDatabase, through } from '../support/database.ts';
import { failureOf } from '../support/failure.ts';
import { TcpProxy } from '../support/proxy.ts';
import { following, sampleActiveflow } from '../support/samples.ts';

describe('the outcome of a commit on MariaDB', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let proxy: TcpProxy;
  let store: Store;

  before(async () => {
    database = await createDatabase();
    proxy = await TcpProxy.to(hostOf(database.dsn));
    const direct = openMysqlStore({ dsn: database.dsn });
    await direct.migrate();
    await direct.close();
  });
  after(async () => {
    await proxy.close();
    await database.drop();
  });
  beforeEach(() => {
    // One connection for commits, so that a test knows what is in a batch.
    store = openMysqlStore({
      dsn: through(database.dsn, proxy.address),
      commit_connections: 1,
      timeout_ms: 3000,
      statement_ms: 2000,
    });
  });
  afterEach(() => store.close());

  async function stored(): Promise<Activeflow> {
    const activeflow = sampleActiveflow();
    await store.activeflows.create(activeflow);
    return activeflow;
  }

  const commitOf = (next: Activeflow, creates: readonly Activeflow[] = []): Promise<boolean> =>
    store.activeflows.commit({ next, variables_changed: true, creates });

  async function revisionOf({ id }: Activeflow): Promise<unknown> {
    const [rows] = await database.admin.query<RowDataPacket[]>('SELECT revision FROM activeflows WHERE id = ?', [id]);
    return rows[0]?.revision;
  }

  /**
   * Holds the row while statements on it arrive and, `during`, their connection breaks; then lets go. Resolves once the
   * row is held: a commit that were sent before could be through already, and nothing would ever wait.
   */
  async function holding(row: Activeflow, during: () => Promise<void> | void): Promise<{ readonly released: Promise<void> }> {
    const { admin } = database;
    await admin.query('BEGIN');
    await admin.query('SELECT id FROM activeflows WHERE id = ? FOR UPDATE', [row.id]);
    const release = async (): Promise<void> => {
      await untilWaiting(admin, database.name);
      await during();
      await admin.query('COMMIT');
    };
    return { released: release() };
  }

  it('is won when the server goes on with it after the connection was lost', async () => {
    const row = await stored();
    const { released } = await holding(row, () => proxy.reset());
    expect(await commitOf(following(row))).to.equal(true);
    await released;
    expect(await revisionOf(row)).to.equal(2);
  });

  it('is lost when another got through meanwhile', async () => {
    const row = await stored();
    const { released } = await holding(row, async () => {
      proxy.reset();
      await database.admin.query('UPDATE activeflows SET revision = 2, tokens = CONCAT(REPEAT("x", 15), tokens) WHERE id = ?', [
        row.id,
      ]);
    });
    expect(await commitOf(following(row))).to.equal(false);
    await released;
    expect(await revisionOf(row)).to.equal(2);
  });

  it('is told for each commit of a batch', async () => {
    const rows = await Promise.all(Array.from({ length: 8 }, stored));
    const [first, ...others] = rows;
    if (!first) throw new Error('no rows');
    const { released } = await holding(first, () => proxy.reset());
    const losing = others[3];
    const results = await Promise.all([
      commitOf(following(first)),
      ...others.map((row) => commitOf(row === losing ? { ...row, revision: 9 } : following(row))),
    ]);
    await released;
    expect(results).to.deep.equal(rows.map((row) => row !== losing));
    for (const row of rows) expect(await revisionOf(row)).to.equal(row === losing ? 1 : 2);
  });

  it('is won when its parent, child and all were stored before the connection was lost', async () => {
    const row = await stored();
    const child = sampleActiveflow();
    const { released } = await holding(row, () => proxy.reset());
    expect(await commitOf(following(row, { status: 'ended' }), [child])).to.equal(true);
    await released;
    expect([await revisionOf(row), await revisionOf(child)]).to.deep.equal([2, 1]);
  });

  it('is an error when the database stays away, and not before it may be known', async () => {
    const row = await stored();
    await commitOf(following(row));
    const { released } = await holding(row, () => proxy.down());
    const began = performance.now();
    expect(await failureOf(commitOf({ ...row, revision: 3 }))).to.include({
      status: 'UNAVAILABLE',
      reason: 'DATABASE_UNAVAILABLE',
    });
    expect(performance.now() - began).to.be.within(1500, 5000);
    await released;
    // Nothing of this one was sent: it is told at once.
    const again = performance.now();
    expect(await failureOf(commitOf({ ...row, revision: 3 }))).to.include({ status: 'UNAVAILABLE' });
    expect(performance.now() - again).to.be.below(1000);
    await proxy.up();
    expect(await store.activeflows.get(row.id)).to.include({ id: row.id });
  });

  it('is found out when the server answers nothing for a while', async () => {
    const row = await stored();
    await commitOf(following(row));
    proxy.blackhole(true);
    const commit = commitOf({ ...row, revision: 3 });
    const read = failureOf(store.activeflows.get(row.id));
    expect(await read).to.include({ status: 'UNAVAILABLE' });
    proxy.blackhole(false);
    expect(await commit).to.equal(true);
    expect(await revisionOf(row)).to.equal(3);
  });

  it('is true for what is stored, and only for that, while connections are killed', async () => {
    const many = openMysqlStore({ dsn: database.dsn });
    const rows = await Promise.all(Array.from({ length: 40 }, stored));
    let running = true;
    const killing = killConnections(database, () => running);
    await Promise.all(
      rows.map(async (row) => {
        for (let revision = 2; revision <= 40; revision += 1) {
          const next = { ...row, revision, variables: { revision } };
          // Each row has one writer, so that a commit cannot be lost to another.
          expect(await many.activeflows.commit({ next, variables_changed: true })).to.equal(true);
        }
      }),
    );
    running = false;
    expect(await killing).to.be.above(5);
    for (const row of rows) expect(await revisionOf(row)).to.equal(40);
    await many.close();
  });
});

/** Until an UPDATE of the store has arrived: it can only be waiting for the lock that the admin holds. */
async function untilWaiting(admin: Connection, name: string): Promise<void> {
  for (;;) {
    const [rows] = await admin.query<RowDataPacket[]>(
      "SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID() AND info LIKE 'UPDATE%'",
      [name],
    );
    if (rows.length > 0) return;
  }
}

/** Kills every connection to the database but the admin's, again and again. Returns how many. */
async function killConnections(database: TestDatabase, running: () => boolean): Promise<number> {
  let killed = 0;
  while (running()) {
    const [rows] = await database.admin.query<RowDataPacket[]>(
      'SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()',
      [database.name],
    );
    for (const { id } of rows) {
      // It may have gone by itself meanwhile: error 1094.
      await database.admin.query('KILL ?', [id]).catch((error: unknown) => {
        if (!(error instanceof Error && 'errno' in error && error.errno === 1094)) throw error;
      });
      killed += 1;
    }
    await database.admin.query('SELECT SLEEP(0.03)');
  }
  return killed;
}
