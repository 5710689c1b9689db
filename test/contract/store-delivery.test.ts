/** Lanes of deliveries, as every database keeps them. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { NIL } from '../../pkg/model/id.ts';
import type { Subscription, WaitingDelivery } from '../../pkg/model/subscription.ts';
import type { Lists } from '../../pkg/service/lists.ts';
import type { DeliveryOutcome, HeldLane } from '../../pkg/service/ports.ts';
import { FanOut } from '../../pkg/service/subscription/fan-out.ts';
import { RecordingMeter } from '../support/recorders.ts';
import { sampleActiveflow } from '../support/samples.ts';
import { eachStore, type Workbench } from '../support/stores.ts';
import { laneOf, subscriptionTo } from '../support/subscriptions.ts';

const subscription = subscriptionTo('https://a.example/');
const DONE = {
  status: 'delivered',
  attempts: 1,
  response_code: 200,
  latency_ms: 5,
  error: null,
  renews: true,
  missing: [],
} as const;

eachStore('lanes of deliveries', (get) => {
  const deliveries = () => get().store.deliveries;
  const me = randomUUID();

  async function claimed(id: string, holder = me): Promise<HeldLane> {
    const lane = (await deliveries().claim(holder, 100, { not: [] })).find((one) => one.id === id);
    if (!lane) throw new Error('not claimed');
    return lane;
  }

  async function first(lane: HeldLane): Promise<WaitingDelivery> {
    const [delivery] = await deliveries().waiting([lane], 1);
    if (!delivery) throw new Error('nothing waits');
    return delivery;
  }

  const done = async (lane: HeldLane, more: Partial<DeliveryOutcome> = {}): Promise<DeliveryOutcome> => ({
    ...DONE,
    lane,
    delivery: await first(lane),
    ...more,
  });

  it('number what is added, each once, side by side too', async () => {
    const lane = laneOf(subscription, 20);
    const parts = [lane, { ...lane, deliveries: lane.deliveries.slice(0, 10) }, lane];
    const added = await Promise.all(parts.map((part) => deliveries().add([part], 100)));
    expect(added.reduce((sum, one) => sum + one.added, 0)).to.equal(20);
    const waiting = await deliveries().waiting([await claimed(lane.lane_id)], 100);
    expect(waiting.map(({ id }) => id)).to.deep.equal(lane.deliveries.map(({ id }) => id));
    expect(waiting.map(({ sequence }) => sequence)).to.deep.equal(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  it('are one process’s at a time, and nobody’s when nothing waits', async () => {
    const { lane_id, ...rest } = laneOf(subscription, 2);
    await deliveries().add([{ lane_id, ...rest }], 100);
    const lane = await claimed(lane_id);
    expect((await deliveries().claim(randomUUID(), 100, { not: [] })).map(({ id }) => id)).not.to.include(lane_id);
    // Whose it is not stores nothing.
    expect(await deliveries().record(randomUUID(), [await done(lane)])).to.deep.equal(new Set());
    expect(await deliveries().record(me, [await done(lane)])).to.deep.equal(new Set([lane_id]));
    expect(await deliveries().record(me, [await done({ ...lane, done_position: 1 })])).to.deep.equal(new Set());
    expect((await deliveries().claim(me, 100, { not: [] })).map(({ id }) => id)).not.to.include(lane_id);
    await deliveries().add([{ lane_id, ...rest, deliveries: laneOf(subscription, 1).deliveries }], 100);
    expect((await claimed(lane_id)).done_position).to.equal(2);
  });

  it('wait for their next try, and keep what is missing', async () => {
    const lane = laneOf(subscription, 2);
    await deliveries().add([lane], 100);
    const held = await claimed(lane.lane_id);
    const failed = { status: 'failed', response_code: 500, error: 'answered with status 500', missing: [1] } as const;
    expect(await deliveries().record(me, [await done(held, failed)])).to.deep.equal(new Set([held.id]));
    const waits = await done(
      { ...held, done_position: 1 },
      { status: 'pending', response_code: null, again_ms: 3_600_000, missing: [1] },
    );
    expect(await deliveries().record(me, [waits])).to.deep.equal(new Set());
    expect((await deliveries().claim(me, 100, { not: [] })).map(({ id }) => id)).not.to.include(lane.lane_id);
    const stored = await deliveries().get(waits.delivery.id);
    expect(stored).to.include({ status: 'pending', attempts: 1, response_code: null });
    expect(Date.parse(stored?.next_try_at ?? '') - Date.parse(stored?.tm_update ?? '')).to.be.within(3_599_900, 3_600_100);
  });

  it('renew the lease of their lane when they are told to', async () => {
    const lane = laneOf(subscription, 3);
    await deliveries().add([lane], 100);
    const held = await claimed(lane.lane_id);
    const claimable = async (): Promise<unknown> =>
      await get().bench.sql('select claimable_at from delivery_lanes where id = ?', [lane.lane_id]);
    const until = await claimable();
    await deliveries().record(me, [await done(held, { renews: false })]);
    expect(await claimable()).to.deep.equal(until);
    await deliveries().record(me, [await done({ ...held, done_position: 1 })]);
    expect(await claimable()).not.to.deep.equal(until);
  });

  it('store several outcomes of a lane together, and none without those before them', async () => {
    const [lane, other] = [laneOf(subscription, 5), laneOf(subscription, 3)];
    await deliveries().add([lane, other], 100);
    const held = await deliveries().claim(me, 100, { not: [] });
    const outcomes = async (id: string, positions: readonly number[]): Promise<DeliveryOutcome[]> => {
      const one = held.find((known) => known.id === id) as HeldLane;
      return Promise.all(positions.map((at) => done({ ...one, done_position: at - 1 }, { latency_ms: at, renews: false })));
    };
    const missing = { status: 'failed', missing: [3] } as const;
    const [third] = await outcomes(lane.lane_id, [3]);
    const given = [
      ...(await outcomes(lane.lane_id, [1, 2])),
      ...(await outcomes(other.lane_id, [2, 3])),
      { ...third, ...missing },
    ];
    expect(await deliveries().record(me, given as DeliveryOutcome[])).to.deep.equal(new Set([lane.lane_id]));
    const statuses = async (of: typeof lane) =>
      Promise.all(of.deliveries.map(async ({ id }) => (await deliveries().get(id))?.status));
    expect(await statuses(lane)).to.deep.equal(['delivered', 'delivered', 'failed', 'pending', 'pending']);
    expect(await statuses(other)).to.deep.equal(['pending', 'pending', 'pending']);
    expect((await deliveries().get(lane.deliveries[1]?.id ?? ''))?.latency_ms).to.equal(2);
    // What comes next says what is missing, until it is delivered; then nothing is, and nothing waits.
    const last = (await outcomes(lane.lane_id, [4, 5])).map((one) => ({ ...one, lane: { ...one.lane, missing: [3] } }));
    expect(await deliveries().record(me, last)).to.deep.equal(new Set());
    await deliveries().add([{ ...lane, deliveries: laneOf(subscription, 1).deliveries }], 100);
    expect(await claimed(lane.lane_id))
      .to.include({ done_position: 5, last_position: 6 })
      .and.deep.include({ missing: [] });
    await deliveries().release(me, [other.lane_id], 'due');
    expect(await claimed(other.lane_id)).to.include({ done_position: 0 });
  });

  it('leave out subscriptions that are busy, and are parked and due again as they are told', async () => {
    const other = subscriptionTo('https://b.example/');
    const lane = laneOf(other, 1);
    await deliveries().add([lane], 100);
    expect((await deliveries().claim(me, 100, { not: [other.id] })).map(({ id }) => id)).not.to.include(lane.lane_id);
    const only = await deliveries().claim(me, 100, { only: other.id });
    expect(only.map(({ id }) => id)).to.deep.equal([lane.lane_id]);
    await deliveries().release(me, [lane.lane_id], 'parked');
    expect((await deliveries().claim(me, 100, { not: [] })).map(({ id }) => id)).not.to.include(lane.lane_id);
    await deliveries().unpark(other.id, 9_000, true);
    expect(await claimed(lane.lane_id)).to.include({ lease_ms: 9_000 });
    await deliveries().release(me, [lane.lane_id], 'due');
    await claimed(lane.lane_id, randomUUID());
  });

  it('drop what is over their limit, and keep its number', async () => {
    const lane = laneOf(subscription, 3);
    expect(await deliveries().add([lane], 2)).to.deep.equal({ added: 3, dropped: 1 });
    const last = await deliveries().get(lane.deliveries[2]?.id ?? '');
    expect(last).to.include({ status: 'dropped', sequence: 3, body: '' });
  });

  it('are left by what is replayed, under its own id and number', async () => {
    const lane = laneOf(subscription, 1);
    await deliveries().add([lane], 100);
    const held = await claimed(lane.lane_id);
    const outcome = await done(held, { status: 'failed' });
    await deliveries().record(me, [outcome]);
    const replay = { lane_id: randomUUID(), subscription_id: subscription.id, lease_ms: 6_000 };
    expect(await deliveries().replay(replay, { id: outcome.delivery.id }, 1)).to.equal(1);
    expect(await deliveries().replay(replay, { id: outcome.delivery.id }, 1)).to.equal(0);
    const again = await first(await claimed(replay.lane_id));
    expect(again).to.include({ id: outcome.delivery.id, sequence: 1, attempts: 0, status: 'pending' });
  });

  it('go with their subscription, and by age', async () => {
    const { store, bench } = get();
    const gone = subscriptionTo('https://c.example/');
    await store.subscriptions.create(gone);
    const lane = laneOf(gone, 3);
    await deliveries().add([lane], 100);
    await store.subscriptions.remove(gone.id);
    expect(await bench.sql('select id from deliveries where subscription_id = ?', [gone.id])).to.deep.equal([]);
    const old = laneOf(subscription, 1, 6_000, '2026-01-01T00:00:00.000000Z');
    await deliveries().add([old], 100);
    const pending = laneOf(subscription, 1, 6_000, '2026-01-01T00:00:00.000000Z');
    await deliveries().add([pending], 100);
    const outcome = await done(await claimed(old.lane_id));
    await deliveries().record(me, [outcome]);
    await store.retention.deliveries(60_000, '', 1_000);
    expect(await deliveries().get(outcome.delivery.id)).to.equal(undefined);
    expect((await deliveries().get(pending.deliveries[0]?.id ?? ''))?.status).to.equal('pending');
    await store.retention.deliveryLanes(-1_000, '', 1_000);
    const left = await bench.sql('select id from delivery_lanes where id in (?, ?)', [old.lane_id, pending.lane_id]);
    expect(left.map(({ id }) => id)).to.deep.equal([pending.lane_id]);
  });
});

/** All that the tables of subscriptions hold, as text. */
async function everything(bench: Workbench): Promise<string> {
  const tables = ['subscriptions', 'subscription_uses', 'delivery_lanes', 'deliveries'];
  const rows = await Promise.all(tables.map((table) => bench.sql(`select * from ${table}`)));
  return JSON.stringify(rows);
}

