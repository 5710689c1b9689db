/**
 * Promise 5: a failover that leaves the server behind as a read-only replica, and settings that make its commits less
 * than safe. By a user without the privilege that read_only does not hold for.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import { action } from '../support/caller.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { eventually } from '../support/inbox.ts';
import { eachOf, Load } from '../support/load.ts';

const ACTIONS = 4;
const WORKERS = 8;

onFaultStage('a read-only database', (get) => {
  it('is said to be unsafe, refused, left, and written to again; what was answered is stored', async function () {
    this.timeout(120_000);
    const stage = get();
    const user = `dml_${randomUUID().slice(0, 8)}`;
    await stage.sql(`CREATE USER '${user}'@'%' IDENTIFIED BY 'dml'`);
    await stage.sql(`GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX ON ${stage.database.name}.* TO '${user}'@'%'`);
    await stage.sql('SET GLOBAL innodb_flush_log_at_trx_commit = 2');
    const daemon = await stage.run(stage.load({ dbDSN: stage.database.dsn.replace(/^[^@]*@/, `${user}:dml@`) }));
    await stage.sql('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
    expect(daemon.stderr).to.match(/"setting":"innodb_flush_log_at_trx_commit","value":"2","expected":"1"/);

    const connections = async (): Promise<Set<number>> => {
      const sql = 'SELECT id FROM information_schema.processlist WHERE user = ?';
      return new Set((await stage.sql<{ id: number }>(sql, [user])).map(({ id }) => id));
    };
    const told = new Map<string, string[]>();
    const flow = await stage.caller.flow(Array.from({ length: ACTIONS }, (_, n) => action('talk', { text: String(n) })));
    const walk = async (): Promise<void> => {
      const { id } = await stage.caller.activeflow(flow);
      const actions: string[] = [];
      told.set(id, actions);
      for (let at = ACTION_START; at !== ACTION_FINISH; ) {
        at = (await stage.caller.next(id, at, randomUUID())).id;
        if (at !== ACTION_FINISH) actions.push(at);
      }
    };
    await walk();
    const load = Load.start(WORKERS, walk);
    await eventually('callers are at it', () => told.size > WORKERS);
    const before = await connections();
    await stage.sql('SET GLOBAL read_only = 1');
    await eventually('requests are refused', () => stage.client.refused.length > WORKERS);
    const envelope = { uri: '/v1/flows', method: 'POST', data: { customer_id: randomUUID(), actions: [] } };
    // One that wants no answer waits, and is not lost.
    await stage.bus.publish([{ exchange: '', routing_key: stage.requests, body: JSON.stringify(envelope) }]);
    await eventually('every connection from before is left', async () => {
      const now = await connections();
      return [...before].every((id) => !now.has(id));
    });
    expect(daemon.stderr).to.match(/takes no writes any more/);
    await stage.sql('SET GLOBAL read_only = 0');
    const refused = stage.client.refused.length;
    const sofar = told.size;
    await eventually('callers go on', () => told.size > sofar + WORKERS, 20_000);
    await load.stop();
    await stage.settled(30_000);
    await eventually('the one that nobody waits for is done', async () => {
      const sql = 'SELECT COUNT(*) AS count FROM flows WHERE customer_id = ?';
      return (await stage.sql<{ count: number }>(sql, [envelope.data.customer_id]))[0]?.count === 1;
    });
    for (const { status_code, data } of stage.client.refused)
      expect({ status_code, data })
        .to.deep.include({ status_code: 503 })
        .and.to.have.nested.property('data.reason', 'DATABASE_UNAVAILABLE');
    console.log(`    ${told.size} activeflows, ${refused} requests refused while it was read-only`);
    await eachOf([...told], 10, async ([id, actions]) => {
      const lines = (await stage.caller.trace(id)).filter((line) => line.outcome === 'handed_over');
      expect(lines.map((line) => line.action.id)).to.deep.equal(actions);
    });
  });
});
