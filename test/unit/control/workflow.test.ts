import { expect } from 'chai';
import { callWorkflow, type WorkflowCallOptions } from '../../../cmd/control/workflow-call.ts';
import type { Json, JsonObject } from '../../../pkg/model/json.ts';
import { type Answerer, control, FakeClient, FakeTerminal, FakeWorld, good } from './support.ts';

const files = {
  'schema.json': '{"type": "object"}',
  'none.json': 'null',
  'inputs.json': '{"n": 1, "a": "file"}',
  'list.json': '[]',
};

describe('control: workflow', () => {
  const asked = async (...argv: string[]) => {
    const { code, sent } = await control(['workflow', ...argv], () => good({ id: 'w', state: 'SUCCESS' }), { files });
    const [first] = sent;
    return { code, request: first && `${first.method} ${first.uri}`, data: first?.data };
  };

  const routes: readonly (readonly [string[], string, JsonObject | undefined])[] = [
    [['list', '--customer', 'c'], 'GET /v1/workflows?page_size=100', { customer_id: 'c' }],
    [['get', 'a/b'], 'GET /v1/flows/a%2Fb/callable', undefined],
    [['calls', '--customer', 'c', '--flow', 'f'], 'GET /v1/workflow_calls?page_size=100', { customer_id: 'c', flow_id: 'f' }],
    [['undeliverable', '--customer', 'c'], 'GET /v1/workflow_calls?page_size=100', { customer_id: 'c', undeliverable: true }],
    [['show', 'x'], 'GET /v1/workflow_calls/x', undefined],
    [['cancel', 'x'], 'DELETE /v1/workflow_calls/x', undefined],
    [['set', 'f', '--enabled', 'false'], 'PUT /v1/flows/f/callable', { enabled: false }],
    [
      [
        'set',
        'f',
        '--alias',
        '',
        '--allowed_users',
        'anna, bob',
        '--allowed_teams',
        '',
        '--timeout_ms',
        '0',
        '--managed',
        'true',
      ],
      'PUT /v1/flows/f/callable',
      { alias: '', allowed_users: ['anna', 'bob'], allowed_teams: [], timeout: 0, managed: true },
    ],
    [
      ['set', 'f', '--input_schema', 'schema.json', '--response_types', 'KVIEW'],
      'PUT /v1/flows/f/callable',
      { input_schema: { type: 'object' }, response_types: ['KVIEW'] },
    ],
    [['set', 'f', '--input_schema', 'none.json'], 'PUT /v1/flows/f/callable', { input_schema: null }],
    [
      ['call', 'a/b', '--customer', 'c', '--inputs', 'inputs.json', '--input', 'a=x=y', '--user', 'anna', '--no-wait'],
      'POST /v1/workflows/a%2Fb/call',
      { customer_id: 'c', user: 'anna', inputs: { n: 1, a: 'x=y' } },
    ],
    [
      ['call', 'w', '--customer', 'c', '--client_context', 'schema.json', '--response_type', 'WORKFLOW', '--response_id', 'z'],
      'POST /v1/workflows/w/call',
      {
        customer_id: 'c',
        inputs: {},
        clientContext: { type: 'object' },
        asyncResponse: { type: 'WORKFLOW', id: 'z' },
      },
    ],
  ];
  for (const [argv, request, data] of routes) {
    it(`${argv.join(' ')} asks ${request}`, async () => expect(await asked(...argv)).to.deep.equal({ code: 0, request, data }));
  }

  it('is badly used without what it needs', async () => {
    const bad = [
      ['list'],
      ['calls'],
      ['call', 'w'],
      ['set', 'f', '--timeout_ms', '-1'],
      ['set', 'f', '--enabled', 'yes'],
      ['set', 'f', '--input_schema', 'list.json'],
      ['call', 'w', '--customer', 'c', '--inputs', 'list.json'],
      ['call', 'w', '--customer', 'c', '--response_id', 'z'],
    ];
    for (const argv of bad) expect((await asked(...argv)).code, argv.join(' ')).to.equal(2);
  });

  describe('call', () => {
    const OPTIONS: WorkflowCallOptions = { customer: 'c', wait: true, wait_ms: 1_000 };

    async function run(
      states: readonly string[],
      more: Partial<WorkflowCallOptions> = {},
      signal = new AbortController().signal,
    ) {
      const [terminal, world] = [new FakeTerminal(), new FakeWorld()];
      const left = [...states];
      const answer: Answerer = () => good({ id: 'call-1', state: left.length > 1 ? left.shift() : left[0] } as Json);
      const client = new FakeClient(answer);
      const session = { client, bus: undefined, terminal, json: true, read: async () => '', ask: async () => null };
      const outcome = await callWorkflow(session, 'w', { ...OPTIONS, ...more }, signal, world).catch((error) => error);
      return { outcome, terminal, world, client };
    }

    it('waits for the response and shows it; success is good', async () => {
      const { outcome, terminal, client } = await run(['PENDING', 'PENDING', 'RUNNING', 'SUCCESS']);
      expect(outcome).to.equal(true);
      expect(client.requests).to.deep.equal(['POST /v1/workflows/w/call', ...Array(3).fill('GET /v1/workflow_calls/call-1')]);
      expect(JSON.parse(terminal.lines.join('\n'))).to.include({ state: 'SUCCESS' });
    });

    for (const state of ['FAILED', 'TIMEOUT', 'CANCELED']) {
      it(`${state} is not`, async () => expect((await run(['PENDING', state])).outcome).to.equal(false));
    }

    it('gives up after its time, and says how to look the call up', async () => {
      const { outcome, terminal, world } = await run(['RUNNING']);
      expect([outcome, world.now()]).to.deep.equal([false, 1_000]);
      expect(terminal.errors.join()).to.include('no response within 1000 ms').and.to.include('workflow show call-1');
    });

    it('does not wait when it is told so', async () => {
      const { outcome, client } = await run(['PENDING'], { wait: false });
      expect([outcome, client.requests.length]).to.deep.equal([true, 1]);
    });

    it('ends with 130 when it is interrupted', async () => {
      const aborted = new AbortController();
      aborted.abort();
      expect((await run(['RUNNING'], {}, aborted.signal)).outcome).to.include({ code: 130 });
    });
  });
});
