import { expect } from 'chai';
import type { Action } from '../../../pkg/model/action.ts';
import { ACTION_START, NIL } from '../../../pkg/model/id.ts';
import type { Store } from '../../../pkg/service/ports.ts';
import { openSqliteStore } from '../../../pkg/store/index.ts';
import { act, id, talk } from '../../support/engine_flow.ts';
import { sampleFlow } from '../../support/samples.ts';
import { serviceOn } from '../../support/service_on.ts';

const CUSTOMER = id('owner');
const CALL = { reference_type: 'call', reference_id: id('call') } as const;
const participant = { customer_id: CUSTOMER, ...CALL };

describe('a job that two start at the same moment', () => {
  let store: Store;
  before(async () => {
    store = openSqliteStore({ file: ':memory:' });
    await store.migrate();
  });
  after(() => store.close());

  it('is started by one of them, and is the other’s too', async () => {
    const others: { turn?: () => Promise<unknown> } = {};
    const { service, lists } = serviceOn(withTurn(store, others));
    const flows: Record<string, Action[]> = {
      job: [act('b', 'block')],
      main: [act('j', 'job_start', { name: 'who', flow_id: id('job') }), talk('z')],
    };
    for (const [name, actions] of Object.entries(flows)) {
      const list = await lists.putShared(CUSTOMER, actions);
      await store.flows.commit({
        flow: sampleFlow({ id: id(name), customer_id: CUSTOMER, list }),
        new_version: true,
        events: [],
      });
    }
    const rest = { reference_activeflow_id: NIL, webhook_uri: '', webhook_method: '', variables: {} };
    for (const name of ['one', 'two']) {
      await service.create.create({ id: id(name), customer_id: CUSTOMER, flow_id: id('main'), ...CALL, ...rest }, name);
    }
    // The second starts it right after the first has seen that nobody has.
    others.turn = () => service.next.next({ id: id('two'), asked: ACTION_START, key: 'two' });
    expect(await service.next.next({ id: id('one'), asked: ACTION_START, key: 'one' })).to.have.property('id', id('z'));
    await service.idle();
    const jobs = await store.activeflows.list({ flow_id: id('job') }, { size: 10 });
    expect(jobs.map((job) => job.reference_activeflow_id)).to.deep.equal([id('two')]);
    const [entry] = await store.participants.read(participant);
    expect(entry?.value).to.deep.equal({ status: 'ONGOING', id: jobs[0]?.id });
    const first = await service.query.trace(id('one'));
    expect(first[0]?.reason).to.contain('is running already');
  });
});

/** Others have a turn once, after the participant was read. */
function withTurn(store: Store, others: { turn?: () => Promise<unknown> }): Store {
  const participants: Store['participants'] = Object.create(store.participants, {
    read: {
      value: async (whose: typeof participant) => {
        const entries = await store.participants.read(whose);
        const { turn } = others;
        delete others.turn;
        await turn?.();
        return entries;
      },
    },
  });
  return Object.create(store, { participants: { value: participants } });
}
