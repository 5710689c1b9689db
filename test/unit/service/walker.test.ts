import { expect } from 'chai';
import { unavailable } from '../../../pkg/error/index.ts';
import { ACTION_START, NIL } from '../../../pkg/model/id.ts';
import type { Store } from '../../../pkg/service/ports.ts';
import { fetchFlow, id, talk } from '../../support/engine_flow.ts';
import { sampleFlow } from '../../support/samples.ts';
import { serviceOn } from '../../support/service_on.ts';
import { SqliteFile } from '../../support/sqlite_file.ts';

const CUSTOMER = id('owner');

describe('a walk that looks up a flow', () => {
  const file = SqliteFile.forSuite();

  /** An activeflow that fetches the flow `other`, and what may happen as it is looked up. */
  async function fetching(name: string) {
    const others: { turn?: () => Promise<void> } = {};
    const { service, lists } = serviceOn(withTurn(file.store, others));
    const fetched = await lists.putShared(CUSTOMER, [talk('o')]);
    const main = await lists.putShared(CUSTOMER, [fetchFlow('f', 'other'), talk('z')]);
    for (const [flow, list] of Object.entries({ other: fetched, [`m_${name}`]: main })) {
      await file.store.flows.commit({
        flow: sampleFlow({ id: id(flow), customer_id: CUSTOMER, list }),
        new_version: true,
        events: [],
      });
    }
    const activeflow = { id: id(name), customer_id: CUSTOMER, flow_id: id(`m_${name}`), reference_type: 'call' } as const;
    const rest = { reference_id: id(`c_${name}`), reference_activeflow_id: NIL, webhook_uri: '', webhook_method: '' };
    await service.create.create({ ...activeflow, ...rest, variables: {} }, `create_${name}`);
    return { service, others };
  }

  it('still has its list when it has lost a race meanwhile', async () => {
    const { service, others } = await fetching('race');
    others.turn = () => service.control.setVariables(id('race'), { x: '1' }, 'set');
    expect(await service.next.next({ id: id('race'), asked: ACTION_START, key: 'next' })).to.have.property('id', id('o'));
    expect((await file.store.activeflows.get(id('race')))?.variables).to.include({ x: '1' });
  });

  it('is taken up again when the database was away: that is no answer', async () => {
    const { service, others } = await fetching('away');
    others.turn = () => Promise.reject(unavailable('DATABASE_UNAVAILABLE', 'it is away'));
    const asking = { id: id('away'), asked: ACTION_START, key: 'next' };
    const refused = await service.next.next(asking).catch((error: unknown) => error);
    expect(refused).to.include({ reason: 'DATABASE_UNAVAILABLE' });
    expect(await service.next.next(asking)).to.have.property('id', id('o'));
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
