/**
 * Promise 3: a committed change means a published event. While two daemons change the same activeflows, all their
 * connections to the broker are closed about once a second; a queue that nobody reads meanwhile tells afterwards
 * what was published, in which order.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import { AmqpProxy } from '../support/amqp-proxy.ts';
import { action, type FlowView } from '../support/caller.ts';
import { EventRecord } from '../support/event-record.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { Load } from '../support/load.ts';

const SECONDS = process.env.FLOW_FAULT_LONG === '1' ? 120 : 15;
const ACTIONS = 8;
const WORKERS = 10;

onFaultStage('events', (get) => {
  let proxy: AmqpProxy;
  let record: EventRecord;
  const flows: FlowView[] = [];

  before(async function () {
    this.timeout(60_000);
    const stage = get();
    proxy = await AmqpProxy.to(stage.servers.amqp);
    record = await EventRecord.open(stage.servers.amqp, stage.events);
    await Promise.all([1, 2].map(() => stage.run(stage.load({ rabbit_addr: proxy.url }))));
  });

  after(() => proxy.close());

  /** A flow, and an activeflow of it walked to its end: each step by whichever daemon gets it. */
  async function walk(): Promise<void> {
    const { caller } = get();
    const flow = await caller.flow(Array.from({ length: ACTIONS }, (_, index) => action('talk', { text: String(index) })));
    flows.push(flow);
    const { id } = await caller.activeflow(flow);
    for (let at = ACTION_START; at !== ACTION_FINISH; ) at = (await caller.next(id, at, randomUUID())).id;
    await caller.ok('DELETE', `/v1/activeflows/${id}`, undefined, randomUUID());
  }

  it(`are all published, in order, while connections break for ${SECONDS} s`, async function () {
    this.timeout(SECONDS * 1_000 + 90_000);
    const stage = get();
    const load = Load.start(WORKERS, walk);
    let closed = 0;
    for (const end = performance.now() + SECONDS * 1_000; performance.now() < end; closed += 1) {
      await sleep(700 + Math.random() * 500);
      // Once by the broker's own command, which closes those of siblings and of the client as well.
      if (closed === 5) await stage.servers.rabbitmqctl('close_all_connections', 'a test');
      else proxy.reset();
    }
    await load.stop();
    await stage.settled(30_000);
    const stored = await stage.storedEvents();
    await record.read();
    console.log(`    connections closed ${closed} times, ${stored.size} activeflows,`);
    console.log(`    ${record.seen.length} events, ${record.repeats} of them repeats`);
    record.check(stored);
    expect(Math.min(...stored.values()), 'events of an activeflow').equal(ACTIONS + 3);
    expect(stored.size).least(WORKERS);
    const byId = record.byId();
    for (const { id } of flows) {
      expect(new Set(byId.get(id)?.map((event) => `${event.type} ${event.message_id}`)).size, `events of flow ${id}`).equal(1);
    }
  });
});
