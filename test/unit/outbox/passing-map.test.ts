import { expect } from 'chai';
import { PassingMap } from '../../../pkg/outbox/passing-map.ts';

describe('PassingMap', () => {
  it('keeps what is there, and nothing else, however much comes and goes', () => {
    const map = new PassingMap<number, string>();
    const there = new Map<number, string>();
    for (let turn = 0; turn < 5_000; turn += 1) {
      const key = (turn * 7_919) % 300;
      if (turn % 3 === 0) {
        map.delete(key);
        there.delete(key);
      } else {
        map.set(key, `${turn}`);
        there.set(key, `${turn}`);
      }
      expect(map.size).to.equal(there.size);
    }
    for (let key = 0; key < 300; key += 1) {
      expect(map.has(key)).to.equal(there.has(key));
      expect(map.get(key)).to.equal(there.get(key));
    }
  });

  it('is empty once it was cleared, and takes more afterwards', () => {
    const map = new PassingMap<string, number>();
    map.set('a', 1);
    map.clear();
    expect(map.size).to.equal(0);
    expect(map.get('a')).to.equal(undefined);
    map.set('b', 2);
    expect(map.get('b')).to.equal(2);
  });
});
