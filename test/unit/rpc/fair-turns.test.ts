import { expect } from 'chai';
import { FairTurns } from '../../../pkg/rpc/fair-turns.ts';

/** Work that ends when it is told to. */
class Works {
  readonly begun: string[] = [];
  readonly #ends: (() => void)[] = [];

  work(name: string): () => Promise<string> {
    return async () => {
      this.begun.push(name);
      await new Promise<void>((resolve) => this.#ends.push(resolve));
      return name;
    };
  }

  /** Ends the one that began first, and lets all that this sets off happen. */
  async endOne(): Promise<void> {
    this.#ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('fair turns', () => {
  it('make nobody wait while there are places', async () => {
    const works = new Works();
    const turns = new FairTurns({ places: 3 });
    const all = ['a', 'a', 'b'].map((customer, at) => turns.run(customer, works.work(`${customer}${at}`)));
    expect(works.begun).to.deep.equal(['a0', 'a1', 'b2']);
    for (const _ of all) await works.endOne();
    expect(await Promise.all(all)).to.deep.equal(['a0', 'a1', 'b2']);
  });

  it('go from customer to customer, however many of one wait', async () => {
    const works = new Works();
    const turns = new FairTurns({ places: 2 });
    for (const name of ['a0', 'a1', 'a2', 'a3', 'a4', 'b0', 'b1', 'c0']) {
      void turns.run(name.slice(0, 1), works.work(name));
    }
    expect(works.begun).to.deep.equal(['a0', 'a1']);
    for (let left = 8; left > 0; left--) await works.endOne();
    expect(works.begun).to.deep.equal(['a0', 'a1', 'a2', 'b0', 'c0', 'a3', 'b1', 'a4']);
  });

  it('never let more work than there are places, and let work that failed free its own', async () => {
    const turns = new FairTurns({ places: 4 });
    let working = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      working += 1;
      most = Math.max(most, working);
      await new Promise((resolve) => setImmediate(resolve));
      working -= 1;
      throw new Error('failed');
    };
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, at) => turns.run(`${at % 3}`, work)));
    expect(outcomes.every(({ status }) => status === 'rejected')).to.equal(true);
    expect(most).to.equal(4);
  });

  it('take the place of one that waits for somebody else', async () => {
    let now = 0;
    const works = new Works();
    const turns = new FairTurns({ places: 1, hold_ms: 1, now: () => now });
    void turns.run('a', works.work('a0'));
    const second = turns.run('b', works.work('b0'));
    expect(works.begun).to.deep.equal(['a0']);
    now = 2;
    // Whoever asks then finds the place free; the clock of the one that waits finds it too.
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(works.begun).to.deep.equal(['a0', 'b0']);
    await works.endOne();
    await works.endOne();
    expect(await second).to.equal('b0');
  });
});
