/** One suite for the Cache port, run on Redis and in the process; then what only a server can do to it. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { MemoryCache, RedisCache } from '../../pkg/cache/index.ts';
import type { Cache } from '../../pkg/service/ports.ts';
import { eventually, Inbox } from '../support/inbox.ts';
import { TcpProxy } from '../support/proxy.ts';
import { QuietLog } from '../support/quiet_log.ts';
import { services } from '../support/services.ts';

async function redis(addr: string, log = new QuietLog(), password = ''): Promise<RedisCache> {
  const cache = new RedisCache({ addr, db: 1, password, tls: false, log, prefix: `test:${randomUUID()}:` });
  return cache;
}

/** Awaits the first connection, which the service itself never does. */
async function connected(cache: Cache): Promise<void> {
  await eventually('Redis answers', () =>
    cache.check().then(
      () => true,
      () => false,
    ),
  );
}

const adapters = {
  Redis: async (): Promise<Cache> => redis((await services()).redis),
  'in process': async (): Promise<Cache> => new MemoryCache({ log: new QuietLog() }),
};

for (const [name, make] of Object.entries(adapters)) {
  describe(`cache: ${name}`, () => {
    let cache: Cache;

    before(async function () {
      this.timeout(60_000);
      cache = await make();
      await connected(cache);
    });

    after(() => cache.close());

    it('finds what was set, and nothing else', async () => {
      expect(await cache.get('nothing')).to.equal(undefined);
      await cache.set('a', 'äöü 📞', 60_000);
      await cache.set('empty', '', 60_000);
      expect(await cache.get('a')).to.equal('äöü 📞');
      expect(await cache.get('A')).to.equal(undefined);
      expect(await cache.get('empty')).to.equal('');
      await cache.set('a', 'other', 60_000);
      expect(await cache.get('a')).to.equal('other');
    });

    it('forgets what was deleted, and may be told twice', async () => {
      await cache.set('gone', '1', 60_000);
      await cache.delete('gone');
      await cache.delete('gone');
      expect(await cache.get('gone')).to.equal(undefined);
    });

    it('forgets after the time given, and at once what has none', async () => {
      await cache.set('short', '1', 40);
      await cache.set('none', '1', 60_000);
      await cache.set('none', '2', 0);
      await cache.set('fraction', '1', 60_000.5);
      expect(await cache.get('short')).to.equal('1');
      expect(await cache.get('none')).to.equal(undefined);
      expect(await cache.get('fraction')).to.equal('1');
      await eventually('it is forgotten', async () => (await cache.get('short')) === undefined, 2_000);
    });

    it('tells every listener of a channel, in order, and no other', async () => {
      const first = new Inbox<string>();
      const second = new Inbox<string>();
      const other = new Inbox<string>();
      await cache.subscribe('channel', first.push);
      await cache.subscribe('channel', second.push);
      await cache.subscribe('other', other.push);
      for (const message of ['1', '2', '3 📞']) await cache.publish('channel', message);
      await cache.publish('nobody', 'x');
      expect(await first.first(3)).to.deep.equal(['1', '2', '3 📞']);
      expect(await second.first(3)).to.deep.equal(['1', '2', '3 📞']);
      await cache.publish('other', 'y');
      expect(await other.at(0)).to.equal('y');
      expect(other.items).to.deep.equal(['y']);
    });

    it('tells a listener nothing once it has left, and the others still', async () => {
      const leaving = new Inbox<string>();
      const staying = new Inbox<string>();
      const leave = await cache.subscribe('leave', leaving.push);
      const leaveTwin = await cache.subscribe('leave', leaving.push);
      await cache.subscribe('leave', staying.push);
      await leave();
      await leave();
      await cache.publish('leave', 'one');
      await staying.first(1);
      expect(leaving.items).to.deep.equal(['one']);
      await leaveTwin();
      await cache.publish('leave', 'two');
      await staying.first(2);
      expect(leaving.items).to.deep.equal(['one']);
      const back = new Inbox<string>();
      await cache.subscribe('leave', back.push);
      await cache.publish('leave', 'three');
      expect(await back.at(0)).to.equal('three');
    });

    it('survives a listener that throws', async () => {
      const fine = new Inbox<string>();
      await cache.subscribe('throws', () => {
        throw new Error('a bug in a listener');
      });
      await cache.subscribe('throws', fine.push);
      await cache.publish('throws', 'x');
      expect(await fine.at(0)).to.equal('x');
    });

    it('finds nothing and does nothing once it is closed', async () => {
      const own = await make();
      await connected(own);
      await own.set('k', 'v', 60_000);
      await Promise.all([own.close(), own.close()]);
      expect(await own.get('k')).to.equal(undefined);
      await own.set('k', 'v', 60_000);
      await own.publish('c', 'm');
      await own.delete('k');
      const leave = await own.subscribe('c', () => {});
      await leave();
      const error = await own.check().catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(Error);
    });
  });
}

