/** Endpoints on one host share its connections: those that never answer leave enough of them to the others. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { SafeHttpClient } from '../../../pkg/http/safe-client.ts';
import type { Subscription } from '../../../pkg/model/subscription.ts';
import type { Context } from '../../../pkg/service/context.ts';
import type { Store } from '../../../pkg/service/ports.ts';
import { Deliveries } from '../../../pkg/service/subscription/deliveries.ts';
import { Health } from '../../../pkg/service/subscription/health.ts';
import { openSqliteStore } from '../../../pkg/store/index.ts';
import { Loop } from '../../../pkg/timer/loop.ts';
import { QuietLog } from '../../support/quiet_log.ts';
import { RecordingMeter } from '../../support/recorders.ts';
import { laneOf, subscriptionTo } from '../../support/subscriptions.ts';
import { WebhookReceiver } from '../../support/webhook-receiver.ts';

const CONNECTIONS = 10;
/** Longer than a test may take: nothing here is solved by a request that is given up. */
const FOR_EVER_MS = 60_000;

describe('an endpoint that never answers', () => {
  let store: Store;
  let receiver: WebhookReceiver;
  let http: SafeHttpClient;
  let deliveries: Deliveries;
  let loop: Loop;

  beforeEach(async () => {
    store = openSqliteStore({ file: ':memory:' });
    await store.migrate();
    receiver = await WebhookReceiver.start();
    const log = new QuietLog();
    const meter = new RecordingMeter();
    http = new SafeHttpClient({ allowPrivate: '127.0.0.1', connections: CONNECTIONS, meter });
    const clock = { now: () => Date.now() };
    const context = { store, http, clock, ids: { next: () => randomUUID() }, meter, log } as unknown as Context;
    const options = { lanes: 200, lanes_of_one: 200, host_connections: CONNECTIONS };
    deliveries = new Deliveries(context, new Health(context, 0), options);
    loop = new Loop('deliveries', 50, () => deliveries.turn(), log);
    deliveries.onRoom = () => loop.soon();
  });

  afterEach(async () => {
    await loop.close();
    // Their connections end with it: what was sent there has failed.
    await receiver.stop();
    await deliveries.close();
    await http.close();
    await store.close();
  });

  async function subscribed(path: string, lanes: number): Promise<Subscription> {
    const made = subscriptionTo(`${receiver.url}${path}`, { timeout_ms: FOR_EVER_MS });
    await store.subscriptions.create(made);
    await store.deliveries.add(
      Array.from({ length: lanes }, () => laneOf(made, 1, FOR_EVER_MS + 5_000)),
      1_000,
    );
    return made;
  }

  it('and has 500 lanes: others on its host are delivered while all that it was sent hangs', async () => {
    let answered = 20;
    receiver.answer = (response, { path }) => {
      if (path === '/live') response.end();
      else if (answered > 0) {
        answered -= 1;
        response.end();
      }
    };
    await subscribed('/dead', 500);
    loop.start();
    // It answered until now, so it has all that one may have.
    const most = CONNECTIONS / 2;
    await receiver.until(() => receiver.of('/dead').length === 20 + most);
    await subscribed('/live', 50);
    loop.soon();
    await receiver.until(() => receiver.of('/live').length === 50);
    expect(receiver.of('/dead')).to.have.length(20 + most);
  });

  it('known to be silent, as many others are: they keep to half of the connections', async () => {
    receiver.answer = (response, { path }) => {
      if (path === '/live') response.end();
    };
    for (let count = 0; count < 3 * CONNECTIONS; count += 1) {
      const one = await subscribed('/dead', 5);
      await store.subscriptions.update({ ...one, failing_since: '2026-01-01T00:00:00.000000Z', revision: 2 }, 1, []);
    }
    loop.start();
    await receiver.until(() => receiver.of('/dead').length === CONNECTIONS / 2);
    await subscribed('/live', 50);
    loop.soon();
    await receiver.until(() => receiver.of('/live').length === 50);
    expect(receiver.of('/dead')).to.have.length(CONNECTIONS / 2);
  });
});
