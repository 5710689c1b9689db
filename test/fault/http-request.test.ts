// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
/**
 * A daemon that is killed between any two steps of a request to the web: what the flow asks for is asked at least once,
 * always under one Idempotency-Key, the flow goes on with its answer, and nothing is left hanging.
 */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import { action } from '../support/caller.ts';
import { Canary } from '../support/canary.ts';
import type { Daemon } from '../support/daemon.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { eventually } from '../support/inbox.ts';

const COMMITS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const POINTS = [
  'before activeflows.create 1',
  'after activeflows.create 2',
  ...COMMITS.flatMap((nth) => [`before activeflows.commit ${nth}`, `after activeflows.commit ${nth}`]),
  'after activeflows.claimDue 1',
  'after handler 3',
  'after handler 5',
  'before bus.publish 2',
];
/** Of the three requests that each flow asks for, each is asked for twice. */
const ON_THE_WEB = [1, 2, 3, 4, 5, 6].flatMap((nth) => [
  { when: 'when it is there', nth },
  { when: 'after its answer', nth },
]);
const FLAGS = { lease_ms: 600, http_allow_private: '127.0.0.1' };

onFaultStage(
  'a request to the web, a crash',
  (get) => {
    let web: Canary;
    let daemon: Daemon;
    /** Called with the number of each request that the web server gets, and how far it is. */
    let watch: (nth: number, when: string) => void;

    before(async function () {
      this.timeout(60_000);
      web = await Canary.start();
      web.answer = answer;
      daemon = await get().runSpare();
    });

    after(() => web.stop());

    beforeEach(() => {
      web.requests.length = 0;
      watch = () => undefined;
    });

    /** Refuses what it sees for the first time, so that everything is tried again, also without a crash. */
    function answer(response: ServerResponse): void {
      const nth = web.requests.length;
      const key = web.requests[nth - 1]?.headers['idempotency-key'];
      const first = web.requests.filter(({ headers }) => headers['idempotency-key'] === key).length === 1;
      watch(nth, 'when it is there');
      response.writeHead(first ? 503 : 200).end(JSON.stringify({ key }), () => watch(nth, 'after its answer'));
    }

    const ask = (label: string) =>
      action(
        'http_request',
        {
          method: 'POST',
          url: `http://127.0.0.1:${web.port}/\${voipbin.activeflow.id}/${label}`,
          body: { label },
          extract: { [label]: '/key' },
        },
        // More tries than crashes: an answer that a dead daemon took with it is none of the flow's failures.
        { retry: { attempts: 5, initial_ms: 20, factor: 1 } },
      );

    /** The one key under which a flow has asked for something, and what it has made of the answer. */
    async function check(id: string, labels: readonly string[]): Promise<void> {
      const { caller } = get();
      const asked = labels.map((label) => {
        const keys = web.requests.flatMap(({ path, headers }) => (path === `/${id}/${label}` ? headers['idempotency-key'] : []));
        expect(keys.length, label).least(2);
        expect(new Set(keys).size, `keys of ${label}`).equal(1);
        return [label, keys[0]];
      });
      expect(new Set(asked.map(([, key]) => key)).size, 'each its own').equal(labels.length);
      expect(await caller.variables(id)).include(Object.fromEntries(asked));
      const outcomes = (await caller.trace(id)).map(({ outcome }) => outcome);
      expect(outcomes).not.include('failed');
      expect(outcomes.filter((outcome) => outcome === 'run')).length(labels.length);
    }

    async function called(): Promise<void> {
      const { caller } = get();
      const made = await caller.started([ask('one'), action('talk', { text: '${one}' }), ask('two')]);
      for (let at = ACTION_START; at !== ACTION_FINISH; ) at = (await caller.next(made.id, at, randomUUID())).id;
      await check(made.id, ['one', 'two']);
    }

    async function byItself(): Promise<void> {
      const { caller } = get();
      const made = await caller.started([ask('alone')], { reference_type: 'api' });
      await caller.ok('POST', `/v1/activeflows/${made.id}/execute`, {}, randomUUID());
      await eventually('it has ended', async () => (await caller.get(made.id)).status === 'ended', 30_000);
      await check(made.id, ['alone']);
    }

    async function goesOnAfter(arm: () => void): Promise<void> {
      const stage = get();
      arm();
      let dead = false;
      const exited = daemon.exited.finally(() => {
        dead = true;
      });
      const journeys = (async () => {
        for (let tries = 0; tries === 0 || !dead; tries += 1) {
          if (tries === 4) throw new Error('the point was not reached');
          await Promise.all([called(), byItself()]);
        }
      })();
      const { signal } = await Promise.race([exited, journeys.then(() => exited)]);
      expect(signal).equal('SIGKILL');
      daemon = await stage.runSpare();
      await journeys;
    }

    for (const point of POINTS) {
      it(`at ${point}`, async function () {
        this.timeout(60_000);
        await goesOnAfter(() => daemon.tell(`crash ${point}`));
      });
    }

    for (const { when, nth } of ON_THE_WEB) {
      it(`at request ${nth}, ${when}`, async function () {
        this.timeout(60_000);
        await goesOnAfter(() => {
          watch = (at, how) => {
            if (at === nth && how === when) daemon.signal('SIGKILL');
          };
        });
      });
    }

    it('left nothing behind', async function () {
      this.timeout(60_000);
      await get().settled(40_000);
    });
  },
  FLAGS,
);
