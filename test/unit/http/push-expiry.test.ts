/** A connection of the push channel lives as long as the token that it was opened with; what comes after is not lost. */
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { type Alarm, at, LONGEST_TIMER_MS } from '../../../pkg/http/push/alarm.ts';
import { eventRoutes } from '../../../pkg/http/routes/events.ts';
import type { Context } from '../../../pkg/service/context.ts';
import type { PushedEvent } from '../../../pkg/service/ports.ts';
import { PushHub } from '../../../pkg/service/push/hub.ts';
import { startGateway, type TestGateway, token } from '../../support/gateway.ts';
import { PushReader } from '../../support/push-reader.ts';
import { RecordingLog, RecordingMeter } from '../../support/recorders.ts';

/** Time that goes on when it is told to; it is the tokens' own, so that they are taken when a test begins. */
class ManualAlarm implements Alarm {
  #now = Date.now();
  readonly #set = new Set<{ readonly due: number; readonly work: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, work: () => void): () => void {
    expect(ms).to.be.within(0, LONGEST_TIMER_MS);
    const one = { due: this.#now + ms, work };
    this.#set.add(one);
    return () => this.#set.delete(one);
  }

  get waiting(): number {
    return this.#set.size;
  }

  goOn(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#set].sort((a, b) => a.due - b.due);
      if (!next || next.due > end) break;
      this.#set.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.work();
    }
    this.#now = end;
  }
}

const CALL = '6070aa8c-d7b7-4500-8f59-000000000001';
/** What the authenticator tolerates beyond `exp`. */
const TOLERANCE_MS = 5_000;

describe('the end of a token', () => {
  let alarm: ManualAlarm;
  let gateway: TestGateway;
  let hub: PushHub;
  let wake: () => void;
  const stored: PushedEvent[] = [];

  beforeEach(async () => {
    alarm = new ManualAlarm();
    stored.length = 0;
    const pushes = {
      heads: async (owners: readonly string[]) => new Map(owners.map((owner) => [owner, stored.length])),
      read: async (_: string, after: number, most: number) => stored.slice(after, after + most),
    };
    let owner = '';
    const cache = {
      subscribe: async (_: string, listener: (owner: string) => void) => {
        wake = () => listener(owner);
        return async () => undefined;
      },
    };
    const store = {
      pushes: {
        ...pushes,
        heads: async (owners: readonly string[]) => {
          [owner = ''] = owners;
          return pushes.heads(owners);
        },
      },
    };
    const context = { store, cache, log: new RecordingLog(), meter: new RecordingMeter() } as unknown as Context;
    hub = new PushHub(context);
    await hub.start();
    gateway = await startGateway(eventRoutes({ push: hub, context }, alarm));
  });

  afterEach(async () => {
    await gateway.close();
    await hub.close();
  });

  function happens(name: string): void {
    stored.push({ seq: stored.length + 1, workflow_call_id: CALL, name, data: { id: CALL } });
    wake();
  }

  async function expiring(inMs: number): Promise<{ readonly jwt: string; readonly left: number }> {
    const exp = Math.floor((alarm.now() + inMs) / 1_000);
    return { jwt: await token({ exp }), left: exp * 1_000 + TOLERANCE_MS - alarm.now() };
  }

  it('ends server-sent events, and the reader goes on with a new one after the last that it got', async () => {
    const { jwt, left } = await expiring(60_000);
    const first = await PushReader.open(`${gateway.url}/v1/events`, { authorization: `Bearer ${jwt}` });
    happens('one');
    await first.until(1);
    alarm.goOn(left - 1);
    happens('two');
    await first.until(2);
    expect(first.closed).to.equal(false);
    alarm.goOn(1);
    await first.over;
    happens('three');
    expect(first.events.map(({ name }) => name)).to.deep.equal(['one', 'two']);
    const again = await PushReader.open(`${gateway.url}/v1/events`, {
      authorization: `Bearer ${await token()}`,
      'last-event-id': first.ids.at(-1) ?? '',
    });
    expect((await again.until(1)).map(({ name }) => name)).to.deep.equal(['three']);
    again.close();
    await again.over;
  });

  it('closes a WebSocket with 4401', async () => {
    const { jwt, left } = await expiring(60_000);
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/events?access_token=${jwt}`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    alarm.goOn(left);
    expect(await closed).to.equal(4401);
    expect(hub.connections).to.equal(0);
  });

  it('ends it at once when it is over already, and counts nobody as slow', async () => {
    const { jwt } = await expiring(60_000);
    alarm.goOn(10 * 60_000);
    const reader = await PushReader.open(`${gateway.url}/v1/events?last_event_id=0`, { authorization: `Bearer ${jwt}` });
    alarm.goOn(0);
    await reader.over;
    happens('one');
    expect([reader.events.length, hub.connections]).to.deep.equal([0, 0]);
  });

  it('cuts a reader that does not take the end, and leaves no timer of one that is gone', async () => {
    const { jwt, left } = await expiring(60_000);
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/events?access_token=${jwt}`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.pause();
    alarm.goOn(left);
    expect(alarm.waiting).to.equal(1);
    alarm.goOn(10_000);
    socket.resume();
    await closed;
    expect(alarm.waiting).to.equal(0);

    const gone = await PushReader.open(`${gateway.url}/v1/events`, { authorization: `Bearer ${await token()}` });
    alarm.goOn(0);
    expect(alarm.waiting).to.equal(1);
    gone.close();
    while (alarm.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('may be further away than a timer reaches', () => {
    let called = 0;
    const callOff = at(alarm.now() + 3 * LONGEST_TIMER_MS, alarm, () => {
      called += 1;
    });
    alarm.goOn(3 * LONGEST_TIMER_MS - 1);
    expect(called).to.equal(0);
    alarm.goOn(1);
    expect([called, alarm.waiting]).to.deep.equal([1, 0]);
    callOff();
  });
});
