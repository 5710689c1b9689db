/** Promise 6: Redis is disposable. It is emptied and stopped in the middle of everything, and nobody notices. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { onFaultStage } from '../support/fault-stage.ts';
import { Load } from '../support/load.ts';

onFaultStage('Redis', (get) => {
  it('emptied, stopped, away at a start and back: the same ends, nothing refused', async function () {
    this.timeout(90_000);
    const stage = get();
    const [host = '', port = ''] = stage.servers.redis.split(':');
    const redis = new Redis({ host, port: Number(port) });
    const first = await stage.run();
    await stage.run();
    await stage.journeys.prepare();
    // The journeys look at their ends themselves; temporary flows of `call` are among what they make.
    const load = Load.start(4, () => stage.journeys.both());
    for (let times = 0; times < 10; times += 1) {
      await sleep(100);
      await redis.flushall();
    }
    redis.disconnect();
    await stage.servers.stop('redis');
    await sleep(1_000);
    // One that starts without it, and has nothing in its memory.
    await stage.run();
    const { code } = await first.stop();
    await sleep(1_500);
    await stage.servers.start('redis');
    await sleep(1_000);
    const rounds = await load.stop();
    await stage.settled();
    console.log(
      `    ${stage.journeys.done} activeflows, ${stage.client.refused.length} refused, ${stage.client.repeats} repeats`,
    );
    expect(code, 'the exit of the daemon that was stopped without Redis').equal(0);
    expect(rounds).least(4);
    expect(stage.client.refused, 'refused').deep.equal([]);
    expect(stage.client.repeats, 'not answered in time').equal(0);
  });
});
