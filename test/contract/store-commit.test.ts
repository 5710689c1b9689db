import { expect } from 'chai';
import type { Activeflow } from '../../pkg/model/activeflow.ts';
import type { Store } from '../../pkg/service/ports.ts';
import { commitToRow } from '../../pkg/store/activeflow-row.ts';
import { mysqlBatch } from '../../pkg/store/commit-sql.ts';
import { mysqlDialect } from '../../pkg/store/dialect.ts';
import { openMysqlStore } from '../../pkg/store/index.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { following, linesOf, sampleActiveflow, sampleState, sampleTraceStep } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

const TIME = '2026-11-21T08:45:10.947195Z';

async function stored(store: Store, changes: Partial<Activeflow> = {}): Promise<Activeflow> {
  const activeflow = sampleActiveflow(changes);
  expect(await store.activeflows.create(activeflow)).to.equal(true);
  return activeflow;
}

/** Another one in every column, and without one here and there. */
function varied(row: Activeflow, n: number, round: number): Activeflow {
  const ended = (n + round) % 6 === 0;
  const at = (of: number): string | null =>
    (n + round) % of === 0 ? null : `2126-11-21T08:${String(10 + n)}:1${round}.00000${of}Z`;
  const own = `${'ö\u{1F44B}'.repeat(n * 20)} \\ ' ${n}.${round}`;
  const events = (n + round) % 4 === 0 ? [] : [{ seq: 2 + round, type: 'activeflow_updated' } as const];
  return following(row, {
    revision: row.revision + round + 1,
    status: ended ? 'ended' : 'running',
    state: sampleState({ step: n, loops: { [own]: n } }),
    outbox: { events, trace: linesOf(sampleTraceStep(round + 1, own)) },
    // Who has a deadline is looked at by then at the latest.
    wake_at: ended ? null : (at(2) ?? at(3)),
    deadline_at: ended || at(2) ? null : at(3),
    tm_update: at(5),
    tm_delete: at(7),
  });
}

function commitOf(store: Store, next: Activeflow, variables_changed = true): Promise<boolean> {
  return store.activeflows.commit({ next, variables_changed });
}

