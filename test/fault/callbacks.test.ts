// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
/**
 * Callbacks and kill -9: between every two steps of making an address, taking a request, keeping it, going on with it
 * and cutting a caller off, a daemon dies and another goes on. Whoever calls an address repeats what was not answered.
 * Then each flow has what came exactly once, and nothing that was answered is lost.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { action } from '../support/caller.ts';
import type { Daemon } from '../support/daemon.ts';
import { playOverDeath } from '../support/dying.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { eventually } from '../support/inbox.ts';

const POINTS = [
  'before callbacks.create 1',
  'after callbacks.create 1',
  'after callbacks.newest 1',
  'before callbacks.standing 1',
  'after callbacks.standing 2',
  'before callbacks.oldestKept 2',
  'after callbacks.oldestKept 2',
  'before callbacks.get 1',
  'after callbacks.get 2',
  ...[1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) => [`before activeflows.commit ${n}`, `after activeflows.commit ${n}`]),
  'before lists.put 2',
  'after lists.put 2',
  'before bus.request 1',
  'after bus.request 1',
  'before bus.request 2',
  'after bus.request 2',
];

onFaultStage(
  'a callback and a crash',
  (get) => {
    let daemon: Daemon;
    let gateway = '';

    async function start(): Promise<void> {
      daemon = await get().runSpare();
      gateway = `http://${/http at (\S+?),/.exec(await daemon.ready)?.[1]}`;
    }

    before(async function () {
      this.timeout(60_000);
      await start();
    });

    /** Sends until it is answered: what was taken before is a duplicate then. */
    async function send(url: string, body: string): Promise<number> {
      const [path, headers] = [new URL(url).pathname, { 'idempotency-key': randomUUID() }];
      let code = 0;
      const answers = async (): Promise<boolean> => {
        // From the daemon that runs now.
        const answer = await fetch(gateway + path, { method: 'POST', body, headers }).catch(() => undefined);
        code = answer?.status ?? 500;
        return code < 500;
      };
      await eventually(`${url} answers`, answers, 20_000);
      return code;
    }

    async function variable(id: string, name: string): Promise<string> {
      let value: string | undefined;
      await eventually(
        `${name} is set`,
        async () => {
          value = (await get().caller.variables(id))[name];
          return value !== undefined && value !== '';
        },
        20_000,
      );
      return value ?? '';
    }

    /** Counts what the flow did with what came: a text message each time, which its service drops when it is repeated. */
    const told = (amount: string) =>
      action('message_send', { text: `paid \${${amount}.body.n}`, destinations: [{ type: 'tel', target: '+1' }] });

    /** A flow without a caller that is called before it waits, and then while it waits. */
    async function conversation(): Promise<void> {
      const { caller } = get();
      const block = action('block');
      const create = action('callback_create', { name: 'pay', multi: true });
      const wait = (into: string) => action('callback_wait', { name: 'pay', into });
      const made = await caller.started([create, block, wait('one'), told('one'), wait('two'), told('two')], {
        reference_type: 'api',
      });
      await caller.ok('POST', `/v1/activeflows/${made.id}/execute`, {}, randomUUID());
      const url = await variable(made.id, 'callback.pay.url');
      expect(await send(url, '{"n": 1}')).oneOf([200, 202]);
      await caller.ok('POST', `/v1/activeflows/${made.id}/continue`, { current_action_id: block.id }, randomUUID());
      await variable(made.id, 'one');
      expect(await send(url, '{"n": 2}')).oneOf([200, 202]);
      await eventually('it ends', async () => (await caller.get(made.id)).status === 'ended', 30_000);
      const trace = await caller.trace(made.id);
      expect(trace.filter(({ outcome }) => outcome === 'failed')).deep.equal([]);
      const { one, two } = await caller.variables(made.id);
      expect([JSON.parse(one ?? '{}').body, JSON.parse(two ?? '{}').body]).deep.equal([{ n: 1 }, { n: 2 }]);
      expect(new Set(get().siblings.sent.map(({ text }) => text))).deep.equal(new Set(['paid 1', 'paid 2']));
      expect(new Set(get().siblings.sent.map(({ request }) => request)).size, 'each once').equal(2);
    }

    /** A call that is played to meanwhile, and asks again when it is cut off. */
    async function call(): Promise<void> {
      const { caller, siblings } = get();
      const hold = action('talk', { text: 'please hold' });
      const create = action('callback_create', { name: 'pay' });
      const wait = action('callback_wait', { name: 'pay', into: 'paid', while_waiting: [hold] });
      const made = await caller.started([create, wait, action('talk', { text: 'thank you for ${paid.body.n}' })]);
      expect((await caller.next(made.id, undefined, randomUUID())).id).equal(hold.id);
      const url = await variable(made.id, 'callback.pay.url');
      expect(await send(url, '{"n": 3}')).oneOf([200, 202]);
      await eventually('it is cut off', () => siblings.of('call', `${made.reference_id}/action-next`).length > 0, 20_000);
      expect((await caller.next(made.id, hold.id, randomUUID())).option).deep.equal({ text: 'thank you for 3' });
      const cuts = siblings.of('call', `${made.reference_id}/action-next`).map(({ request_id }) => request_id);
      expect(new Set(cuts).size, 'one interruption, told once or more').equal(1);
      await caller.ok('POST', `/v1/activeflows/${made.id}/stop`, {}, randomUUID());
    }

    async function journey(): Promise<void> {
      get().siblings.asked.length = 0;
      await conversation();
      await call();
    }

    for (const point of POINTS) {
      it(point, async function () {
        this.timeout(90_000);
        daemon.tell(`crash ${point}`);
        await playOverDeath(daemon, journey, start);
      });
    }

    it('left nothing behind', async function () {
      this.timeout(60_000);
      await get().settled(40_000);
      const [row] = await get().sql<{ kept: number; held: number }>(
        "SELECT SUM(status = 'kept') AS kept, SUM(payload IS NOT NULL) AS held FROM callback_arrivals",
      );
      expect([Number(row?.kept), Number(row?.held)], 'requests that no flow has had, and payloads').deep.equal([0, 0]);
    });
  },
  { lease_ms: 600, callback_secret: 'what callbacks are made with', http_public_url: 'https://flows.example.com' },
);
