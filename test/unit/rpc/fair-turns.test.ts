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
  it('leave places free that one customer may not have, for others', async () => {
    const works = new Works();
    const turns = new FairTurns({ places: 3, each: 2 });
    const all = ['a', 'a', 'a', 'b'].map((customer, at) => turns.run(customer, works.work(`${customer}${at}`)));
    expect(works.begun).to.deep.equal(['a0', 'a1', 'b3']);
    await works.endOne();
    expect(works.begun).to.deep.equal(['a0', 'a1', 'b3', 'a2']);
    for (const _ of all) await works.endOne();
    await Promise.all(all);
  });

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

  it('hold back who asks most while others are there and the process cannot keep up, and nobody else', async () => {
    let now = 0;
    let busy = 0;
    const works = new Works();
    const turns = new FairTurns({ places: 16, each: 16, linger_ms: 100, hold_ms: 10_000, now: () => now, busy: () => busy });
    const run = (customer: string, count: number): void => {
      for (let at = 0; at < count; at++) void turns.run(customer, works.work(customer));
    };
    const begun = (customer: string): number => works.begun.filter((one) => one === customer).length;
    run('a', 10);
    run('b', 2);
    expect([begun('a'), begun('b')], 'while it keeps up').to.deep.equal([10, 2]);
    [now, busy] = [50, 1];
    run('b', 1);
    now = 99;
    run('a', 3);
    expect([begun('a'), begun('b')], 'more than half of what there is').to.deep.equal([10, 3]);
    for (let left = 2; left > 0; left--) await works.endOne();
    expect(begun('a'), 'still more').to.equal(10);
    await works.endOne();
    expect(begun('a'), 'less').to.equal(11);
    now = 100;
    run('b', 1);
    for (let left = 3; left > 0; left--) await works.endOne();
    expect([begun('a'), begun('b')], 'more than a quarter').to.deep.equal([11, 4]);
    busy = 0;
    now = 201;
    await works.endOne();
    expect(begun('a'), 'when nobody else was there for a while').to.equal(13);
  });

  it('let nobody have less than who asks next to most', async () => {
    let now = 0;
    const works = new Works();
    const turns = new FairTurns({ places: 64, linger_ms: 2_000, now: () => now, busy: () => 1 });
    const run = (customer: string, count: number): void => {
      for (let at = 0; at < count; at++) void turns.run(customer, works.work(customer));
    };
    run('b', 9);
    for (now = 50; now <= 1_000; now += 50) run('a', 1);
    // The tenth is there before it is seen that nobody asks for more.
    expect(works.begun.filter((one) => one === 'a')).to.have.lengthOf(10);
  });

  it('give the place of one that says that it waits to the next, and lose none by it', async () => {
    const works = new Works();
    const turns = new FairTurns({ places: 1 });
    const all = ['a0', 'a1', 'a2'].map((name) => turns.run('a', works.work(name), name));
    turns.release('a0');
    turns.release('a0');
    turns.release('nobody');
    await new Promise((resolve) => setImmediate(resolve));
    expect(works.begun).to.deep.equal(['a0', 'a1']);
    await works.endOne();
    expect(works.begun, 'the end of one that has left its place already').to.deep.equal(['a0', 'a1']);
    await works.endOne();
    await works.endOne();
    expect(await Promise.all(all)).to.deep.equal(['a0', 'a1', 'a2']);
  });

  it('take the place of one that is at it for too long', async () => {
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