eachStore('subscriptions', (get) => {
  it('are changed by who has read them, with the events of the change', async () => {
    const { store, bench } = get();
    const { subscriptions } = store;
    const made = subscriptionTo('https://a.example/');
    expect([await subscriptions.create(made), await subscriptions.create(made)]).to.deep.equal([true, false]);
    expect(await subscriptions.get(made.id)).to.deep.equal(made);
    const next = { ...made, enabled: false, revision: 2, failing_since: '2026-01-02T00:00:00.000000Z' };
    const event = (id: string) => ({ id, type: 'subscription_disabled', data: {} });
    expect(await subscriptions.update(next, 1, [event('once')])).to.equal(true);
    expect(await subscriptions.update({ ...next, revision: 2 }, 1, [event('late')])).to.equal(false);
    expect(await subscriptions.get(made.id)).to.deep.equal(next);
    expect((await bench.sql('select id from events')).map(({ id }) => id)).to.deep.equal(['once']);
    expect(await subscriptions.listening([made.customer_id])).to.deep.equal([]);
  });

  it('are listed and counted by customer', async () => {
    const { subscriptions } = get().store;
    const { customer_id } = subscriptionTo('https://a.example/');
    const [a, b] = ['a', 'b'].map((host) => ({ ...subscriptionTo(`https://${host}.example/`), customer_id }));
    if (!a || !b) throw new Error('cannot be');
    await subscriptions.create({ ...a, tm_create: '2026-01-02T00:00:00.000000Z' });
    await subscriptions.create({ ...b, origin: 'webhook_uri' });
    const page = await subscriptions.list({ customer_id }, { size: 1 });
    expect(page.map(({ id }) => id)).to.deep.equal([a.id]);
    const after = { tm_create: '2026-01-02T00:00:00.000000Z', id: a.id };
    expect((await subscriptions.list({ customer_id }, { size: 5, after })).map(({ id }) => id)).to.deep.equal([b.id]);
    expect((await subscriptions.listening([customer_id])).map(({ id }) => id)).to.deep.equal([a.id]);
    expect(await subscriptions.count(customer_id)).to.equal(1);
    expect(await subscriptions.removeOfCustomer(customer_id, 10)).to.equal(2);
    expect(await subscriptions.list({ customer_id }, { size: 5 })).to.deep.equal([]);
  });

  it('take all that is theirs with them when their customer goes', async () => {
    const { store, bench } = get();
    const { deliveries, subscriptions } = store;
    const [me, gone] = [randomUUID(), subscriptionTo('https://only-of-this-customer.example/')];
    const secrets = {
      access_key: 'an access key',
      headers: { 'x-a': 'a header' },
      signing: [{ secret: 'whsec_it', until: null }],
    };
    await subscriptions.create({ ...gone, secrets });
    await subscriptions.use([gone.id]);
    const lanes = [laneOf(gone, 2), laneOf(gone, 3)];
    await deliveries.add(lanes, 2);
    const [lane] = await deliveries.claim(me, 1, { only: gone.id });
    if (!lane) throw new Error('not claimed');
    const [delivery] = await deliveries.waiting([lane], 1);
    if (!delivery) throw new Error('nothing waits');
    await deliveries.record(me, [{ ...DONE, lane, delivery, status: 'failed', error: 'why it failed' }]);
    const replay = { lane_id: randomUUID(), subscription_id: gone.id, lease_ms: 6_000 };
    expect(await deliveries.replay(replay, { id: delivery.id }, 1)).to.equal(1);
    const texts = [gone.customer_id, gone.id, delivery.id, 'only-of-this-customer', 'an access key', 'a header', 'whsec_it'];
    const found = async () => {
      const rows = await everything(bench);
      return texts.filter((text) => rows.includes(text));
    };
    expect(await found()).to.deep.equal(texts);
    expect(await subscriptions.removeOfCustomer(gone.customer_id, 10)).to.equal(1);
    expect(await found()).to.deep.equal([]);
    // By who has read the subscription before.
    await deliveries.add([laneOf(gone, 1)], 10);
    const late = await deliveries.claim(me, 100, { only: gone.id });
    await deliveries.discard(
      me,
      late.map(({ id }) => id),
    );
    expect(await found()).to.deep.equal([]);
  });

  it('that are there keep their lanes', async () => {
    const { store } = get();
    const [me, one] = [randomUUID(), subscriptionTo('https://a.example/')];
    await store.subscriptions.create(one);
    const lane = laneOf(one, 1);
    await store.deliveries.add([lane], 10);
    await store.deliveries.claim(me, 100, { only: one.id });
    await store.deliveries.discard(me, [lane.lane_id]);
    expect((await store.deliveries.get(lane.deliveries[0]?.id ?? ''))?.status).to.equal('pending');
  });

  describe('that a webhook_uri is', () => {
    const ALL_MS = -1_000;
    const NONE_MS = 60_000;

    async function told(uri: string): Promise<Subscription> {
      const { store } = get();
      const fanOut = new FanOut({ store, lists: {} as Lists, meter: new RecordingMeter(), options: { backlog: 10 } });
      const row = sampleActiveflow({ webhook_uri: uri, webhook_method: 'POST' });
      await fanOut.rows([{ ...row, customer_id: NIL, state: { ...row.state, stacks: [] } }]);
      const [one] = (await store.subscriptions.list({ customer_id: NIL }, { size: 10 })).filter(
        ({ config }) => config.callback_url === uri,
      );
      if (!one) throw new Error('it was not made');
      return one;
    }

    /** All that waits is delivered, and its log and lanes are cleared away. */
    async function finish({ id }: Subscription): Promise<void> {
      const { store, bench } = get();
      const me = randomUUID();
      for (const lane of await store.deliveries.claim(me, 100, { only: id })) {
        const [delivery] = await store.deliveries.waiting([lane], 1);
        if (delivery) await store.deliveries.record(me, [{ ...DONE, lane, delivery }]);
      }
      await bench.sql("delete from deliveries where subscription_id = ? and status <> 'pending'", [id]);
      await store.retention.deliveryLanes(ALL_MS, '', 1_000);
    }

    const clear = (age_ms: number) => get().store.retention.webhookUris(age_ms, '', 1_000);
    const there = async ({ id }: Subscription) => (await get().store.subscriptions.get(id)) !== undefined;

    it('go when nobody has needed them for as long and none of their lanes is left, and are made anew', async () => {
      const one = await told('https://a.example/own');
      expect([(await clear(ALL_MS)).count, await there(one)], 'a lane is left').to.deep.equal([0, true]);
      await finish(one);
      expect([(await clear(NONE_MS)).count, await there(one)], 'it was needed a moment ago').to.deep.equal([0, true]);
      expect([(await clear(ALL_MS)).count, await there(one)]).to.deep.equal([1, false]);
      expect((await told('https://a.example/own')).id).to.equal(one.id);
      await finish(one);
      expect((await clear(ALL_MS)).count, 'as the first one').to.equal(1);
    });

    it('stay when their owner has changed them', async () => {
      const one = await told('https://b.example/own');
      const next = { ...one, revision: one.revision + 1, tm_update: '2026-01-02T00:00:00.000000Z' };
      expect(await get().store.subscriptions.update(next, one.revision, [])).to.equal(true);
      await finish(one);
      expect([(await clear(ALL_MS)).count, await there(one)]).to.deep.equal([0, true]);
      await get().store.subscriptions.remove(one.id);
      const left = await get().bench.sql('select * from subscription_uses where subscription_id = ?', [one.id]);
      expect(left).to.deep.equal([]);
    });
  });
});
