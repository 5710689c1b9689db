/** How far a lane is delivered while what became of it is being stored. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { unavailable } from '../../../pkg/error/index.ts';
import type { Context } from '../../../pkg/service/context.ts';
import type { DeliveryOutcome, HeldLane, Store } from '../../../pkg/service/ports.ts';
import { Deliveries } from '../../../pkg/service/subscription/deliveries.ts';
import { Health } from '../../../pkg/service/subscription/health.ts';
import { openSqliteStore } from '../../../pkg/store/index.ts';
import { QuietLog } from '../../support/quiet_log.ts';
import { RecordingMeter } from '../../support/recorders.ts';
import { laneOf, subscriptionTo } from '../../support/subscriptions.ts';

const AHEAD = 8;
/** Such that the last of what was read is stored together with others. */
const AT_A_TIME = 14;

describe('a lane whose outcomes are slow to be stored', () => {
  let store: Store;
  let deliveries: Deliveries;
  /** Numbers of the deliveries that were sent, and what is answered to them. */
  let sent: number[];
  let status: (sequence: number) => number;
  /** Rounds of outcomes that wait for the database. */
  let rounds: { readonly outcomes: readonly DeliveryOutcome[]; readonly go: (error?: Error) => void }[];
  /** True: they wait no more. */
  let quick: boolean;
  let onChange: () => void;

  beforeEach(async () => {
    store = openSqliteStore({ file: ':memory:' });
    await store.migrate();
    [sent, rounds, status, quick, onChange] = [[], [], () => 200, false, () => undefined];
    const record: Store['deliveries']['record'] = async (holder, outcomes) => {
      await new Promise<void>((resolve, reject) => {
        rounds.push({ outcomes, go: (error) => (error ? reject(error) : resolve()) });
        if (quick) resolve();
        onChange();
      });
      return store.deliveries.record(holder, outcomes);
    };
    const { waiting, claim, release } = store.deliveries;
    const gated = {
      record,
      // A little at a time, so that much is read while it is delivered.
      waiting: (lanes: readonly HeldLane[]) => waiting.call(store.deliveries, lanes, AT_A_TIME),
      claim: claim.bind(store.deliveries),
      release: release.bind(store.deliveries),
      discard: async () => undefined,
    };
    const request = async ({ text = '' }) => {
      const { sequence } = JSON.parse(text) as { sequence: number };
      sent.push(sequence);
      onChange();
      return { status: status(sequence), headers: {}, body: '' };
    };
    const context = {
      store: { deliveries: gated, subscriptions: store.subscriptions },
      http: { request },
      clock: { now: () => Date.now() },
      ids: { next: () => randomUUID() },
      meter: new RecordingMeter(),
      log: new QuietLog(),
    } as unknown as Context;
    deliveries = new Deliveries(context, new Health(context, 0), { lanes: 4, lanes_of_one: 4, host_connections: 8 });
  });

  afterEach(() => store.close());

  async function lane(count: number) {
    const subscription = subscriptionTo('https://a.example');
    await store.subscriptions.create(subscription);
    const made = laneOf(subscription, count);
    await store.deliveries.add([made], 1_000);
    await deliveries.turn();
    return {
      subscription,
      statuses: () => Promise.all(made.deliveries.map(async ({ id }) => (await store.deliveries.get(id))?.status)),
    };
  }

  /** Resolves when it holds, looked at after each request and each round. */
  function until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      onChange = () => {
        if (holds()) resolve();
      };
      onChange();
    });
  }

  /** Nothing more happens by itself: all that could go on has. */
  async function settled(): Promise<void> {
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  function storeAtOnce(): void {
    quick = true;
    for (const { go } of rounds) go();
  }

  const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

  it('is sent a few ahead and no more, and what has come together is stored together', async () => {
    const { statuses } = await lane(30);
    await until(() => rounds.length === 1 && sent.length === AHEAD + 1);
    await settled();
    expect(sent).to.deep.equal(upTo(AHEAD + 1));
    rounds[0]?.go();
    await until(() => rounds.length === 2);
    expect(rounds[1]?.outcomes.map(({ delivery }) => delivery.sequence)).to.deep.equal(upTo(AHEAD + 1).slice(1));
    storeAtOnce();
    await until(() => sent.length === 30);
    await deliveries.close();
    expect(sent).to.deep.equal(upTo(30));
    expect(new Set(await statuses())).to.deep.equal(new Set(['delivered']));
  });

  it('is sent each of its deliveries once, also those that are read while others are stored', async () => {
    const count = 3 * AT_A_TIME + 5;
    await lane(count);
    let given = 0;
    for (let at = 0; sent.length < count || given < count; at += 1) {
      await until(() => rounds.length > at);
      await settled();
      given += rounds[at]?.outcomes.length ?? 0;
      rounds[at]?.go();
    }
    await deliveries.close();
    expect(sent).to.deep.equal(upTo(count));
    expect(Math.max(...rounds.map(({ outcomes }) => outcomes.length))).to.equal(AHEAD);
  });

  it('is sent nothing behind one that has not gone well before that is stored', async () => {
    status = (sequence) => (sequence === 3 ? 400 : 200);
    const { statuses } = await lane(5);
    await until(() => rounds.length === 1 && sent.length === 3);
    rounds[0]?.go();
    await until(() => rounds.length === 2);
    await settled();
    expect(sent).to.deep.equal([1, 2, 3]);
    storeAtOnce();
    await until(() => sent.length === 5);
    await deliveries.close();
    expect(sent).to.deep.equal([1, 2, 3, 4, 5]);
    expect(await statuses()).to.deep.equal(['delivered', 'delivered', 'failed', 'delivered', 'delivered']);
  });

  it('is broken off when they cannot be stored, and nothing behind them is taken for done', async () => {
    const { statuses } = await lane(30);
    await until(() => rounds.length === 1 && sent.length === AHEAD + 1);
    rounds[0]?.go(unavailable('DATABASE_UNAVAILABLE', 'away'));
    storeAtOnce();
    await deliveries.close();
    expect(sent).to.deep.equal(upTo(AHEAD + 1));
    expect(new Set(await statuses())).to.deep.equal(new Set(['pending']));
  });
});
