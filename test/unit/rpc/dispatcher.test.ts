import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { Admission } from '../../../pkg/rpc/admission.ts';
import { Dispatcher, keyOf } from '../../../pkg/rpc/dispatcher.ts';
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

describe('a request counts as its customer’s', () => {
  const known: Record<string, string> = { '019aa5c1-0000-7000-8000-000000000001': 'anna' };
  const read: Record<string, string> = { '019aa5c1-0000-7000-8000-000000000002': 'bert' };

  const cases: { readonly of: string; readonly uri: string; readonly data?: object; readonly counts: string }[] = [
    { of: 'who says so', uri: '/v1/activeflows', data: { customer_id: 'ANNA' }, counts: 'anna' },
    { of: 'a remembered activeflow', uri: `/v1/activeflows/${Object.keys(known)[0]}`, counts: 'anna' },
    { of: 'an activeflow that must be read', uri: `/v1/activeflows/${Object.keys(read)[0]}`, counts: 'bert' },
    { of: 'nobody, as it is no activeflow', uri: `/v1/flows/${Object.keys(read)[0]}`, counts: '' },
  ];
  for (const { of, uri, data = {}, counts } of cases) {
    it(of, async () => {
      const entered: string[] = [];
      const enter = (customer: string) => {
        entered.push(customer);
        return () => undefined;
      };
      const done = async () => null;
      const dispatcher = new Dispatcher({
        router: new Router([
          route('GET', '/v1/activeflows', done),
          route('GET', '/v1/activeflows/{id}', done),
          route('GET', '/v1/flows/{id}', done),
        ]),
        admission: { enter, underWay: 0 } as unknown as Admission,
        customerOf: (id) => known[id] ?? Promise.resolve(read[id] ?? ''),
        redeliveries: { first: async () => true, count: async () => 0 },
        message_bytes: 1_000,
        max_redeliveries: 10,
        meter: new RecordingMeter(),
        log: new QuietLog(),
      });
      const nobody = { message_id: '', reply_to: '', correlation_id: '' };
      const asked = JSON.stringify({ uri, method: 'GET', data, publisher: 'test', data_type: 'application/json' });
      expect(await dispatcher.respond(asked, nobody)).to.have.property('status_code', 200);
      expect(entered).to.deep.equal([counts]);
    });
  }
});

describe('the key of a request', () => {
  const next = { request_id: '', method: 'GET', path: '/v1/activeflows/a/next' };
  const nobody = { message_id: '', reply_to: '', correlation_id: '' };

  it('is that of every release: a repeat may reach one that is older or younger than the first', () => {
    const key = keyOf({ ...next, request_id: 'r1' }, nobody);
    const hashed = createHash('sha256').update('GET /v1/activeflows/a/next r1').digest('base64url');
    expect(key).to.equal(hashed.slice(0, 22));
  });

  it('stays what it was when others are made after it', () => {
    const keys = ['r1', 'r2', 'r1'].map((request_id) => keyOf({ ...next, request_id }, nobody));
    expect(keys[0]).to.equal(keys[2]).and.not.equal(keys[1]);
  });

  it('is empty when nothing tells a repeat', () => {
    expect(keyOf(next, nobody)).to.equal('');
    expect(keyOf(next, { ...nobody, reply_to: 'q', correlation_id: '7' })).to.have.length(22);
  });
});
