import { expect } from 'chai';
import type { Store } from '../../../pkg/service/ports.ts';
import { sampleActiveflow } from '../../support/samples.ts';
import { serviceOn } from '../../support/service_on.ts';

describe('the customer of an activeflow', () => {
  it('is read once and then known; none where it cannot be read', async () => {
    const row = sampleActiveflow();
    const asked: string[] = [];
    const get = async (id: string) => {
      asked.push(id);
      if (id === 'damaged') throw new Error('it cannot be read');
      return id === row.id ? row : undefined;
    };
    const { service } = serviceOn({ activeflows: { get } } as unknown as Store);
    expect(await service.customerOf(row.id)).to.equal(row.customer_id);
    expect(service.customerOf(row.id)).to.equal(row.customer_id);
    expect(await Promise.all(['missing', 'damaged'].map(service.customerOf))).to.deep.equal(['', '']);
    expect(asked).to.deep.equal([row.id, 'missing', 'damaged']);
  });
});
