/**
 * Calls of workflows and kill -9: a daemon kills itself at each step of a call, a fresh one goes on. Whatever happens,
 * each accepted call has exactly one response: one row, one push, one event by its id, one next call.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { type ActiveflowView, action } from '../support/caller.ts';
import type { Daemon } from '../support/daemon.ts';
import { EventCollector } from '../support/events.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { JWT_SECRET, token } from '../support/gateway.ts';
import { eventually } from '../support/inbox.ts';
import { PushReader } from '../support/push-reader.ts';

const POINTS = [
  'before workflows.createCall 1',
  'after workflows.createCall 1',
  'before handler 1',
  'after handler 1',
  'before activeflows.commit 1',
  'after activeflows.commit 1',
  'before bus.request 1',
  'after bus.request 1',
  'before workflows.call 1',
  'after workflows.call 1',
  'before activeflows.commit 2',
  'after activeflows.commit 2',
  'before activeflows.commit 3',
  'after activeflows.commit 3',
  'before activeflows.commit 4',
  'after activeflows.commit 4',
  'before activeflows.commit 5',
  'after activeflows.commit 5',
  'before bus.publish 1',
  'after bus.publish 1',
  'before bus.publish 3',
  'after bus.publish 3',
  'before events.done 1',
  'after events.done 1',
  'after activeflows.claimDue 1',
] as const;

interface CallView {
  readonly id: string;
  readonly state: string;
  readonly delivery: { readonly workflow_call_id?: string } | null;
}

const send = () =>
  action('message_send', { source: { type: 'tel', target: '+1' }, destinations: [{ type: 'tel', target: '+2' }], text: 'x' });
const respond = action('workflow_response', { data: { a: 1 } });

onFaultStage(
  'a call of a workflow and a crash at',
  (get) => {
    const customer_id = randomUUID();
    const events = new EventCollector();
    const made: { id: string; state: string; chained: boolean }[] = [];
    let daemon: Daemon;

    before(async function () {
      this.timeout(60_000);
      daemon = await get().runSpare();
      await events.attach(get().bus, get().events);
      await callable('answers', [send(), respond, send()]);
      await callable('ends', [send()]);
      await callable('late', [action('block')], { timeout: 150 });
    });

    async function callable(alias: string, actions: readonly object[], more: object = {}): Promise<void> {
      const { caller } = get();
      const flow = await caller.flow(actions, { customer_id, persist: true });
      await caller.ok('PUT', `/v1/flows/${flow.id}/callable`, { alias, ...more });
    }

    /** One call, made as often as it takes to be answered, under one key. */
    async function call(workflow: string, asyncResponse: object, state: string): Promise<void> {
      const { caller } = get();
      const data = { customer_id, user: 'anna', asyncResponse };
      const answer = await caller.rpc('POST', `/v1/workflows/${workflow}/call`, data, randomUUID());
      expect(answer.status_code, JSON.stringify(answer)).to.equal(202);
      const { id } = answer.data as unknown as CallView;
      made.push({ id, state, chained: 'id' in asyncResponse });
      await eventually(
        `${workflow} ${id} is answered`,
        async () => (await caller.ok<CallView>('GET', `/v1/workflow_calls/${id}`)).state === state,
        20_000,
      );
    }

    async function calls(): Promise<void> {
      await call('answers', { type: 'KVIEW' }, 'SUCCESS');
      await call('ends', { type: 'WORKFLOW', id: 'answers' }, 'SUCCESS');
      await call('late', { type: 'EMBEDDED' }, 'TIMEOUT');
    }

    for (const point of POINTS) {
      it(point, async function () {
        this.timeout(60_000);
        const { exited } = daemon;
        daemon.tell(`crash ${point}`);
        const done = calls();
        const { signal } = await Promise.race([
          exited,
          done.then(() => {
            throw new Error('the point was not reached');
          }),
        ]);
        expect(signal).to.equal('SIGKILL');
        daemon = await get().runSpare();
        await done;
      });
    }

    it('left one response to each call, and nothing behind', async function () {
      this.timeout(60_000);
      const stage = get();
      await stage.settled(30_000);
      const rows = await stage.sql<{ id: string; tm_end: string | null; user_id: string }>('SELECT * FROM workflow_calls');
      expect(rows.filter((row) => row.tm_end === null)).to.deep.equal([]);
      // No call but those that were answered, and one for each response that was to be one.
      expect(rows).to.have.lengthOf(made.length + made.filter((one) => one.chained).length);
      const pushed = await stage.sql<{ workflow_call_id: string }>('SELECT workflow_call_id FROM push_events');
      expect(pushed.map((row) => row.workflow_call_id)).to.have.members(made.filter((one) => !one.chained).map((one) => one.id));
      for (const { id, state, chained } of made) {
        const view = await stage.caller.ok<CallView>('GET', `/v1/workflow_calls/${id}`);
        expect(view.state).to.equal(state);
        if (chained) expect(view.delivery?.workflow_call_id).to.be.a('string');
        expect((await stage.caller.ok<ActiveflowView>('GET', `/v1/activeflows/${id}`)).status).to.equal('ended');
      }
      for (const { id } of rows) {
        const seen = (await events.until(id, 'workflow_response_created')).filter(
          (one) => one.type === 'workflow_response_created',
        );
        expect(new Set(seen.map((one) => `${one.message_id} ${JSON.stringify(one.data)}`)).size).to.equal(1);
      }
      await events.detach();
    });
  },
  { lease_ms: 600 },
);

onFaultStage(
  'the push channel of two daemons',
  (get) => {
    it('brings each event to the tabs at both, and a tab whose daemon is killed goes on at the other', async function () {
      this.timeout(60_000);
      const stage = get();
      const customer_id = randomUUID();
      const daemons = [await stage.run(), await stage.run()] as const;
      const gateways = await Promise.all(
        daemons.map(async ({ ready }) => `http://${/http at (\S+),/.exec(await ready)?.[1]}/v1/events`),
      );
      const headers = { authorization: `Bearer ${await token({ org: customer_id, sub: 'anna' })}` };
      const open = (at: number, more: Readonly<Record<string, string>> = {}) =>
        PushReader.open(String(gateways[at]), { ...headers, ...more });
      const [first, second] = [await open(0), await open(1)];
      const flow = await stage.caller.flow([respond], { customer_id, persist: true });
      await stage.caller.ok('PUT', `/v1/flows/${flow.id}/callable`, { alias: 'answers' });
      for (let made = 0; made < 6; made += 1) {
        const data = { customer_id, user: 'anna', asyncResponse: { type: 'KVIEW' } };
        expect((await stage.caller.rpc('POST', '/v1/workflows/answers/call', data)).status_code).to.equal(202);
      }
      const events = await second.until(6);
      expect(await first.until(6)).to.deep.equal(events);

      await daemons[0].kill();
      await eventually('its tab is cut off', () => first.closed);
      const again = await open(1, { 'last-event-id': first.ids[1] ?? '' });
      expect(await again.until(4)).to.deep.equal(events.slice(2));
      second.close();
      again.close();
    });
  },
  { http_listen_addr: '127.0.0.1:0', http_jwt_secret: JWT_SECRET },
);
