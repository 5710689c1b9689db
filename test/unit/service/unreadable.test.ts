/** One row that cannot be read takes nothing else with it. */
import { expect } from 'chai';
import { v7 } from 'uuid';
import { unavailable } from '../../../pkg/error/index.ts';
import { NIL } from '../../../pkg/model/id.ts';
import { hideInternal } from '../../../pkg/rpc/envelope.ts';
import { act, talk } from '../../support/engine_flow.ts';
import { overriding } from '../../support/overriding.ts';
import { RecordingLog, RecordingMeter } from '../../support/recorders.ts';
import { sampleFlow } from '../../support/samples.ts';
import { serviceOn } from '../../support/service_on.ts';
import { SqliteFile } from '../../support/sqlite_file.ts';

describe('what is stored and cannot be read', () => {
  const file = SqliteFile.forSuite();

  function fresh() {
    const [log, meter] = [new RecordingLog(), new RecordingMeter()];
    return { ...serviceOn(file.store, { log, meter }), log, meter };
  }

  async function made(customer_id: string, text: string) {
    const { service, lists } = fresh();
    const list = await lists.putShared(customer_id, [talk(text)]);
    const flow = sampleFlow({ customer_id, list, name: text });
    await file.store.flows.commit({ flow, new_version: true, events: [] });
    const rest = { reference_activeflow_id: NIL, webhook_uri: '', webhook_method: '', variables: {} };
    const reference = { reference_type: 'call', reference_id: v7() } as const;
    const { id } = await service.create.create({ id: v7(), customer_id, flow_id: flow.id, ...reference, ...rest }, '');
    return { flow, activeflow: String(id), list };
  }

  async function two() {
    const customer = v7();
    return { customer, broken: await made(customer, 'broken'), whole: await made(customer, 'whole') };
  }

  it('of an activeflow is shown by its columns in a list, with why, counted and logged; the others are whole', async () => {
    const { customer, broken, whole } = await two();
    file.sql('update activeflows set state = ? where id = ?', '{"secret', broken.activeflow);
    const { service, log, meter } = fresh();
    const shown = await service.query.list({ customer_id: customer }, { size: 10 });
    expect(shown.map(({ id }) => id)).to.have.members([broken.activeflow, whole.activeflow]);
    const one = shown.find(({ id }) => id === broken.activeflow);
    expect(one).to.include({ customer_id: customer, flow_id: broken.flow.id, status: 'running', tm_delete: null });
    expect(one).to.have.nested.property('unreadable.reason', 'ACTIVEFLOW_UNREADABLE');
    expect(one).not.to.have.any.keys('actions', 'current_action');
    expect(shown.find(({ id }) => id === whole.activeflow)).to.deep.equal(await service.query.get(whole.activeflow));
    expect(meter.of('unreadable_row_total').map(({ labels }) => labels)).to.deep.equal([{ of: 'activeflow' }]);
    expect(log.lines).to.have.length(1);
    expect(log.lines[0])
      .to.match(new RegExp(`^error .*${broken.activeflow}`))
      .and.not.include('secret');
  });

  it('of an activeflow alone is refused with its reason and what can be done', async () => {
    const { broken } = await two();
    file.sql('update activeflows set variables = ? where id = ?', '7', broken.activeflow);
    const refused = await fresh()
      .service.query.get(broken.activeflow)
      .catch((thrown) => hideInternal(thrown));
    expect(refused).to.include({ code: 500, reason: 'ACTIVEFLOW_UNREADABLE' });
    expect(refused).to.have.nested.property('details[0].field', 'variables');
    expect(refused).to.have.nested.property('details[0].expected').that.includes('stopped or deleted');
  });

  it('of an activeflow does not hide a list of actions that is gone', async () => {
    const { customer, broken } = await two();
    file.sql('delete from action_lists where list_key = ?', broken.list);
    const [one, other] = await fresh().service.query.list({ customer_id: customer }, { size: 10 });
    expect([one, other].filter((shown) => shown?.unreadable !== undefined)).to.have.length(1);
  });

  it('of an activeflow does not hide the calls of workflows beside it', async () => {
    const { service, lists } = fresh();
    const customer_id = v7();
    const list = await lists.putShared(customer_id, [act('b', 'block')]);
    const flow = sampleFlow({ customer_id, list });
    await file.store.flows.commit({ flow, new_version: true, events: [] });
    await service.callables.put(flow.id, {}, undefined);
    const caller = { customer_id, user_id: '', teams: [], internal: true };
    const ids: string[] = [];
    for (let made = 0; made < 2; made += 1) {
      ids.push(String((await service.workflows.call({ workflow: flow.id }, caller, { key: '', strict: false })).id));
    }
    await service.idle();
    file.sql('update activeflows set state = ? where id = ?', '{', ids[0] ?? '');
    const shown = await service.workflows.list({ customer_id }, { size: 10 });
    expect(shown.map(({ id, state }) => [id, state])).to.have.deep.members(ids.map((id) => [id, 'RUNNING']));
  });

  for (const [what, spoil] of [
    ['gone', 'delete from action_lists where list_key = ?'],
    ['no JSON', `update action_lists set actions = '[' where list_key = ?`],
  ] as const) {
    it(`of a flow is shown by its columns where its list of actions is ${what}`, async () => {
      const { customer, broken, whole } = await two();
      file.sql(spoil, broken.list);
      const { service, meter } = fresh();
      const shown = await service.flows.list({ customer_id: customer }, { size: 10 });
      const one = shown.find(({ id }) => id === broken.flow.id);
      expect(one).to.include({ customer_id: customer, name: 'broken', version: 1 });
      expect(one)
        .to.have.nested.property('unreadable.reason')
        .that.matches(/^ACTION_LIST_(MISSING|UNREADABLE)$/);
      expect(shown.find(({ id }) => id === whole.flow.id)).to.have.nested.property('actions[0].type', 'talk');
      expect(meter.of('unreadable_row_total').map(({ labels }) => labels)).to.deep.equal([{ of: 'flow' }]);
    });
  }

  it('is not said of rows while the database is away', async () => {
    const { customer } = await two();
    const away = () => Promise.reject(unavailable('DATABASE_UNAVAILABLE', 'away'));
    const { service } = serviceOn(overriding(file.store, { lists: overriding(file.store.lists, { get: away }) }));
    const refused = await service.flows.list({ customer_id: customer }, { size: 10 }).catch((thrown) => thrown);
    expect(refused).to.include({ reason: 'DATABASE_UNAVAILABLE' });
  });
});
