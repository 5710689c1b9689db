/**
 * Waiting for a job and kill -9: between every two steps of starting a job, waiting for it, its end, the word of that,
 * and cutting a caller off, a daemon dies and another goes on. Whoever waits goes on once, and is never left waiting.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { type ActiveflowView, action, CUSTOMER, type FlowView } from '../support/caller.ts';
import type { Daemon } from '../support/daemon.ts';
import { playOverDeath } from '../support/dying.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { eventually } from '../support/inbox.ts';

const COMMITS = Array.from({ length: 18 }, (_, at) => at + 1);
const POINTS = [
  ...COMMITS.flatMap((nth) => [`before activeflows.commit ${nth}`, `after activeflows.commit ${nth}`]),
  ...[1, 2, 3, 4, 5].flatMap((nth) => [`before participants.read ${nth}`, `after participants.read ${nth}`]),
  ...[1, 2, 3, 4].map((nth) => `before participants.waiting ${nth}`),
  'after participants.waiting 1',
  'before lists.put 2',
  'after lists.put 2',
  ...[1, 2, 3].flatMap((nth) => [`before bus.request ${nth}`, `after bus.request ${nth}`]),
];

const LONG_MS = 20_000;

onFaultStage(
  'waiting for a job and a crash',
  (get) => {
    let daemon: Daemon;
    let quick: FlowView;
    let standing: FlowView;

    before(async function () {
      this.timeout(60_000);
      daemon = await get().runSpare();
      const { caller } = get();
      quick = await caller.flow([message('job'), action('variable_set', { key: 'result', value: 'quick' })]);
      standing = await caller.flow([action('block'), action('workflow_response', { data: { name: 'Lee' } })]);
    });

    /** A flow without a caller, and a job that is over when it is. */
    async function conversation(): Promise<void> {
      const { caller } = get();
      const made = await caller.started([start(quick), wait(), message('${participant.job.who.result}')], {
        reference_type: 'api',
      });
      await caller.ok('POST', `/v1/activeflows/${made.id}/execute`, {}, randomUUID());
      await eventually('it ends', async () => (await caller.get(made.id)).status === 'ended', LONG_MS);
      const trace = await caller.trace(made.id);
      expect(trace.filter(({ outcome }) => outcome === 'failed')).deep.equal([]);
      const told = get().siblings.sent.filter(({ text }) => text.startsWith(made.id) && !text.endsWith('job'));
      expect([...new Set(told.map(({ text }) => text))]).deep.equal([`${made.id} quick`]);
      expect(new Set(told.map(({ request }) => request)).size, 'each once').equal(1);
    }

    /** A call that is played to meanwhile, and asks again when it is cut off. */
    async function call(): Promise<void> {
      const { caller, siblings } = get();
      const hold = action('talk', { text: 'please hold' });
      const waits = wait({ while_waiting: [hold] });
      const made = await caller.started([
        start(standing),
        waits,
        action('talk', { text: 'Hello ${participant.job.who.result.name}' }),
      ]);
      expect((await caller.next(made.id, undefined, randomUUID())).id).equal(hold.id);
      await release(made);
      await eventually('it is cut off', () => siblings.of('call', `${made.reference_id}/action-next`).length > 0, LONG_MS);
      expect((await caller.next(made.id, hold.id, randomUUID())).option).deep.equal({ text: 'Hello Lee' });
      const cuts = siblings.of('call', `${made.reference_id}/action-next`).map(({ request_id }) => request_id);
      expect(new Set(cuts).size, 'one interruption, told once or more').equal(1);
      await caller.ok('POST', `/v1/activeflows/${made.id}/stop`, {}, randomUUID());
    }

    /** The job goes on from its block. */
    async function release({ reference_id }: ActiveflowView): Promise<void> {
      const { caller } = get();
      const uri = `/v1/participants/call/${String(reference_id)}`;
      const { entries } = await caller.ok<{ entries: { value: { id: string } }[] }>('GET', uri, { customer_id: CUSTOMER });
      const job = entries[0]?.value.id ?? '';
      let block = '';
      const stands = async (): Promise<boolean> => {
        const { current_action } = await caller.get(job);
        block = current_action.id;
        return current_action.type === 'block';
      };
      await eventually('the job stands', stands, LONG_MS);
      await caller.ok('POST', `/v1/activeflows/${job}/continue`, { current_action_id: block }, randomUUID());
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
        await playOverDeath(daemon, journey, async () => {
          daemon = await get().runSpare();
        });
      });
    }

    it('left nothing behind', async function () {
      this.timeout(60_000);
      await get().settled(40_000);
      const left = await get().sql<{ value: string; waiters: string | null }>('SELECT value, waiters FROM participants');
      expect(left).length.least(POINTS.length);
      for (const { value, waiters } of left) {
        expect(JSON.parse(value)).include({ status: 'SUCCESS' });
        expect(waiters).equal(null);
      }
    });
  },
  { lease_ms: 600 },
);

const start = ({ id }: FlowView) => action('job_start', { name: 'who', flow_id: id });
const wait = (option: object = {}) => action('job_wait', { name: 'who', ...option });
const message = (text: string) =>
  action('message_send', { text: `\${voipbin.activeflow.id} ${text}`, destinations: [{ type: 'tel', target: '+1' }] });