describe('cache on Redis that goes away', () => {
  let proxy: TcpProxy;
  let log: QuietLog;
  let cache: Cache;

  beforeEach(async () => {
    proxy = await TcpProxy.to((await services()).redis);
    log = new QuietLog();
    cache = await redis(proxy.address, log);
    await connected(cache);
  });

  afterEach(async () => {
    await cache.close();
    await proxy.close();
  });

  /** How long `count` rounds of every call take, in ms. */
  async function time(count: number): Promise<number> {
    const started = performance.now();
    for (let n = 0; n < count; n++) {
      expect(await cache.get('k')).to.equal(undefined);
      await cache.set('k', 'v', 60_000);
      await cache.publish('c', 'm');
      await cache.delete('k');
    }
    return performance.now() - started;
  }

  /** Publishes until a message arrives at `inbox`. */
  async function heard(inbox: Inbox<string>): Promise<void> {
    await eventually('a message arrives', async () => {
      await cache.publish('c', 'again');
      return inbox.items.includes('again');
    });
  }

  it('stopped: every call answers quickly; back: it works again, subscriptions too', async () => {
    const before = new Inbox<string>();
    await cache.subscribe('c', before.push);
    await cache.publish('c', 'first');
    await before.at(0);
    await proxy.down();
    await eventually('it notices', async () => (await cache.check().catch(() => 'away')) === 'away');
    expect(await time(100)).to.be.below(200);
    const during = new Inbox<string>();
    await cache.subscribe('c', during.push);
    const other = new Inbox<string>();
    const started = performance.now();
    await cache.subscribe('other', other.push);
    expect(performance.now() - started).to.be.below(200);
    await proxy.up();
    await connected(cache);
    await cache.set('k', 'v', 60_000);
    expect(await cache.get('k')).to.equal('v');
    await heard(before);
    await heard(during);
    await eventually('the new channel is heard', async () => {
      await cache.publish('other', 'x');
      return other.items.length > 0;
    });
    expect(log.messages('warn')).to.deep.equal(['Redis is away, going on without it']);
    expect(log.messages('info')).to.deep.equal(['Redis is back']);
  });

  it('silent: one call waits for its timeout, the others do not; speaking: it works again', async () => {
    const inbox = new Inbox<string>();
    await cache.subscribe('c', inbox.push);
    proxy.blackhole(true);
    const started = performance.now();
    expect(await Promise.all(Array.from({ length: 50 }, () => cache.get('k')))).to.deep.equal(Array(50).fill(undefined));
    expect(performance.now() - started).to.be.below(1_000);
    expect(await time(100)).to.be.below(500);
    proxy.blackhole(false);
    await eventually('it works again', async () => {
      await cache.set('k', 'v', 60_000);
      return (await cache.get('k')) === 'v';
    });
    await heard(inbox);
    expect(log.messages('warn')).to.deep.equal(['Redis is away, going on without it']);
  });

  it('dropped with calls under way: they find nothing, and it is back at once', async () => {
    const calls = Array.from({ length: 50 }, () => cache.get('k'));
    proxy.reset();
    for (const answer of await Promise.all(calls)) expect(answer).to.equal(undefined);
    await connected(cache);
    await cache.set('k', 'v', 60_000);
    expect(await cache.get('k')).to.equal('v');
  });

  it('never there: nothing throws and nothing waits', async () => {
    await proxy.down();
    const never = await redis(proxy.address, log, 'a secret');
    await never.subscribe('c', () => {});
    expect(await never.get('k')).to.equal(undefined);
    await never.set('k', 'v', 1);
    await eventually('it says so', () => log.messages('warn').length > 0);
    expect(JSON.stringify(log.lines)).not.to.contain('a secret');
    await never.close();
  });
});