eachStore('commits', (get) => {
  it('writes all that changes, and nothing that does not', async () => {
    const { store } = get();
    const first = await stored(store, { create_key: 'of commits' });
    const next = following(first, {
      status: 'running',
      state: sampleState({ step: 4, run: { kind: 'next', asked: first.id, key: 'k', steps: 2, stage: 'walking' } }),
      variables: { a: 'ä', b: [1] },
      outbox: { events: [{ seq: 2, type: 'activeflow_updated' }], trace: linesOf(sampleTraceStep(2)) },
      tm_update: TIME,
      tm_delete: '2026-11-21T08:45:11.000001Z',
      wake_at: '2126-11-21T08:45:10.000001Z',
      deadline_at: '2126-11-22T08:45:10.000001Z',
    });
    expect(await commitOf(store, next)).to.equal(true);
    expect(await store.activeflows.get(first.id)).to.deep.equal(next);
    const third = following(next, { tm_update: null, tm_delete: null, wake_at: null, deadline_at: null, variables: {} });
    expect(await commitOf(store, third, false)).to.equal(true);
    expect(await store.activeflows.get(first.id)).to.deep.equal({ ...third, variables: next.variables });
  });

  it('leaves out what has been moved on by the time that it is written', async () => {
    const { store } = get();
    const first = await stored(store);
    const steps = [1, 2, 3].map((seq) => sampleTraceStep(seq));
    const events = [2, 3].map((seq) => ({ seq, type: 'activeflow_updated' }) as const);
    const next = following(first, { outbox: { events, trace: steps.flatMap((step) => linesOf(step)) } });
    let moved = { event_seq: 0, trace_seq: 0 };
    const won = store.activeflows.commit({ next, variables_changed: false, moved: () => moved });
    moved = { event_seq: 2, trace_seq: 2 };
    expect(await won).to.equal(true);
    const outbox = { events: events.slice(1), trace: linesOf(...steps.slice(2)) };
    expect((await store.activeflows.get(first.id))?.outbox).to.deep.equal(outbox);
  });

  it('refuses what was decided on another revision, or on a row that is not there', async () => {
    const { store } = get();
    const first = await stored(store);
    expect(await commitOf(store, { ...first, revision: 1 })).to.equal(false);
    expect(await commitOf(store, { ...first, revision: 3 })).to.equal(false);
    expect(await commitOf(store, following(sampleActiveflow()))).to.equal(false);
    expect(await store.activeflows.get(first.id)).to.deep.equal(first);
  });

  it('lets exactly one of 50 win each revision', async () => {
    const { store, bench } = get();
    const first = await stored(store);
    const stores = [store, bench.open(), bench.open()];
    let wins = 0;
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const own = stores[n % stores.length] ?? store;
        for (let round = 0; round < 5; round += 1) {
          const now = await own.activeflows.get(first.id);
          if (!now) throw new Error('the row is gone');
          if (await commitOf(own, following(now, { variables: { ...now.variables, [`by ${n}.${round}`]: true } }))) wins += 1;
        }
      }),
    );
    const last = await store.activeflows.get(first.id);
    expect(wins).to.be.above(4);
    expect(last?.revision).to.equal(1 + wins);
    // Nobody's win was overwritten by another's.
    expect(Object.keys(last?.variables ?? {})).to.have.lengthOf(1 + wins);
  });

  it('writes 200 at once, each to its own row', async () => {
    const { store } = get();
    const rows = await Promise.all(Array.from({ length: 200 }, () => stored(store)));
    for (let round = 2; round <= 4; round += 1) {
      const won = await Promise.all(
        rows.map((row, n) =>
          commitOf(store, { ...row, revision: round, variables: { n, round, text: `'${'\u{1F44B}'.repeat(n)}` } }, n % 2 === 0),
        ),
      );
      expect(won.every((one) => one)).to.equal(true);
    }
    const read = await Promise.all(rows.map((row) => store.activeflows.get(row.id)));
    for (const [n, row] of read.entries()) {
      expect(row?.revision).to.equal(4);
      expect(row?.variables).to.deep.equal(n % 2 === 0 ? { n, round: 4, text: `'${'\u{1F44B}'.repeat(n)}` } : rows[n]?.variables);
    }
  });

  it('gives each row of a batch its own in every column, and null where it has none', async () => {
    const { store } = get();
    const rows = await Promise.all(Array.from({ length: 40 }, () => stored(store, { variables: { kept: true } })));
    for (let round = 0; round < 3; round += 1) {
      const next = rows.map((row, n) => varied(row, n, round));
      const won = await Promise.all(next.map((row) => commitOf(store, row, false)));
      expect(new Set(won)).to.deep.equal(new Set([true]));
      expect(await Promise.all(rows.map((row) => store.activeflows.get(row.id)))).to.deep.equal(next);
    }
  });

  it('tells winners from losers of one batch', async () => {
    const { store, bench } = get();
    const rows = await Promise.all(Array.from({ length: 60 }, () => stored(store)));
    const other = bench.open();
    for (const [n, row] of rows.entries()) if (n % 3 === 0) await commitOf(other, following(row, { tm_update: TIME }));
    const won = await Promise.all(rows.map((row) => commitOf(store, following(row))));
    expect(won).to.deep.equal(rows.map((_, n) => n % 3 !== 0));
    for (const [n, row] of rows.entries()) {
      expect((await store.activeflows.get(row.id))?.tm_update).to.equal(n % 3 === 0 ? TIME : null);
    }
  });

  it('decides between two that were made from one revision and asked for together', async () => {
    const { store } = get();
    const rows = await Promise.all(Array.from({ length: 20 }, () => stored(store)));
    const pairs = rows.flatMap((row) => [commitOf(store, following(row)), commitOf(store, following(row))]);
    const won = await Promise.all(pairs);
    for (const [n] of rows.entries()) expect([won[2 * n], won[2 * n + 1]]).to.have.members([true, false]);
  });

  it('writes rows in batches of any size', async () => {
    const { store, bench } = get();
    const few = bench.open({ batch_rows: 3 });
    const rows = await Promise.all(Array.from({ length: 20 }, () => stored(store, { variables: { text: 'x'.repeat(200_000) } })));
    expect(new Set(await Promise.all(rows.map((row) => commitOf(few, following(row)))))).to.deep.equal(new Set([true]));
    expect(new Set(await Promise.all(rows.map((row) => commitOf(store, following(following(row))))))).to.deep.equal(
      new Set([true]),
    );
  });

  it('makes a child with the commit that ends its parent, or neither', async () => {
    const { store } = get();
    const parent = await stored(store);
    const child = sampleActiveflow({
      reference_activeflow_id: parent.id,
      outbox: { events: [{ seq: 1, type: 'activeflow_created' }], trace: [] },
    });
    const ended = following(parent, { status: 'ended' });
    const change = { next: ended, variables_changed: true, creates: [child] };

    expect(await store.activeflows.commit({ ...change, next: { ...ended, revision: 7 } })).to.equal(false);
    expect(await store.activeflows.get(child.id)).to.equal(undefined);

    const sibling = sampleActiveflow({ id: child.id.toUpperCase() });
    const taken = await stored(store);
    expect(await store.activeflows.commit({ ...change, creates: [sibling, { ...child, id: taken.id }] })).to.equal(false);
    expect(await store.activeflows.get(sibling.id)).to.equal(undefined);
    expect(await store.activeflows.get(parent.id)).to.deep.equal(parent);

    expect(await store.activeflows.commit(change)).to.equal(true);
    expect(await store.activeflows.get(child.id)).to.deep.equal(child);
    expect(await store.activeflows.get(parent.id)).to.deep.equal(ended);
    expect(await store.activeflows.commit(change)).to.equal(false);
  });
});

