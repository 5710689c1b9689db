import { expect } from 'chai';
import { FairTurns } from '../../../pkg/rpc/fair-turns.ts';
import { FloodShare, LOOK_MS } from '../../../pkg/rpc/flood-share.ts';

/** A flood that begins as many as it may between two looks, one after another, and others that begin so many. */
class Flooded {
  /** How busy the process is when the flood has begun so many since the last look. */
  busy: (begun: number) => number = () => 1;
  #begun = 0;
  #now = 0;
  readonly #share = new FloodShare({ each: 64, linger_ms: 1_000, busy: () => this.busy(this.#begun) });

  /** How many the flood has begun in each of so many looks. */
  begun(looks: number, others: number): number[] {
    return Array.from({ length: looks }, () => {
      for (let at = 0; at < others; at++) this.#begin('others');
      let begun = 0;
      while (begun < 300 && this.#share.allows('flood', 1, this.#now)) {
        this.#begin('flood');
        begun += 1;
      }
      this.#begun = begun;
      this.#now += LOOK_MS;
      this.#share.look(this.#now, [
        ['others', 5],
        ['flood', 500],
      ]);
      return begun;
    });
  }

  #begin(customer: string): void {
    this.#share.came(customer, this.#now);
    this.#share.began(customer);
  }
}

describe('the share of a flood', () => {
  it('is all that it asks for while the process keeps up', () => {
    const flooded = new Flooded();
    flooded.busy = () => 0.5;
    expect(flooded.begun(4, 100)).to.deep.equal([300, 300, 300, 300]);
  });

  it('comes down to what the busiest of the others begins while the process does not keep up', () => {
    const begun = new Flooded().begun(14, 40);
    expect(begun[0]).to.equal(300);
    for (const then of begun.slice(8)) expect(then).to.be.within(30, 40);
  });

  it('goes up and down about what the process keeps up with where the others ask for little', () => {
    const flooded = new Flooded();
    flooded.busy = (begun) => Math.min(1, begun / 200);
    for (const begun of flooded.begun(20, 2).slice(6)) expect(begun).to.be.within(0.5 * 130, 1.25 * 130 + 1);
  });

  it('is a few where the others ask for next to nothing, and grows again as soon as the process keeps up', () => {
    const flooded = new Flooded();
    expect(flooded.begun(16, 1).at(-1)).to.equal(4);
    flooded.busy = () => 0;
    const growing = flooded.begun(24, 1);
    expect(growing.slice(0, 3)).to.deep.equal([4, 5, 7]);
    expect(growing.at(-1)).to.equal(300);
  });

  it('is waited for no longer than until the next look, though nothing comes or ends', async () => {
    const clock = { now: 0 };
    const turns = new FairTurns({ now: () => clock.now, busy: () => 1 });
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const held = Array.from({ length: 40 }, () => turns.run('flood', () => gate));
    for (; clock.now < 400; clock.now += LOOK_MS) await turns.run('others', async () => undefined);
    let begun = 0;
    const eight = new Promise<void>((resolve) => {
      const begins = async (): Promise<void> => {
        begun += 1;
        if (begun === 8) resolve();
      };
      for (let at = 0; at < 10; at++) void turns.run('flood', begins);
    });
    open();
    await Promise.all(held);
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun, 'until the next look').to.equal(4);
    clock.now += LOOK_MS;
    await eight;
  });
});
