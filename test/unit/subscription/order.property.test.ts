/** Whatever endpoints do and however many processes deliver: each lane in its order, nothing lost, losses named. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { unavailable } from '../../../pkg/error/index.ts';
import type { HttpRequest } from '../../../pkg/model/http.ts';
import type { Context } from '../../../pkg/service/context.ts';
import type { HttpAnswer, Store } from '../../../pkg/service/ports.ts';
import { Deliveries } from '../../../pkg/service/subscription/deliveries.ts';
import { Health } from '../../../pkg/service/subscription/health.ts';
import { openSqliteStore } from '../../../pkg/store/index.ts';
import { QuietLog } from '../../support/quiet_log.ts';
import { RecordingMeter } from '../../support/recorders.ts';
import { laneOf, subscriptionTo } from '../../support/subscriptions.ts';

type Fate = 'ok' | 'down' | 'reset' | 'reset after it was taken' | 'no';

interface Sent {
  readonly id: string;
  readonly sequence: number;
  readonly missing: readonly number[];
  readonly fate: Fate;
}

/** Endpoints that do what was drawn, one draw for each request; well when there is none left. */
class Web {
  readonly sent = new Map<string, Sent[]>();
  readonly #fates: Fate[];
  #at = new Set<string>();
  together = 0;

  constructor(fates: readonly Fate[]) {
    this.#fates = [...fates];
  }

  request = async ({ text = '', headers = {} }: HttpRequest): Promise<HttpAnswer> => {
    const body = JSON.parse(text) as { lane: string; sequence: number; missing?: number[] };
    if (this.#at.has(body.lane)) this.together += 1;
    this.#at.add(body.lane);
    const fate = this.#fates.pop() ?? 'ok';
    const id = String(headers['webhook-id']);
    const lane = this.sent.get(body.lane) ?? [];
    this.sent.set(body.lane, [...lane, { id, sequence: body.sequence, missing: body.missing ?? [], fate }]);
    await new Promise((resolve) => setImmediate(resolve));
    this.#at.delete(body.lane);
    if (fate.startsWith('reset')) throw unavailable('HTTP_FAILED', 'ECONNRESET');
    return { status: { ok: 200, down: 503, no: 400 }[fate as 'ok' | 'down' | 'no'], headers: {}, body: '' };
  };
}

function processOn(store: Store, web: Web): Deliveries {
  const context = {
    store,
    http: { request: web.request },
    clock: { now: () => Date.now() },
    ids: { next: () => randomUUID() },
    meter: new RecordingMeter(),
    log: new QuietLog(),
  } as unknown as Context;
  return new Deliveries(context, new Health(context, 0), { lanes: 4, lanes_of_one: 3, host_connections: 6 });
}

const fates = fc.array(fc.constantFrom<Fate>('ok', 'ok', 'down', 'reset', 'reset after it was taken', 'no'), { maxLength: 60 });
const lengths = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 5 });

describe('deliveries, under random failures', () => {
  it('keep the order of each lane, lose nothing and name what failed', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(fates, lengths, fc.integer({ min: 1, max: 3 }), async (drawn, counts, processes) => {
        const store = openSqliteStore({ file: ':memory:' });
        await store.migrate();
        const web = new Web(drawn);
        const retry = { attempts: 1, initial_ms: 1, max_ms: 1, factor: 1, max_retry_after_ms: 0 };
        const subscription = subscriptionTo('https://a.example', { retry });
        await store.subscriptions.create(subscription);
        const lanes = counts.map((count) => laneOf(subscription, count));
        await store.deliveries.add(lanes, 100);
        // Again the same: nothing.
        expect(await store.deliveries.add(lanes, 100)).to.deep.equal({ added: 0, dropped: 0 });
        const running = Array.from({ length: processes }, () => processOn(store, web));
        while ((await store.deliveries.backlog()).lanes > 0) {
          for (const one of running) await one.turn();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await Promise.all(running.map((one) => one.close()));
        expect(web.together).to.equal(0);
        for (const lane of lanes) await check(lane, web.sent.get(lane.lane_id) ?? [], store);
        await store.close();
      }),
      { numRuns: 40 },
    );
  });
});

async function check({ deliveries }: ReturnType<typeof laneOf>, sent: readonly Sent[], store: Store): Promise<void> {
  const sequences = sent.map(({ sequence }) => sequence);
  expect(sequences, 'in order').to.deep.equal(sequences.toSorted((a, b) => a - b));
  let lost: number[] = [];
  for (const [index, { id }] of deliveries.entries()) {
    const tries = sent.filter((one) => one.sequence === index + 1);
    expect(tries.length, 'tries').to.be.within(1, 2);
    expect(tries.map((one) => one.id)).to.deep.equal(tries.map(() => id));
    for (const { missing } of tries) expect(missing).to.deep.equal(lost);
    const delivered = tries.at(-1)?.fate === 'ok';
    lost = delivered ? [] : [...lost, index + 1];
    expect((await store.deliveries.get(id))?.status).to.equal(delivered ? 'delivered' : 'failed');
  }
}
