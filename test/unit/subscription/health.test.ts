import { expect } from 'chai';
import type { Subscription } from '../../../pkg/model/subscription.ts';
import type { Context } from '../../../pkg/service/context.ts';
import type { Store } from '../../../pkg/service/ports.ts';
import { Health } from '../../../pkg/service/subscription/health.ts';
import type { Attempted } from '../../../pkg/service/subscription/sender.ts';
import { openSqliteStore } from '../../../pkg/store/index.ts';
import { QuietLog } from '../../support/quiet_log.ts';
import { RecordingMeter } from '../../support/recorders.ts';
import { subscriptionTo } from '../../support/subscriptions.ts';

const HOUR_MS = 3_600_000;
const FAILED = { verdict: 'retry', error: 'answered 503' } as Attempted;
const DELIVERED = { verdict: 'delivered' } as Attempted;

describe('the health of an endpoint', () => {
  let store: Store;
  let now: number;
  let id: string;
  let meter: RecordingMeter;

  beforeEach(async () => {
    store = openSqliteStore({ file: ':memory:' });
    await store.migrate();
    now = Date.parse('2026-11-21T12:00:00Z');
    meter = new RecordingMeter();
    const subscription = subscriptionTo('https://example.com/hook');
    id = subscription.id;
    await store.subscriptions.create(subscription);
  });

  afterEach(() => store.close());

  const read = async (): Promise<Subscription> => {
    const found = await store.subscriptions.get(id);
    if (!found) throw new Error('it is gone');
    return found;
  };

  async function noted(ms: number, attempted: Attempted, disable_after_ms = 2 * HOUR_MS): Promise<Subscription> {
    now += ms;
    const context = { store, clock: { now: () => now }, meter, log: new QuietLog() } as unknown as Context;
    await new Health(context, disable_after_ms).note(await read(), attempted);
    return read();
  }

  it('disables one that has failed for as long as allowed, with an event, a reason and a count', async () => {
    expect(await noted(0, FAILED)).to.include({ enabled: true, failing_since: '2026-11-21T12:00:00.000000Z' });
    expect(await noted(2 * HOUR_MS - 1, FAILED)).to.include({ enabled: true });
    const disabled = await noted(1, FAILED);
    expect(disabled).to.include({ enabled: false });
    expect(disabled.disabled_reason).to.equal('fails since 2026-11-21T12:00:00.000000Z: answered 503');
    const events = await store.events.claim(10, 1_000);
    expect(events.map(({ type }) => type)).to.deep.equal(['subscription_disabled']);
    await noted(1, FAILED);
    expect(await store.events.claim(10, 1_000), 'once').to.deep.equal([]);
  });

  it('counts anew from the last delivery that went well', async () => {
    await noted(0, FAILED);
    expect(await noted(HOUR_MS, DELIVERED)).to.include({ failing_since: null });
    await noted(0, FAILED);
    expect(await noted(HOUR_MS, FAILED)).to.include({ enabled: true });
  });

  it('never disables for failures when it is told so', async () => {
    await noted(0, FAILED, 0);
    expect(await noted(10_000 * HOUR_MS, FAILED, 0)).to.include({ enabled: true });
  });
});
