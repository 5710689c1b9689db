import { expect } from 'chai';
import { Admission } from '../../../pkg/rpc/admission.ts';
import { Dispatcher } from '../../../pkg/rpc/dispatcher.ts';
import { Router, route } from '../../../pkg/rpc/router.ts';
import type { Delivery } from '../../../pkg/service/ports.ts';
import { QuietLog } from '../../support/quiet_log.ts';
import { RecordingMeter } from '../../support/recorders.ts';

function request(reply_to: string): Delivery {
  const body = { uri: '/v1/activeflows', method: 'POST', data_type: 'application/json', data: { customer_id: 'c' } };
  return {
    body: Buffer.from(JSON.stringify(body)),
    reply_to,
    correlation_id: '1',
    message_id: '',
    redelivered: false,
    headers: {},
    routing_key: 'q',
  };
}

describe('dispatcher', () => {
  it('turns creates away when it is full, and sets those aside that nobody can be told of', async () => {
    let end = (): void => undefined;
    const held = new Promise<null>((resolve) => {
      end = () => resolve(null);
    });
    const dispatcher = new Dispatcher({
      router: new Router([route('POST', '/v1/activeflows', () => held)]),
      admission: new Admission({ capacity: 1, customer_share: 1, shed_creates_at: 1 }),
      customerOf: () => '',
      redeliveries: { first: async () => true, count: async () => 0 },
      message_bytes: 1_000,
      max_redeliveries: 10,
      meter: new RecordingMeter(),
      log: new QuietLog(),
    });
    const first = dispatcher.handle(request('somebody'));
    const told = await dispatcher.handle(request('somebody'));
    const untold = await dispatcher.handle(request(''));
    expect(told).to.have.property('kind', 'done');
    expect(told.kind === 'done' && JSON.parse(told.reply ?? '')).to.have.nested.property('data.reason', 'OVERLOADED');
    expect(untold).to.have.property('kind', 'dead');
    expect(untold).to.have.property('reason').that.includes('no new activeflows');
    end();
    expect(await first).to.have.property('kind', 'done');
  });
});
