import { expect } from 'chai';
import { eachStore } from '../support/stores.ts';

eachStore('redeliveries', (get) => {
  it('are counted for each message by itself', async () => {
    const { redeliveries } = get().store;
    expect(await redeliveries.count('a')).to.equal(1);
    expect(await redeliveries.count('a')).to.equal(2);
    expect(await redeliveries.count('A')).to.equal(1);
    expect(await redeliveries.count('a')).to.equal(3);
    expect(await redeliveries.first('a')).to.equal(false);
    expect(await redeliveries.first('b')).to.equal(true);
    expect(await redeliveries.count('b')).to.equal(2);
  });

  it('are not lost when processes count at once', async () => {
    const { store, bench } = get();
    const other = bench.open();
    const counts = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? store : other).redeliveries.count('shared')),
    );
    expect(Math.max(...counts)).to.equal(20);
  });
});
