import { expect } from 'chai';
import { listenLine } from '../../../cmd/control/subscription-listen.ts';
import { control, FakeTerminal, good } from './support.ts';

describe('control: subscription', () => {
  const asked = async (...argv: string[]) => {
    const { code, sent, err } = await control(['subscription', ...argv], () => good({ id: 'sub' }));
    const [first] = sent;
    return { code, err, request: first && `${first.method} ${first.uri}`, data: first?.data };
  };

  it('creates with what is given', async () => {
    const fields = ['--callback_url', 'https://a.example', '--notification_types', 'NODE_EVENT, CASE_EVENT', '--attempts', '5'];
    const secrets = ['--secret', 'whsec_a', '--secret', 'whsec_b', '--header', 'X-A=b=c'];
    expect(await asked('create', '--customer_id', 'c', ...fields, ...secrets)).to.deep.include({
      code: 0,
      request: 'POST /v1/subscriptions',
      data: {
        customer_id: 'c',
        callback_url: 'https://a.example',
        notification_types: ['NODE_EVENT', 'CASE_EVENT'],
        retry: { attempts: 5 },
        secrets: ['whsec_a', 'whsec_b'],
        headers: { 'X-A': 'b=c' },
      },
    });
  });

  const routes: readonly (readonly [string[], string])[] = [
    [['get', 'a/b'], 'GET /v1/subscriptions/a%2Fb'],
    [['update', 'x', '--enabled', 'false'], 'PUT /v1/subscriptions/x'],
    [['delete', 'x'], 'DELETE /v1/subscriptions/x'],
    [['rotate', 'x'], 'POST /v1/subscriptions/x/rotate'],
    [['test', 'x'], 'POST /v1/subscriptions/x/test'],
    [['deliveries', 'x', '--status', 'failed'], 'GET /v1/subscriptions/x/deliveries?status=failed&page_size=100'],
    [['replay', 'x', 'd'], 'POST /v1/subscriptions/x/deliveries/d/replay'],
    [['replay', 'x', '--since', '2026-01-01T00:00:00Z'], 'POST /v1/subscriptions/x/replay?since=2026-01-01T00%3A00%3A00Z'],
    [['list'], 'GET /v1/subscriptions?page_size=100'],
  ];
  for (const [argv, request] of routes) {
    it(`${argv[0]} asks ${request}`, async () => expect(await asked(...argv)).to.include({ code: 0, request }));
  }

  it('is badly used without what it needs', async () => {
    for (const argv of [
      ['create'],
      ['replay', 'x'],
      ['replay', 'x', 'd', '--since', 'now'],
      ['listen', '--secret', 'short'],
      ['listen', '--port', '65536'],
      ['listen', '--status', '99'],
    ]) {
      expect((await asked(...argv)).code, argv.join(' ')).to.equal(2);
    }
  });

  it('listen shows what arrived, what is wrong with it and what is missing', () => {
    const body = { sequence: 4, notificationType: 'NODE_EVENT', transactionId: 't', payLoad: { id: 1 }, missing: [3] };
    const line = listenLine(new FakeTerminal(), { id: 'w', signature: 'good', repeat: true, body });
    expect(line).to.equal('w  4  NODE_EVENT  t  good  a repeat  missing [3]  {"id":1}');
  });
});
