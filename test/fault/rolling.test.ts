/** Promise 12: SIGTERM drains. Two daemons are restarted in turn under load, and no caller is told of it. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import { action, Caller } from '../support/caller.ts';
import type { Daemon } from '../support/daemon.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { Load } from '../support/load.ts';
import { PatientClient } from '../support/patient-client.ts';

const RESTARTS = process.env.FLOW_FAULT_LONG === '1' ? 60 : 5;
const WORKERS = 10;

onFaultStage('a rolling restart', (get) => {
  it(`${RESTARTS} restarts under load: no request fails, none has to be repeated`, async function () {
    this.timeout(RESTARTS * 15_000 + 60_000);
    const stage = get();
    const client = new PatientClient(stage.bus, stage.requests, { try_ms: 20_000 });
    const caller = new Caller(client.send);
    stage.oracle.delay = () => Math.random() * 100;
    const daemons: Daemon[] = [await stage.runSpare(), await stage.runSpare()];
    const send = () => action('message_send', { destinations: [{ type: 'tel', target: '+1' }], text: 'hello' });
    const flow = await caller.flow([action('talk'), send(), action('talk'), send(), action('talk')]);
    const load = Load.start(WORKERS, async () => {
      const { id } = await caller.activeflow(flow);
      for (let at = ACTION_START; at !== ACTION_FINISH; ) at = (await caller.next(id, at, randomUUID())).id;
    });
    const drained: number[] = [];
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      const old = daemons[restart % 2];
      const since = performance.now();
      const exit = await old?.stop();
      drained.push(Math.round(performance.now() - since));
      expect(exit, 'how it ended').deep.equal({ code: 0, signal: null });
      daemons[restart % 2] = await stage.runSpare();
    }
    const rounds = await load.stop();
    await stage.settled();
    console.log(`    ${rounds} activeflows; drained within ${Math.max(...drained)} ms`);
    expect(client.refused, 'refused').deep.equal([]);
    expect(client.repeats, 'not answered').equal(0);
    expect(stage.oracle.repeats, 'asked twice').equal(0);
    expect(rounds).least(WORKERS);
  });
});
