import { expect } from 'chai';
import type { CommitRow } from '../../../pkg/store/activeflow-row.ts';
import { type CommitLane, type CommitResult, GroupCommit } from '../../../pkg/store/group-commit.ts';
import { failureOf } from '../../support/failure.ts';
import { eventually } from '../../support/inbox.ts';

/** A lane that writes when it is told to. */
class HeldLane implements CommitLane {
  readonly batches: { readonly rows: readonly CommitRow[]; readonly done: (results?: CommitResult[]) => void }[] = [];
  closed = false;

  write(rows: readonly CommitRow[]): Promise<readonly CommitResult[]> {
    return new Promise((resolve) => {
      this.batches.push({ rows, done: (results) => resolve(results ?? rows.map(() => true)) });
    });
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** Ids of the batches so far. */
  get ids(): string[][] {
    return this.batches.map(({ rows }) => rows.map((row) => row.id));
  }
}

function commit(id: string, revision = 2, bytes = 100): CommitRow {
  return {
    id,
    revision,
    bytes,
    token: `${id}${revision}`,
    status: 'running',
    state: '',
    variables: null,
    outbox: '',
    unsettled: 0,
    has_run: 0,
    wake_at: null,
    deadline_at: null,
    tm_update: null,
    tm_delete: null,
  };
}

function ask(commits: GroupCommit, row: CommitRow): Promise<boolean> {
  return commits.commit(row.id, () => row);
}

const LIMITS = { rows: 3, bytes: 1000 };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('GroupCommit', () => {
  it('sends a lone commit at once, and what is asked for in one turn together, in the order of ids', async () => {
    const lane = new HeldLane();
    const commits = new GroupCommit([lane], LIMITS);
    const results = Promise.all([ask(commits, commit('b')), ask(commits, commit('a'))]);
    await turn();
    expect(lane.ids).to.deep.equal([['a', 'b']]);
    lane.batches[0]?.done([false, true]);
    expect(await results).to.deep.equal([true, false]);
  });

  it('lets what arrives meanwhile share the next batch, up to the limits, oldest first', async () => {
    const lane = new HeldLane();
    const commits = new GroupCommit([lane], LIMITS);
    const all = [ask(commits, commit('x'))];
    await turn();
    for (const id of ['e', 'd', 'c', 'b']) all.push(ask(commits, commit(id)));
    all.push(ask(commits, commit('a', 2, 990)), ask(commits, commit('z', 2, 5000)), ask(commits, commit('y', 2, 20)));
    for (let n = 0; n < 5; n += 1) {
      await turn();
      lane.batches[n]?.done();
    }
    await Promise.all(all);
    expect(lane.ids).to.deep.equal([['x'], ['c', 'd', 'e'], ['b', 'y'], ['a'], ['z']]);
  });

  it('never has two commits of one activeflow under way, on any lane, and keeps their order', async () => {
    const lanes = [new HeldLane(), new HeldLane()];
    const commits = new GroupCommit(lanes, { ...LIMITS, patience_ms: 0 });
    const first = ask(commits, commit('a', 2));
    await turn();
    const second = ask(commits, commit('a', 3));
    const third = ask(commits, commit('a', 4));
    const other = ask(commits, commit('b', 2));
    await turn();
    const [busy, idle] = lanes[0]?.batches[0]?.rows[0]?.id === 'a' ? lanes : [...lanes].reverse();
    expect(idle?.ids).to.deep.equal([['b']]);
    idle?.batches[0]?.done();
    await other;
    await turn();
    expect(idle?.batches.length).to.equal(1);
    busy?.batches[0]?.done();
    await first;
    await turn();
    const revisions = () =>
      lanes.flatMap((lane) => lane.batches.flatMap(({ rows }) => rows.map((row) => `${row.id}${row.revision}`)));
    expect(revisions()).to.include('a3').and.not.include('a4');
    for (const lane of lanes) lane.batches.at(-1)?.done();
    await second;
    await turn();
    expect(revisions()).to.include('a4');
    for (const lane of lanes) lane.batches.at(-1)?.done();
    expect(await third).to.equal(true);
  });

  it('waits for the commit that is under way, and goes beside one that is held up', async () => {
    const lanes = [new HeldLane(), new HeldLane()];
    const commits = new GroupCommit(lanes, { ...LIMITS, patience_ms: 5 });
    const begun = (): string[][] => lanes.flatMap((lane) => lane.ids);
    const first = ask(commits, commit('a'));
    await turn();
    const second = ask(commits, commit('b'));
    await turn();
    expect(begun()).to.deep.equal([['a']]);
    await eventually('the second goes', () => begun().length === 2);
    for (const lane of lanes) lane.batches[0]?.done();
    expect(await Promise.all([first, second])).to.deep.equal([true, true]);
  });

  it('gives each its own result, errors too', async () => {
    const lane = new HeldLane();
    const commits = new GroupCommit([lane], LIMITS);
    const results = ['a', 'b', 'c'].map((id) => ask(commits, commit(id)));
    const failure = failureOf(results[1] ?? Promise.resolve());
    await turn();
    lane.batches[0]?.done([true, new Error('of b'), false]);
    expect([await results[0], (await failure).message, await results[2]]).to.deep.equal([true, 'of b', false]);
  });

  it('writes a commit out when its batch is put together, and once', async () => {
    const lane = new HeldLane();
    const commits = new GroupCommit([lane], LIMITS);
    const written: string[] = [];
    const late = (id: string, bytes: number): Promise<boolean> =>
      commits.commit(id, () => {
        written.push(id);
        return commit(id, 2, bytes);
      });
    const results = [late('a', 100)];
    await turn();
    results.push(late('b', 600), late('c', 600));
    await turn();
    expect(written).to.deep.equal(['a']);
    lane.batches[0]?.done();
    await turn();
    lane.batches[1]?.done();
    await turn();
    lane.batches[2]?.done();
    await Promise.all(results);
    expect(written).to.deep.equal(['a', 'b', 'c']);
    expect(lane.ids).to.deep.equal([['a'], ['b'], ['c']]);
  });

  it('fails one that cannot be written out by itself, and closes all the same', async () => {
    const lane = new HeldLane();
    const commits = new GroupCommit([lane], LIMITS);
    const refused = (): never => {
      throw new Error('too large');
    };
    const failures = ['a', 'b'].map((id) => failureOf(commits.commit(id, refused)));
    const good = ask(commits, commit('c'));
    await turn();
    lane.batches[0]?.done();
    expect(await good).to.equal(true);
    failures.push(failureOf(commits.commit('d', refused)));
    await commits.close();
    expect((await Promise.all(failures)).map((error) => error.message)).to.deep.equal(['too large', 'too large', 'too large']);
    expect(lane.ids).to.deep.equal([['c']]);
  });

  it('closes when all that was asked for is written, and not before', async () => {
    const lane = new HeldLane();
    const commits = new GroupCommit([lane], LIMITS);
    const results = [ask(commits, commit('a')), ask(commits, commit('a', 3))];
    const closing = commits.close();
    const late = failureOf(ask(commits, commit('b')));
    await turn();
    expect([lane.ids, lane.closed]).to.deep.equal([[['a']], false]);
    lane.batches[0]?.done();
    await turn();
    expect(lane.closed).to.equal(false);
    lane.batches[1]?.done();
    await closing;
    expect([await Promise.all(results), lane.closed]).to.deep.equal([[true, true], true]);
    expect(await late).to.include({ status: 'UNAVAILABLE' });
  });

  it('closes at once when there is nothing to write', async () => {
    const lane = new HeldLane();
    const commits = new GroupCommit([lane, new HeldLane()], LIMITS);
    await commits.close();
    expect(lane.closed).to.equal(true);
    expect(await failureOf(ask(commits, commit('a')))).to.include({ status: 'UNAVAILABLE' });
  });
});
