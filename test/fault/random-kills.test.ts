/** Promise 1 again, at instants that nobody chose: two daemons under load, and one of them is killed again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Daemon } from '../support/daemon.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { Load } from '../support/load.ts';

const LONG = process.env.FLOW_FAULT_LONG === '1';
const KILLS = LONG ? 200 : 30;
const WORKERS = 4;

onFaultStage('kills at random', (get) => {
  it(`${KILLS} of them: every effect once, nothing stuck`, async function () {
    this.timeout(KILLS * 6_000 + 60_000);
    const stage = get();
    stage.oracle.delay = () => Math.random() * 60;
    const daemons: Daemon[] = [await stage.runSpare(), await stage.runSpare()];
    await stage.journeys.prepare();
    const load = Load.start(WORKERS, () => stage.journeys.both());
    for (let kill = 0; kill < KILLS; kill += 1) {
      await sleep(Math.random() * 400);
      const victim = Math.floor(Math.random() * daemons.length);
      const { signal } = (await daemons[victim]?.kill()) ?? {};
      expect(signal).equal('SIGKILL');
      daemons[victim] = await stage.runSpare();
    }
    const rounds = await load.stop();
    await stage.settled();
    console.log(`    ${KILLS} kills, ${stage.journeys.done} activeflows, ${stage.oracle.total} effects,`);
    console.log(`    ${stage.oracle.repeats} requests repeated to siblings, ${stage.client.repeats} by the client`);
    expect(rounds).least(KILLS / 2);
  });
});
