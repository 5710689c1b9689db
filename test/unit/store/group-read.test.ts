import { expect } from 'chai';
import { GroupRead } from '../../../pkg/store/group-read.ts';
import { failureOf } from '../../support/failure.ts';

interface Row {
  readonly id: string;
}

/** Statements that are answered when they are told to. */
function held() {
  const asked: {
    readonly ids: readonly string[];
    readonly answer: (rows: readonly Row[]) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const reads = new GroupRead<Row>((ids) => new Promise((answer, fail) => asked.push({ ids, answer, fail })));
  return { asked, reads };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('GroupRead', () => {
  it('sends a lone read at once, and what is asked for in one turn together', async () => {
    const { asked, reads } = held();
    const found = Promise.all([reads.get('a'), reads.get('b'), reads.get('a')]);
    await turn();
    expect(asked.map(({ ids }) => ids)).to.deep.equal([['a', 'b']]);
    asked[0]?.answer([{ id: 'b' }]);
    expect(await found).to.deep.equal([undefined, { id: 'b' }, undefined]);
  });

  it('lets what is asked for meanwhile share the next statement, and reads anew what is under way already', async () => {
    const { asked, reads } = held();
    for (const id of ['a', 'b']) {
      void reads.get(id);
      await turn();
    }
    const later = Promise.all(['a', 'c', 'd'].map((id) => reads.get(id)));
    await turn();
    expect(asked).to.have.lengthOf(2);
    asked[1]?.answer([]);
    await turn();
    expect(asked[2]?.ids).to.deep.equal(['a', 'c', 'd']);
    asked[2]?.answer([{ id: 'a' }]);
    expect(await later).to.deep.equal([{ id: 'a' }, undefined, undefined]);
  });

  it('fails who shares a statement that failed, and nobody else', async () => {
    const { asked, reads } = held();
    const failed = failureOf(reads.get('a'));
    await turn();
    const fine = reads.get('b');
    await turn();
    asked[0]?.fail(new Error('gone'));
    asked[1]?.answer([{ id: 'b' }]);
    expect(await failed).to.have.property('message', 'gone');
    expect(await fine).to.deep.equal({ id: 'b' });
  });

  it('asks for no more than 100 at once', async () => {
    const { asked, reads } = held();
    const all = Promise.all(Array.from({ length: 250 }, (_, at) => reads.get(`${at}`)));
    await turn();
    expect(asked.map(({ ids }) => ids.length)).to.deep.equal([100, 100]);
    asked[0]?.answer([]);
    await turn();
    expect(asked[2]?.ids).to.have.lengthOf(50);
    for (const { answer } of asked.slice(1)) answer([]);
    expect(await all).to.have.lengthOf(250);
  });
});
