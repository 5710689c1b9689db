import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ACTION_START, NIL } from '../../../pkg/model/id.ts';
import type { Store } from '../../../pkg/service/ports.ts';
import { openSqliteStore } from '../../../pkg/store/index.ts';
import { fetchFlow, id, talk } from '../../support/engine_flow.ts';
import { sampleFlow } from '../../support/samples.ts';
import { serviceOn } from '../../support/service_on.ts';

const CUSTOMER = id('owner');

describe('a walk that loses a race', () => {
  let folder = '';
  let store: Store;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flow-walker-'));
    store = openSqliteStore({ file: join(folder, 'test.db') });
    await store.migrate();
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  it('still has the list of the flow that it looked up before', async () => {
    const others: { turn?: () => Promise<void> } = {};
    const { service, lists } = serviceOn(withTurn(store, others));
    const fetched = await lists.putShared(CUSTOMER, [talk('o')]);
    const main = await lists.putShared(CUSTOMER, [fetchFlow('f', 'other'), talk('z')]);
    for (const [name, list] of Object.entries({ other: fetched, main })) {
      await store.flows.commit({
        flow: sampleFlow({ id: id(name), customer_id: CUSTOMER, list }),
        new_version: true,
        events: [],
      });
    }
    const activeflow = { id: id('af'), customer_id: CUSTOMER, flow_id: id('main'), reference_type: 'call' } as const;
    const rest = { reference_id: id('call'), reference_activeflow_id: NIL, webhook_uri: '', webhook_method: '', variables: {} };
    await service.create.create({ ...activeflow, ...rest }, 'create');
    others.turn = () => service.control.setVariables(id('af'), { x: '1' }, 'set');
    expect(await service.next.next({ id: id('af'), asked: ACTION_START, key: 'next' })).to.have.property('id', id('o'));
    expect((await store.activeflows.get(id('af')))?.variables).to.include({ x: '1' });
  });
});

/** Others have a turn while the flow `other` is looked up, once. */
function withTurn(store: Store, others: { turn?: () => Promise<void> }): Store {
  const flows: Store['flows'] = Object.create(store.flows, {
    get: {
      value: async (flow: string) => {
        const { turn } = others;
        delete others.turn;
        if (flow === id('other')) await turn?.();
        return store.flows.get(flow);
      },
    },
  });
  return Object.create(store, { flows: { value: flows } });
}
