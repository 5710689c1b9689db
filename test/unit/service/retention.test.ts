import { expect } from 'chai';
import type { Context } from '../../../pkg/service/context.ts';
import type { Cleared, RetentionStore } from '../../../pkg/service/ports.ts';
import { Retention, type RetentionOptions } from '../../../pkg/service/retention.ts';

const HOUR_MS = 3_600_000;
const NONE: RetentionOptions = {
  ended_ms: 0,
  temporary_flows_ms: 0,
  unused_lists_ms: 0,
  redeliveries_ms: 0,
  participants_ms: 0,
  workflow_calls_ms: 0,
  pushed_events_ms: 0,
  deliveries_ms: 0,
};

/** Answers each step in turn with what was prepared for its kind, then with nothing. */
class World {
  now = 0;
  holds = true;
  readonly asked: string[] = [];
  readonly counted: [string, number][] = [];
  readonly prepared: Record<string, Cleared[]> = {};

  retention(options: Partial<RetentionOptions>): Retention {
    const step = (kind: string) => async (age_ms: number, after?: string) => {
      this.asked.push(`${kind} ${age_ms} ${after ?? ''}`.trim());
      return this.prepared[kind]?.shift() ?? { count: 0, next: null };
    };
    const retention: RetentionStore = {
      endedActiveflows: step('ended'),
      temporaryFlows: step('temporary'),
      unusedLists: step('lists'),
      flowAnswers: step('answers'),
      redeliveries: step('redeliveries'),
      deliveries: step('deliveries'),
      deliveryLanes: step('lanes of deliveries'),
      webhookUris: step('webhook uris'),
    };
    const context = {
      store: { retention, leases: { take: async () => this.holds } },
      clock: { now: () => this.now },
      ids: { next: () => 'me' },
      meter: { add: (_name: string, { kind }: { kind: string }, count: number) => this.counted.push([kind, count]) },
      options: { lease_ms: 15_000 },
    };
    return new Retention(context as unknown as Context, { ...NONE, ...options });
  }
}

describe('retention', () => {
  it('goes through each kind step by step, and rests', async () => {
    const world = new World();
    world.prepared.ended = [
      { count: 3, next: 'a' },
      { count: 0, next: 'b' },
    ];
    const retention = world.retention({ ended_ms: 5 * HOUR_MS, unused_lists_ms: HOUR_MS });
    const pauses: number[] = [];
    for (let n = 0; n < 6; n += 1) pauses.push(await retention.turn());
    const ended = `ended ${5 * HOUR_MS}`;
    expect(world.asked).to.deep.equal(['answers 200', ended, `${ended} a`, `${ended} b`, `lists ${HOUR_MS}`]);
    expect(pauses).to.deep.equal([0, 50, 0, 0, 0, 60_000]);
    expect(world.counted).to.deep.equal([['activeflow', 3]]);
    world.now = 60_000;
    for (let n = 0; n < 3; n += 1) await retention.turn();
    expect(world.asked.slice(5)).to.deep.equal(['answers 200', ended]);
  });

  it('keeps for ever what is to be kept for 0 ms, and everything else for an hour at least', async () => {
    const world = new World();
    const retention = world.retention({ redeliveries_ms: 1 });
    for (let n = 0; n < 3; n += 1) await retention.turn();
    expect(world.asked).to.deep.equal(['answers 200', `redeliveries ${HOUR_MS}`]);
  });

  it('leaves it to whoever holds the lease', async () => {
    const world = new World();
    world.holds = false;
    const retention = world.retention({ ended_ms: 1 });
    expect(await retention.turn()).to.equal(15_000);
    expect(world.asked).to.deep.equal([]);
    world.holds = true;
    await retention.turn();
    expect(world.asked).to.have.length(1);
  });
});
