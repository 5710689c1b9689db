/**
 * Promise 5: the database away. Its connections are killed, then the server itself, with callers in the middle of
 * their requests. Every answer that a caller has got is stored; what was not answered can be repeated.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import { action, type FlowView } from '../support/caller.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { eachOf, Load } from '../support/load.ts';

const ROUNDS = process.env.FLOW_FAULT_LONG === '1' ? 20 : 2;
const WORKERS = 12;
const ACTIONS = 6;

/** What one caller was told about one activeflow. */
interface Told {
  readonly id: string;
  readonly actions: string[];
  variable: string;
  ended: boolean;
}

onFaultStage('the database', (get) => {
  const told: Told[] = [];

  async function walk(flow: FlowView): Promise<void> {
    const { caller } = get();
    const { id } = await caller.activeflow(flow);
    const mine: Told = { id, actions: [], variable: '', ended: false };
    told.push(mine);
    for (let at = ACTION_START; !mine.ended; ) {
      const next = await caller.next(id, at, randomUUID());
      at = next.id;
      mine.ended = at === ACTION_FINISH;
      if (mine.ended) return;
      mine.actions.push(at);
      const value = String(mine.actions.length);
      await caller.ok('POST', `/v1/variables/${id}/variables`, { variables: { n: value } }, randomUUID());
      mine.variable = value;
    }
  }

  /** All of the daemons' connections, idle or in the middle of a statement. */
  async function killConnections(): Promise<number> {
    const stage = get();
    const sql = 'SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()';
    const found = await stage.sql<{ id: number }>(sql, [stage.database.name]);
    // One that has gone by itself meanwhile is no matter.
    await Promise.all(found.map(({ id }) => stage.sql(`KILL ${id}`).catch(() => undefined)));
    return found.length;
  }

  it(`killed under its callers ${ROUNDS} times: what was answered is stored`, async function () {
    this.timeout(ROUNDS * 40_000 + 90_000);
    const stage = get();
    await Promise.all([1, 2].map(() => stage.run()));
    const flow = await stage.caller.flow(Array.from({ length: ACTIONS }, (_, index) => action('talk', { text: String(index) })));
    const load = Load.start(WORKERS, () => walk(flow));
    let killed = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let times = 0; times < 4; times += 1) {
        await sleep(150 + Math.random() * 200);
        killed += await killConnections();
      }
      await sleep(Math.random() * 300);
      await stage.servers.kill('mariadb');
      await stage.servers.start('mariadb');
    }
    await sleep(500);
    await load.stop();
    await stage.settled(30_000);
    console.log(`    ${ROUNDS} kills of the server, ${killed} of connections; ${told.length} activeflows,`);
    console.log(`    ${stage.client.repeats} repeats, ${stage.client.refused.length} of them after a 503`);
    expect(told.length).least(WORKERS);
    expect(killed).least(8 * ROUNDS);
    await eachOf(told, 10, async ({ id, actions, variable, ended }) => {
      const lines = (await stage.caller.trace(id)).filter((line) => line.outcome === 'handed_over');
      expect(
        lines.map((line) => line.action.id),
        `actions of ${id}`,
      ).deep.equal(actions);
      expect((await stage.caller.variables(id)).n, `variable of ${id}`).equal(variable);
      const { status, execute_count } = await stage.caller.get(id);
      expect({ status, execute_count, ended }, id).deep.equal({ status: 'ended', execute_count: ACTIONS + 1, ended: true });
    });
    const rows = await stage.sql<{ count: number }>('SELECT COUNT(*) AS count FROM activeflows');
    expect(rows[0]?.count, 'activeflows that nobody was told of').equal(told.length);
  });
});
