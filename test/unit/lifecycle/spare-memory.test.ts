import { expect } from 'chai';
import { SpareMemory } from '../../../pkg/lifecycle/index.ts';

/** How often was collected while the process was so busy, one look after another. */
async function collections(parts: readonly number[]): Promise<number[]> {
  const left = [...parts];
  let collected = 0;
  const memory = new SpareMemory(
    () => left.shift() ?? 0,
    async () => {
      collected += 1;
    },
  );
  const after: number[] = [];
  for (const _ of parts) {
    await memory.look();
    after.push(collected);
  }
  return after;
}

describe('spare memory', () => {
  it('is collected once when a load is over, and not while it lasts', async () => {
    expect(await collections([0.6, 0.7, 0.01, 0.01, 0, 0, 0, 0, 0, 0, 0])).to.deep.equal([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
  });

  it('is collected again after the next load', async () => {
    expect(await collections([0.2, 0, 0, 0, 0, 0.2, 0, 0, 0, 0])).to.deep.equal([0, 0, 0, 0, 1, 1, 1, 1, 1, 2]);
  });

  it('is kept while loads come again and again', async () => {
    expect(await collections([0.2, 0, 0, 0, 0.2, 0, 0, 0, 0.2])).to.deep.equal([0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('is left alone where nothing was done', async () => {
    expect(await collections([0.01, 0.02, 0, 0, 0, 0])).to.deep.equal([0, 0, 0, 0, 0, 0]);
  });

  it('is that of this process, which needs no flag for it', async () => {
    expect(globalThis.gc).to.equal(undefined);
    let part = 1;
    const memory = new SpareMemory(() => part);
    await memory.look();
    let garbage: object | undefined = { of: 'a load' };
    const watched = new WeakRef(garbage);
    garbage = undefined;
    part = 0;
    // What a WeakRef was made for or asked for in this turn is kept until the next.
    await new Promise(setImmediate);
    for (let look = 0; look < 4; look++) await memory.look();
    expect(watched.deref()).to.equal(undefined);
    expect(globalThis.gc).to.equal(undefined);
  });
});
