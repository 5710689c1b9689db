import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import Libsql from 'libsql';
import { v7 } from 'uuid';
import { unavailable } from '../../../pkg/error/index.ts';
import { ACTION_START, NIL } from '../../../pkg/model/id.ts';
import type { Store } from '../../../pkg/service/ports.ts';
import type { Service } from '../../../pkg/service/service.ts';
import { openSqliteStore } from '../../../pkg/store/index.ts';
import { act, id, queueJoin, talk } from '../../support/engine_flow.ts';
import { gate } from '../../support/inbox.ts';
import { sampleFlow } from '../../support/samples.ts';
import { serviceOn } from '../../support/service_on.ts';

const CUSTOMER = id('owner');

describe('control of an activeflow', () => {
  let folder = '';
  let store: Store;
  const sql = (text: string, ...values: string[]) => {
    const database = new Libsql(join(folder, 'test.db'), { timeout: 5_000 });
    database.prepare(text).run(values);
    database.close();
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flow-control-'));
    store = openSqliteStore({ file: join(folder, 'test.db') });
    await store.migrate();
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  async function started(
    { service, lists }: ReturnType<typeof serviceOn>,
    actions: Parameters<typeof lists.putShared>[1],
    deadline_ms = 0,
    reference_type: 'call' | 'api' = 'call',
  ): Promise<string> {
    const list = await lists.putShared(CUSTOMER, [...actions, talk('own', { next: 'own' }, v7())]);
    const flow = sampleFlow({ id: v7(), customer_id: CUSTOMER, list, deadline_ms });
    await store.flows.commit({ flow, new_version: true, events: [] });
    const rest = { reference_id: v7(), reference_activeflow_id: NIL, webhook_uri: '', webhook_method: '', variables: {} };
    const made = await service.create.create({ id: v7(), customer_id: CUSTOMER, flow_id: flow.id, reference_type, ...rest }, '');
    return String(made.id);
  }

  const statusOf = async (service: Service, activeflow: string) => (await service.query.get(activeflow)).status;

  it('ends what has lost its list of actions, for good', async () => {
    const activeflow = await started(serviceOn(store), [talk('a')]);
    sql('delete from action_lists where owner = ?', CUSTOMER);
    const { service } = serviceOn(store);
    expect(await service.control.stop(activeflow, 'stopped', 'key')).to.include({ status: 'ended' });
    expect(await service.control.stop(activeflow, 'stopped', 'key')).to.include({ status: 'ended' });
    expect(await service.control.remove(activeflow, 'other')).to.include({ status: 'ended' });
  });

  it('ends at its deadline what cannot be read', async () => {
    const activeflow = await started(serviceOn(store), [talk('a')], 1);
    sql('update activeflows set state = ? where id = ?', '{', activeflow);
    const { service } = serviceOn(store);
    await service.control.wake(activeflow);
    expect(await statusOf(service, activeflow)).to.equal('ended');
    expect((await store.activeflows.get(activeflow))?.state.error).to.include({ reason: 'DEADLINE_EXCEEDED' });
  });

  it('leaves alone what does not exist', async () => {
    const { service } = serviceOn(store);
    const refused = await service.control.stop(v7(), 'stopped', '').catch((error: unknown) => error);
    expect(refused).to.include({ status: 'NOT_FOUND' });
    await service.customers.callHungUp(v7(), v7());
  });

  it('does what is due a moment later by its own clock than by the database’s', async () => {
    const wired = serviceOn(store);
    const activeflow = await started(wired, [act('s', 'sleep', { duration: 60 }), act('x', 'stop')], 0, 'api');
    await wired.service.control.execute(activeflow, '');
    await wired.service.idle();
    while (!(await store.activeflows.get(activeflow))?.state.wait) await new Promise((resolve) => setImmediate(resolve));
    // Claimed too early, as it were.
    await wired.service.control.wake(activeflow);
    expect(await statusOf(wired.service, activeflow)).to.equal('ended');
  });

  it('cuts off, when it ends elsewhere, whoever waits here; the late answer is dropped', async () => {
    const asked = gate();
    const answer = gate();
    const here = serviceOn(store, {
      request: async () => {
        asked.open();
        await answer.opened;
        throw unavailable('SIBLING_TIMEOUT', 'too late');
      },
    });
    const activeflow = await started(here, [queueJoin('j', 'queue')]);
    const next = here.service.next.next({ id: activeflow, asked: ACTION_START, key: 'n' });
    await asked.opened;
    const ended = await serviceOn(store).service.control.stop(activeflow, 'stopped', '');
    await here.service.noticeEndings();
    expect(await next).to.include({ id: id('finish') });
    answer.open();
    await here.service.idle();
    expect(await here.service.query.get(activeflow)).to.deep.equal(ended);
    await here.service.noticeEndings();
  });
});
