/**
 * A customer who is gone, and old activeflows that are cleared away: killed in the middle, the next process does the rest,
 * and what it is not about stays.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { action, type FlowView } from '../support/caller.ts';
import { EventCollector } from '../support/events.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { eventually } from '../support/inbox.ts';

const CUSTOMERS = 'bin-manager.customer-manager.event';
const POINTS = [
  'before erasures.add 1',
  'after erasures.add 1',
  'after erasures.claim 1',
  'after activeflows.ofCustomer 1',
  'after activeflows.commit 2',
  'after flows.commit 1',
  'after erasures.activeflows 1',
  'before erasures.flows 1',
  'after erasures.flows 1',
  'after erasures.lists 1',
  'after erasures.again 3',
] as const;
const TABLES = { activeflows: 'customer_id', flows: 'customer_id', action_lists: 'owner', subscriptions: 'customer_id' } as const;

onFaultStage('a deleted customer', (get) => {
  const events = new EventCollector();

  before(async function () {
    this.timeout(60_000);
    const stage = get();
    // A daemon declares the exchanges that the rest is bound to.
    await (await stage.run()).kill();
    await events.attach(stage.bus, stage.events);
  });
  after(() => events.detach());

  /** Rows that are the customer's, and rows that hang on its activeflows. */
  async function left(customer: string, activeflows: readonly string[]): Promise<number> {
    const stage = get();
    let count = 0;
    for (const [table, column] of Object.entries(TABLES)) {
      const [row] = await stage.sql<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table} WHERE ${column} = ?`, [customer]);
      count += row?.n ?? 0;
    }
    const [notified] = await stage.sql<{ n: number }>('SELECT COUNT(*) AS n FROM deliveries WHERE body LIKE ?', [
      `%${customer}%`,
    ]);
    count += notified?.n ?? 0;
    for (const id of activeflows) {
      const sql =
        'SELECT (SELECT COUNT(*) FROM trace_steps WHERE activeflow_id = ?) + (SELECT COUNT(*) FROM action_lists WHERE owner = ?) AS n';
      const [row] = await stage.sql<{ n: number }>(sql, [id, id]);
      count += Number(row?.n ?? 0);
    }
    return count;
  }

  async function customer(): Promise<{ readonly customer_id: string; readonly flow: FlowView; readonly ids: string[] }> {
    const { caller } = get();
    const customer_id = randomUUID();
    const actions = Array.from({ length: 12 }, (_, n) => action('talk', { text: `${customer_id} ${n}` }));
    // It is no address that may be reached: what is sent there fails, and stands in the log.
    await caller.ok('POST', '/v1/subscriptions', { customer_id, callback_url: 'http://127.0.0.1:1/' });
    const flow = await caller.flow(actions, { customer_id, persist: true, webhook_uri: 'http://127.0.0.1:1/own' });
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const { id } = await caller.activeflow(flow);
      for (let at = 0; at < 10; at += 1) await caller.next(id, at === 0 ? undefined : actions[at - 1]?.id);
      await caller.ok('POST', `/v1/activeflows/${id}/push_actions`, { actions: [action('talk', { text: 'mine' })] });
      ids.push(id);
    }
    return { customer_id, flow, ids };
  }

  for (const point of POINTS) {
    it(`is erased, with its last events, after a crash ${point}`, async function () {
      this.timeout(90_000);
      const stage = get();
      const first = await stage.runSpare();
      const [gone, stays] = [await customer(), await customer()];
      first.tell(`crash ${point}`);
      const body = JSON.stringify({ type: 'customer_deleted', publisher: 'customer-manager', data: { id: gone.customer_id } });
      await stage.bus.publish([{ exchange: CUSTOMERS, routing_key: 'customer_deleted', body, message_id: randomUUID() }]);
      expect(await first.exited, 'it was to die').to.include({ signal: 'SIGKILL' });
      const second = await stage.runSpare();
      await eventually('all is gone', async () => (await left(gone.customer_id, gone.ids)) === 0, 40_000);
      for (const id of gone.ids) {
        const last = (await events.until(id, 'activeflow_deleted')).at(-1);
        expect(last?.data).to.include({ status: 'ended' });
      }
      await events.until(gone.flow.id, 'flow_deleted');
      expect(await left(stays.customer_id, stays.ids)).to.be.greaterThan(3 + 1 + 1);
      for (const id of stays.ids) expect((await stage.caller.get(id)).status).to.equal('running');
      await second.kill();
    });
  }
});

onFaultStage('retention', (get) => {
  for (const point of [
    'before retention.endedActiveflows 2',
    'after retention.endedActiveflows 1',
    'after retention.unusedLists 1',
  ]) {
    it(`does the rest after a crash ${point}`, async function () {
      this.timeout(60_000);
      const stage = get();
      const first = await stage.run();
      const flow = await stage.caller.flow([action('talk', { text: point })], { persist: true });
      const old: string[] = [];
      for (let n = 0; n < 60; n += 1) {
        const { id } = await stage.caller.activeflow(flow);
        await stage.caller.ok('POST', `/v1/activeflows/${id}/stop`);
        old.push(id);
      }
      const { id: running } = await stage.caller.activeflow(flow);
      await stage.caller.ok('POST', `/v1/activeflows/${running}/push_actions`, { actions: [action('talk', { text: 'mine' })] });
      await eventually('events are published', async () => {
        const [row] = await stage.sql<{ n: number }>('SELECT COUNT(*) AS n FROM activeflows WHERE unsettled_at IS NOT NULL');
        return row?.n === 0;
      });
      await first.kill();
      await stage.sql("UPDATE activeflows SET tm_create = '2020-01-01', tm_update = '2020-01-01'");
      await stage.sql("UPDATE action_lists SET tm_used = '2020-01-01'");
      await stage.sql("INSERT INTO action_lists VALUES ('nobody', 'orphan', '[]', '2020-01-01')");
      const second = stage.load();
      second.tell(`crash ${point}`);
      second.tell('run');
      expect(await second.exited, 'it was to die').to.include({ signal: 'SIGKILL' });
      await stage.run();
      await eventually(
        'the old ones are gone',
        async () => {
          const [row] = await stage.sql<{ n: number }>(
            "SELECT (SELECT COUNT(*) FROM activeflows WHERE id IN (?)) + (SELECT COUNT(*) FROM action_lists WHERE owner = 'nobody') AS n",
            [old as unknown as string],
          );
          return Number(row?.n) === 0;
        },
        20_000,
      );
      expect((await stage.caller.get(running)).status).to.equal('running');
      expect(Object.keys((await stage.caller.get(running)).stack_map)).to.have.length(2);
      await stage.stopAll();
    });
  }
});
