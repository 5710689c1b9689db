/**
 * Promise 4: the broker away. RabbitMQ is stopped under load and comes back; meanwhile flows that nobody asks for go
 * on, and what they cause waits in the database. No daemon falls, none grows without bound, nothing is left behind.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import { action } from '../support/caller.ts';
import { EventRecord } from '../support/event-record.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { eachOf, Load } from '../support/load.ts';
import { metricOf, residentMib } from '../support/process-figures.ts';

const AWAY_MS = process.env.FLOW_FAULT_LONG === '1' ? 120_000 : 8_000;
const TICKERS = 100;
const TICK_MS = 500;
/** The heap that a daemon may have in MiB: with more it falls, and the test with it. */
const HEAP_MIB = 128;
const MAX_GROWTH_MIB = 200;

onFaultStage('the broker', (get) => {
  it(`away for ${AWAY_MS / 1_000} s and more: nothing falls, nothing is lost`, async function () {
    this.timeout(AWAY_MS * 2 + 120_000);
    const stage = get();
    const record = await EventRecord.open(stage.servers.amqp, stage.events);
    const daemons = await Promise.all([1, 2].map(() => stage.run(stage.load({}, [`--max-old-space-size=${HEAP_MIB}`]))));
    // Each tick is a commit and an event, with nobody asking.
    const tick = randomUUID();
    const ticks = Math.ceil((AWAY_MS + 8_000) / (TICK_MS + 250));
    const flow = await stage.caller.flow([
      { ...action('sleep', { duration: TICK_MS }), id: tick },
      action('goto', { target_id: tick, loop_count: ticks - 1 }),
    ]);
    await eachOf(Array.from({ length: TICKERS }), 20, async () => {
      const { id } = await stage.caller.activeflow(flow, { reference_type: 'api' });
      await stage.caller.ok('POST', `/v1/activeflows/${id}/execute`);
    });
    // Of callers only: siblings that are not back yet, when the daemons are, would be a failure of their own.
    const calls = await stage.caller.flow([action('talk', { text: 'a' }), action('talk', { text: 'b' })]);
    const load = Load.start(3, async () => {
      const { id } = await stage.caller.activeflow(calls);
      for (let at = ACTION_START; at !== ACTION_FINISH; ) at = (await stage.caller.next(id, at, randomUUID())).id;
    });
    await sleep(1_500);
    const before = daemons.map(({ pid }) => residentMib(pid));
    await stage.servers.stop('rabbitmq');
    await sleep(AWAY_MS);
    const during = daemons.map(({ pid }) => residentMib(pid));
    const waiting = await stage.sql('SELECT id FROM activeflows WHERE unsettled_at IS NOT NULL');
    await stage.servers.start('rabbitmq');
    await load.stop();
    await stage.settled(60_000);
    const after = daemons.map(({ pid }) => residentMib(pid));
    await record.read();
    record.check(await stage.storedEvents());
    console.log(`    ${record.seen.length} events, ${record.repeats} repeats; resident MiB before, during, after:`);
    console.log(`    ${[before, during, after].map((figures) => figures.map(Math.round).join(' and ')).join('; ')}`);
    expect(waiting.length, 'activeflows that changed meanwhile').least(TICKERS);
    for (const [index, mib] of [...during, ...after].entries()) {
      expect(mib - (before[index % 2] ?? 0), 'MiB that a daemon has grown').most(MAX_GROWTH_MIB);
    }
    for (const daemon of daemons) {
      expect(await metricOf(await daemon.ready, 'flow_manager_event_backlog{')).equal(0);
    }
  });
});
