/**
 * Promise 1 for actions that are tried again: a daemon is killed before, in and after the pause between two tries. A
 * fresh one goes on by itself, no try is left out, and none is made under another request id than its own.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_START } from '../../pkg/model/id.ts';
import { requestId } from '../../pkg/service/context.ts';
import { action } from '../support/caller.ts';
import type { Daemon } from '../support/daemon.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { eventually } from '../support/inbox.ts';
import type { Reply } from '../support/siblings.ts';

const TRIES = 3;
const PHONES = { source: { type: 'tel', target: '+1' }, destinations: [{ type: 'tel', target: '+2' }] };

/** Commits of an executed flow: it begins, its request is to go out, the pause; then two for each try. */
const POINTS = [
  'before activeflows.commit 3',
  'after activeflows.commit 3',
  'before activeflows.commit 4',
  'after activeflows.commit 4',
  'before activeflows.commit 5',
  'after activeflows.commit 5',
  'before bus.request 2',
  'after bus.request 2',
] as const;

onFaultStage(
  'an action that is tried again, over a crash',
  (get) => {
    let daemon: Daemon;
    const talk = action('talk', { text: 'sent' });
    const flowOf = (initial_ms: number) => {
      const retry = { attempts: TRIES, initial_ms, factor: 1 };
      return [action('message_send', { ...PHONES, text: `\${voipbin.activeflow.id}` }, { retry }), talk];
    };

    /** A sibling that drops repeats: it refuses the first tries, each as often as it is asked about it. */
    function refuseAllButTheLast(): void {
      const answers = new Map<string, Reply>();
      get().siblings.script('message', ({ request_id }) => {
        const answer: Reply = answers.get(request_id) ?? (answers.size < TRIES ? { error: 500 } : { data: { id: randomUUID() } });
        answers.set(request_id, answer);
        return answer;
      });
    }

    async function checkTries(id: string): Promise<void> {
      const { siblings, caller } = get();
      const seen = [...new Set(siblings.of('message', id).map((asked) => asked.request_id))];
      const expected = Array.from({ length: TRIES + 1 }, (_, attempt) => requestId(id, 1, 1, attempt));
      expect(seen, 'request ids').deep.equal(expected);
      const lines = (await caller.trace(id)).map(({ outcome, reason }) => `${outcome} ${/try \d/.exec(reason) ?? ''}`.trim());
      expect(lines.slice(0, TRIES + 1)).deep.equal(['retried try 1', 'retried try 2', 'retried try 3', 'run']);
    }

    before(async function () {
      this.timeout(60_000);
      daemon = await get().runSpare();
    });

    for (const point of POINTS) {
      it(`${point}: goes on by itself`, async function () {
        this.timeout(60_000);
        const stage = get();
        refuseAllButTheLast();
        const { id } = await stage.caller.started(flowOf(200), { reference_type: 'api' });
        daemon.tell(`crash ${point}`);
        await stage.caller.ok('POST', `/v1/activeflows/${id}/execute`);
        expect((await daemon.exited).signal).equal('SIGKILL');
        daemon = await stage.runSpare();
        await eventually('it has ended', async () => (await stage.caller.get(id)).status === 'ended', 20_000);
        await checkTries(id);
      });
    }

    it('in the pause, and due when there is no daemon: its caller is answered when it asks again', async function () {
      this.timeout(60_000);
      const stage = get();
      refuseAllButTheLast();
      const { id } = await stage.caller.started(flowOf(500));
      const answer = stage.caller.next(id, ACTION_START, randomUUID());
      await eventually('it pauses', async () => {
        const [row] = await stage.sql<{ state: string }>('SELECT state FROM activeflows WHERE id = ?', [id]);
        return row?.state.includes('"due":"') ?? false;
      });
      await daemon.kill();
      const [row] = await stage.sql<{ paused: number }>(
        'SELECT wake_at < UTC_TIMESTAMP(6) + INTERVAL 600 SECOND AS paused FROM activeflows WHERE id = ?',
        [id],
      );
      expect(row?.paused, 'its time is in the row').equal(1);
      daemon = await stage.runSpare();
      expect((await answer).id).equal(talk.id);
      await checkTries(id);
    });

    it('two daemons side by side make each try once', async function () {
      this.timeout(60_000);
      const stage = get();
      refuseAllButTheLast();
      const other = await stage.runSpare();
      const started = await Promise.all(
        Array.from({ length: 5 }, () => stage.caller.started(flowOf(100), { reference_type: 'api' })),
      );
      for (const { id } of started) {
        refuseAllButTheLast();
        await stage.caller.ok('POST', `/v1/activeflows/${id}/execute`);
        await eventually('it has ended', async () => (await stage.caller.get(id)).status === 'ended', 20_000);
        await checkTries(id);
        expect(stage.siblings.of('message', id), 'requests').lengthOf(TRIES + 1);
      }
      await other.kill();
    });
  },
  { lease_ms: 600 },
);
