// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
/**
 * A daemon that is killed between any two steps of a call and of what runs beside it: there is one job, its branches ask
 * for everything once and for nothing else, what nobody waits for is not lost, and no job stays ONGOING.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import type { Json } from '../../pkg/model/json.ts';
import { type ActionView, type ActiveflowView, action, CUSTOMER, type FlowView } from '../support/caller.ts';
import type { Daemon } from '../support/daemon.ts';
import { playOverDeath } from '../support/dying.ts';
import { type FaultStage, onFaultStage } from '../support/fault-stage.ts';

const COMMITS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const POINTS = [
  ...COMMITS.flatMap((nth) => [`before activeflows.commit ${nth}`, `after activeflows.commit ${nth}`]),
  ...[1, 2, 3].map((nth) => `after participants.read ${nth}`),
  ...[1, 2, 4, 5].flatMap((nth) => [`before bus.request ${nth}`, `after bus.request ${nth}`]),
  'after lists.put 1',
  'after handler 2',
];

const message = (label: string) => {
  const [source, target] = [
    { type: 'tel', target: '+12025550100' },
    { type: 'tel', target: '+12025550123' },
  ];
  return action('message_send', { source, destinations: [target], text: `\${voipbin.activeflow.id}/${label}` });
};
const set = (key: string, value: Json) => action('variable_set', { key, value });
const branch = (name: string) => ({ name, actions: [message(`${name}1`), set(name, name), message(`${name}2`)] });

const JOB_EFFECTS = ['a1', 'a2', 'b1', 'b2', 'last'].map((label) => `message /v1/messages ${label}`);

onFaultStage(
  'a job beside a call, a crash at',
  (get) => {
    let daemon: Daemon;
    let job: FlowView;
    let call: FlowView;

    before(async function () {
      this.timeout(60_000);
      daemon = await get().runSpare();
      const { caller } = get();
      job = await caller.flow([
        action('parallel', { branches: [branch('a'), branch('b')] }),
        message('last'),
        action('participant_set', { key: 'seen', value: '${a}${b}' }),
        set('result', '${input.who}: ${a}${b}'),
      ]);
      call = await caller.flow([
        action('talk', { text: 'hello' }),
        action('participant_set', { key: 'who', value: 'Lee' }),
        action('job_start', { name: 'job', flow_id: job.id, inputs: { who: '${participant.who}' } }),
        action('job_start', { name: 'job', flow_id: job.id }),
        action('parallel', { wait: 'none', branches: [{ name: 'aside', actions: [message('aside')] }] }),
        action('talk', { text: 'bye' }),
      ]);
    });

    for (const point of POINTS) {
      it(point, async function () {
        this.timeout(60_000);
        const stage = get();
        daemon.tell(`crash ${point}`);
        await playOverDeath(
          daemon,
          () => journey(stage, call),
          async () => {
            daemon = await stage.runSpare();
          },
        );
      });
    }

    it('left nothing behind', async function () {
      this.timeout(60_000);
      await get().settled(40_000);
      const left = await get().sql<{ value: string }>("SELECT value FROM participants WHERE name = 'job.job'");
      expect(left).length.least(POINTS.length);
      for (const { value } of left) expect(JSON.parse(value)).include({ status: 'SUCCESS', result: 'Lee: ab' });
    });
  },
  { lease_ms: 600 },
);

async function journey({ caller, oracle }: FaultStage, flow: FlowView): Promise<void> {
  const made = await caller.activeflow(flow);
  for (let at = ACTION_START; at !== ACTION_FINISH; ) {
    const next: ActionView = await caller.next(made.id, at, randomUUID());
    at = next.id;
  }
  const data = await until(async () => {
    const uri = `/v1/participants/call/${String(made.reference_id)}`;
    const { entries } = await caller.ok<{ entries: { key: string; value: Json }[] }>('GET', uri, { customer_id: CUSTOMER });
    const known = new Map(entries.map(({ key, value }) => [key, value]));
    const state = known.get('job.job') as { status: string; id: string } | undefined;
    return state && state.status !== 'ONGOING' ? { state, seen: known.get('seen') } : undefined;
  });
  expect(data.state).deep.include({ status: 'SUCCESS', result: 'Lee: ab' });
  expect(data.seen).equal('ab');
  const children = await caller.ok<ActiveflowView[]>('GET', '/v1/activeflows', { reference_activeflow_id: made.id });
  expect(children, `children of ${made.id}`).length(2);
  const aside = children.find(({ id }) => id !== data.state.id)?.id ?? '';
  await until(async () => (oracle.effectsOf(aside).length > 0 ? true : undefined));
  expect(oracle.effectsOf(aside)).deep.equal(['message /v1/messages aside']);
  expect([...oracle.effectsOf(data.state.id)].sort()).deep.equal(JOB_EFFECTS);
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error('stuck');
    await sleep(100);
  }
}
