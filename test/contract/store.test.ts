import { expect } from 'chai';
import { migrations } from '../../migrations/index.ts';
import { FlowError } from '../../pkg/error/index.ts';
import { openMysqlStore } from '../../pkg/store/index.ts';
import { failureOf } from '../support/failure.ts';
import { sampleActiveflow } from '../support/samples.ts';
import { eachDatabase, eachStore } from '../support/stores.ts';

const NAMES = Object.keys(migrations);
const NEWEST = NAMES.at(-1) ?? '';

eachStore('the store', (get) => {
  it('migrates once, and finds nothing to do afterwards', async () => {
    expect(await get().store.migrate()).to.deep.equal([]);
    await get().store.check();
  });

  it('goes on after a crash between a statement and its record, wherever that was', async () => {
    const { bench } = get();
    await bench.sql('delete from kysely_migration');
    expect(await bench.open().migrate()).to.deep.equal(NAMES);
    await bench.open().check();
  });

  it('takes one that has a lower number than those that it has', async () => {
    const { bench } = get();
    const name = NAMES.at(-3) ?? '';
    await bench.sql('delete from kysely_migration where name = ?', [name]);
    expect(await bench.open().migrate()).to.deep.equal([name]);
  });

  it('says what to do when the schema is behind', async () => {
    const { bench } = get();
    await bench.sql('delete from kysely_migration where name = ?', [NEWEST]);
    const failure = await failureOf(bench.open().check());
    expect(failure).to.be.instanceOf(FlowError);
    expect(failure.message).to.include(NEWEST).and.include('npm run migrate').and.include('--migrate');
    await bench.open().migrate();
    await bench.open().check();
  });

  it('is content with a schema that a newer release has taken further', async () => {
    const { bench } = get();
    await bench.sql(`insert into kysely_migration (name, timestamp) values ('9999_of_tomorrow', 'x')`);
    const store = bench.open();
    await store.check();
    expect(await store.migrate()).to.deep.equal([]);
    await bench.sql(`delete from kysely_migration where name = '9999_of_tomorrow'`);
  });

  it('knows how far the clocks are apart', async () => {
    expect(Math.abs(await get().store.clockOffset())).to.be.below(1000);
  });

  it('finishes what was asked of it before it closes, and takes no more', async () => {
    const store = get().bench.open();
    const activeflow = sampleActiveflow();
    await store.activeflows.create(activeflow);
    const commit = store.activeflows.commit({ next: { ...activeflow, revision: 2 }, variables_changed: false });
    await Promise.all([store.close(), store.close()]);
    expect(await commit).to.equal(true);
    expect((await get().store.activeflows.get(activeflow.id))?.revision).to.equal(2);
    const failure = await failureOf(store.activeflows.commit({ next: { ...activeflow, revision: 3 }, variables_changed: false }));
    expect(failure).to.include({ status: 'UNAVAILABLE' });
  });
});

eachDatabase('an empty database', (get) => {
  it('is migrated by one of several that try at once', async () => {
    const bench = get();
    const runs = await Promise.all([bench.open().migrate(), bench.open().migrate(), bench.open().migrate()]);
    expect(runs.flat()).to.deep.equal(NAMES);
    await bench.open().check();
  });
});

describe('the store without its database', () => {
  it('is unavailable at once, and shows no password', async () => {
    const store = openMysqlStore({ dsn: 'flow:s3cret@tcp(127.0.0.1:1)/flow' });
    const activeflow = sampleActiveflow();
    const asked = [
      store.check(),
      store.migrate(),
      store.flows.get(activeflow.id),
      store.activeflows.create(activeflow),
      store.activeflows.commit({ next: activeflow, variables_changed: true }),
      store.activeflows.commit({ next: activeflow, variables_changed: true, creates: [activeflow] }),
      store.events.claim(1, 1),
    ];
    for (const failure of await Promise.all(asked.map(failureOf))) {
      expect(failure).to.include({ status: 'UNAVAILABLE', reason: 'DATABASE_UNAVAILABLE' });
      expect(failure.message).to.include('127.0.0.1:1/flow').and.not.include('s3cret');
    }
    await store.close();
  });
});
