/** Whatever is sent to whichever route: an answer below 500, and a daemon that answers afterwards. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { ACTION_START } from '../../pkg/model/id.ts';
import { type ActiveflowView, action, type Caller, type FlowView } from '../support/caller.ts';
import { eachStage } from '../support/stage.ts';

const ROUTES = [
  'POST /flows',
  'GET /flows',
  'GET /flows/count_by_customer',
  'GET /flows/{flow}',
  'PUT /flows/{flow}',
  'PUT /flows/{flow}/actions',
  'GET /flows/{flow}/actions/{any}',
  'GET /flows/{flow}/versions',
  'POST /flows/{flow}/versions/{any}/restore',
  'POST /activeflows',
  'GET /activeflows',
  'GET /activeflows/{activeflow}/next',
  'PUT /activeflows/{activeflow}/forward_action_id',
  'POST /activeflows/{activeflow}/execute',
  'POST /activeflows/{activeflow}/continue',
  'POST /activeflows/{activeflow}/add_actions',
  'POST /activeflows/{activeflow}/push_actions',
  'POST /activeflows/{activeflow}/service_stop',
  'GET /activeflows/{activeflow}/trace',
  'GET /activeflows/{activeflow}/history',
  'GET /variables/{activeflow}',
  'POST /variables/{activeflow}/variables',
  'DELETE /variables/{activeflow}/variables/{any}',
  'POST /variables/{activeflow}/substitute',
];

const FIELDS = [
  ['id', 'customer_id', 'flow_id', 'on_complete_flow_id', 'reference_id', 'reference_activeflow_id', 'fallback_flow_id'],
  ['name', 'detail', 'type', 'webhook_uri', 'webhook_method', 'reference_type', 'data', 'status'],
  ['actions', 'variables', 'persist', 'deleted', 'user_id', 'deadline_ms', 'call_id', 'forward_now'],
  ['current_action_id', 'forward_action_id', 'service_id', 'filters', '__proto__', 'constructor'],
].flat();

/** Strings that have broken databases, parsers and templates before. */
const nasty = fc.constantFrom(
  '',
  '\0',
  '\u{1f600}',
  '\ud800',
  "'; drop table flows; --",
  '${',
  '${a.b.0}',
  '%00',
  '__proto__',
  '1e999',
);
const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), nasty, fc.uuid(), fc.constantFrom(ACTION_START, true, -1, 1e300));
const anyAction = fc.record(
  {
    id: fc.oneof(fc.uuid(), value),
    type: fc.oneof(fc.constantFrom('talk', 'goto', 'branch', 'variable_set', 'condition_variable', 'sleep', 'block'), value),
    option: fc.oneof(fc.dictionary(fc.constantFrom('text', 'target_id', 'key', 'value', 'duration', 'loop_count'), value), value),
    next_id: value,
    on_error_target_id: value,
    retry: value,
  },
  { requiredKeys: ['type'] },
);
const member = fc.tuple(fc.constantFrom(...FIELDS), fc.oneof(value, fc.array(anyAction, { maxLength: 4 })));
const body = fc.oneof(
  { weight: 4, arbitrary: fc.array(member, { maxLength: 6 }).map((members) => Object.fromEntries(members)) },
  { weight: 1, arbitrary: fc.jsonValue() },
);
const part = fc.oneof(fc.string({ maxLength: 20 }).map(encodeWell), fc.uuid(), fc.integer().map(String), nasty.map(encodeWell));
const query = fc.oneof(
  fc.constant(''),
  fc.string({ maxLength: 30 }),
  fc.nat(2_000).map((size) => `page_size=${size}`),
);

function encodeWell(text: string): string {
  return encodeURIComponent(wellFormed(text)) || '0';
}

/** As bytes make it: a lone surrogate cannot be sent. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

const request = fc.record({ route: fc.constantFrom(...ROUTES), part, query, body });

eachStage('any request', (get) => {
  let flow: FlowView;
  let activeflow: ActiveflowView;

  before(async () => {
    const { caller } = get();
    flow = await caller.flow([action('talk', { text: 'hello' }), action('answer')], { customer_id: randomUUID() });
    activeflow = await caller.activeflow(flow);
  });

  async function send(caller: Caller, given: { route: string; part: string; query: string; body: unknown }): Promise<void> {
    const [method = '', path = ''] = given.route.split(' ');
    const ids = path.replace('{flow}', flow.id).replace('{activeflow}', activeflow.id).replace('{any}', given.part);
    const uri = `/v1${ids}${given.query && `?${given.query}`}`;
    const response = await caller.rpc(method, uri, given.body);
    const { status_code, data_type, data } = response;
    expect(status_code, JSON.stringify({ method, uri, body: given.body, response })).to.be.within(200, 499);
    if (status_code === 200) return;
    expect(data_type).to.equal('voipbin_error');
    expect(data).to.include.keys('status', 'reason', 'domain', 'message');
  }

  it('never gets a 5xx', async function () {
    this.timeout(30_000);
    const { caller } = get();
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 8, maxLength: 8 }), async (requests) => {
        await Promise.all(requests.map((one) => send(caller, one)));
      }),
      { numRuns: 50, endOnFailure: true },
    );
    expect((await caller.get(activeflow.id)).id).to.equal(activeflow.id);
    expect((await caller.ok('GET', `/v1/flows/${flow.id}`)).id).to.equal(flow.id);
  });

  it('is answered whatever text it is', async function () {
    this.timeout(30_000);
    const { caller } = get();
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), nasty);
    await fc.assert(
      fc.asyncProperty(text, async (sent) => {
        const { status_code } = await caller.send(wellFormed(sent));
        expect(status_code, sent).to.equal(400);
      }),
      { numRuns: 60 },
    );
  });
});