/** Runs a test on a migrated store in a database of its own. */
async function onMariadb(
  options: Pick<Parameters<typeof openMysqlStore>[0], 'onBatchRefused'>,
  test: (store: Store, admin: TestDatabase['admin']) => Promise<void>,
): Promise<void> {
  const database = await createDatabase();
  const store = openMysqlStore({ dsn: database.dsn, ...options });
  try {
    await store.migrate();
    await test(store, database.admin);
  } finally {
    await store.close();
    await database.drop();
  }
}

describe('commits on MariaDB alone', () => {
  it('are written alike by the statement for MySQL, whose values are text in it', () =>
    onMariadb({}, async (store, admin) => {
      const rows = await Promise.all(Array.from({ length: 20 }, () => stored(store, { variables: { kept: true } })));
      const next = rows.map((row, n) => varied(row, n, 0));
      const batch = next.map((row) => commitToRow(mysqlDialect, { next: row, variables_changed: false }, 'of the test'));
      await admin.query("SET SESSION time_zone = '+00:00'");
      const { sql, values } = mysqlBatch(batch);
      await admin.query(sql, values);
      expect(await Promise.all(rows.map((row) => store.activeflows.get(row.id)))).to.deep.equal(next);
    }));

  it('are written one by one when the server does not take them together, and that is told once', async () => {
    const told: string[] = [];
    await onMariadb({ onBatchRefused: (_where, error) => told.push(error) }, async (store, admin) => {
      const rows = await Promise.all(Array.from({ length: 30 }, () => stored(store)));
      await admin.query(`CREATE TRIGGER no_third BEFORE UPDATE ON activeflows FOR EACH ROW
        IF NEW.id = '${rows[3]?.id}' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this one'; END IF`);
      for (let round = 0; round < 2; round += 1) {
        const next = rows.map((row, n) =>
          following(row, { revision: row.revision + (n === 3 ? 0 : round) + 1, variables: { round } }),
        );
        const won = await Promise.allSettled(next.map((row) => commitOf(store, row)));
        expect(won.map(({ status }) => status)).to.deep.equal(rows.map((_, n) => (n === 3 ? 'rejected' : 'fulfilled')));
        const read = await Promise.all(rows.map((row) => store.activeflows.get(row.id)));
        expect(read).to.deep.equal(next.map((row, n) => (n === 3 ? rows[3] : row)));
      }
      expect(told).to.deep.equal(['not this one']);
    });
  });
});
