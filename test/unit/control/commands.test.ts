import { expect } from 'chai';
import { LostAnswer } from '../../../cmd/control/client.ts';
import type { Json } from '../../../pkg/model/json.ts';
import { control, good } from './support.ts';

const FLOW = { name: 'ivr', customer_id: 'c-file', actions: [{ type: 'answer' }] };
const files = { 'flow.json': JSON.stringify(FLOW), 'actions.json': '[{"type":"hangup"}]', '-': '{"actions":[],"persist":false}' };

describe('control: flows', () => {
  it('creates from a file, flags before the file', async () => {
    const { code, sent, out } = await control(
      ['flow', 'create', 'flow.json', '--customer', 'c-flag'],
      () => good({ id: 'f', name: 'ivr' }),
      { files },
    );
    expect(code).to.equal(0);
    expect(sent).to.have.length(1);
    expect(sent[0]).to.deep.include({
      method: 'POST',
      uri: '/v1/flows',
      data: { ...FLOW, persist: true, customer_id: 'c-flag' },
    });
    expect(out).to.match(/^id +f\nname +ivr$/);
  });

  it('creates from stdin, from a bare list, and keeps what the file says of persist', async () => {
    const stdin = await control(['flow', 'create', '-'], () => good({}), { files });
    expect(stdin.sent[0]?.data).to.deep.equal({ actions: [], persist: false });
    const list = await control(['flow', 'create', 'actions.json', '--temporary', '--name', 'x'], () => good({}), { files });
    expect(list.sent[0]?.data).to.deep.equal({ actions: [{ type: 'hangup' }], name: 'x', persist: false });
  });

  it('updates what is given and keeps the rest, since PUT replaces everything', async () => {
    const old = { id: 'f', name: 'old', detail: 'd', actions: [{ type: 'answer' }], on_complete_flow_id: 'o', version: 3 };
    const { sent } = await control(['flow', 'update', 'f', '--name', 'new'], () => good(old));
    expect(sent[1]).to.deep.include({
      method: 'PUT',
      uri: '/v1/flows/f',
      data: { name: 'new', detail: 'd', actions: [{ type: 'answer' }], on_complete_flow_id: 'o' },
    });
  });

  it('pages through everything with --all, and says how to go on without', async () => {
    const rows = [3, 2, 1].map((n) => ({ id: `f${n}`, tm_create: `2026-01-0${n}` }));
    const page = (uri: string): Json[] => {
      const token = new URLSearchParams(uri.split('?')[1]).get('page_token');
      const from = token === null ? 0 : rows.findIndex((row) => `${row.tm_create}~${row.id}` === token) + 1;
      return rows.slice(from, from + 2);
    };
    const all = await control(['flow', 'list', '--page_size', '2', '--all', '--json'], ({ uri }) => good(page(uri)));
    expect(JSON.parse(all.out)).to.deep.equal(rows);
    expect(all.err).to.equal('');
    const first = await control(['flow', 'list', '--page_size', '2'], ({ uri }) => good(page(uri)));
    expect(first.sent).to.have.length(1);
    expect(first.err).to.contain("--page_token '2026-01-02~f2'");
  });

  it('asks for versions, actions, counts', async () => {
    const asked = async (...argv: string[]) => {
      const { sent } = await control(['flow', ...argv], () => good([]), { files });
      return `${sent[0]?.method} ${sent[0]?.uri} ${JSON.stringify(sent[0]?.data ?? null)}`;
    };
    expect(await asked('versions', 'f')).to.equal('GET /v1/flows/f/versions null');
    expect(await asked('restore', 'f', '3')).to.equal('POST /v1/flows/f/versions/3/restore null');
    expect(await asked('actions', 'f', 'a/b')).to.equal('GET /v1/flows/f/actions/a%2Fb null');
    expect(await asked('actions', 'f', '--set', 'actions.json')).to.equal(
      'PUT /v1/flows/f/actions {"actions":[{"type":"hangup"}]}',
    );
    expect(await asked('count', '--customer', 'c')).to.equal('GET /v1/flows/count_by_customer {"customer_id":"c"}');
    expect(await asked('delete', 'f')).to.equal('DELETE /v1/flows/f null');
  });
});

describe('control: activeflows and variables', () => {
  it('creates with variables', async () => {
    const argv = ['activeflow', 'create', '--flow', 'f', '--reference_type', 'api', '--var', 'a=1', '--var', 'b=x=y'];
    const { sent } = await control(argv, () => good({ id: 'af' }));
    expect(sent[0]?.data).to.deep.equal({ flow_id: 'f', reference_type: 'api', variables: { a: '1', b: 'x=y' } });
  });

  it('shows one without what is unset, and leaves what was executed to the trace', async () => {
    const activeflow = {
      id: 'af',
      on_complete_flow_id: '00000000-0000-0000-0000-000000000000',
      executed_actions: [{ id: 'x' }],
      stack_map: { s: {} },
      actions: [{ id: 'a', type: 'talk' }],
    };
    const { out } = await control(['activeflow', 'get', 'af'], () => good(activeflow));
    expect(out.split('\n')).to.deep.equal(['id      af', 'stacks  1', '', 'actions', 'id  type  name  option', 'a   talk']);
    const json = await control(['activeflow', 'get', 'af', '--json'], () => good(activeflow));
    expect(JSON.parse(json.out)).to.deep.equal(activeflow);
  });

  it('names the current action by itself in next and continue', async () => {
    const answer = ({ uri }: { uri: string }) =>
      good(uri.endsWith('/af') ? { current_action: { id: 'cur' } } : { id: 'n', type: 'talk' });
    const next = await control(['activeflow', 'next', 'af'], answer);
    expect(next.sent[1]).to.deep.include({ method: 'GET', uri: '/v1/activeflows/af/next', data: { current_action_id: 'cur' } });
    const go = await control(['activeflow', 'continue', 'af', '--action', 'given'], answer);
    expect(go.sent).to.have.length(1);
    expect(go.sent[0]).to.deep.include({ uri: '/v1/activeflows/af/continue', data: { current_action_id: 'given' } });
  });

  it('pushes from a file and says that it is done', async () => {
    const { sent, out } = await control(['activeflow', 'push', 'af', 'flow.json'], () => good(null), { files });
    expect(sent[0]).to.deep.include({ uri: '/v1/activeflows/af/push_actions', data: { actions: FLOW.actions } });
    expect(out).to.equal('done');
  });

  it('shows a trace with names and reasons', async () => {
    const steps = [
      {
        seq: 1,
        action: { id: 'a', type: 'condition_variable' },
        outcome: 'jumped',
        reason: '7.5 > 10: false',
        duration_ms: 0.4,
        tm: '2026-01-02T03:04:05.678901Z',
      },
      {
        seq: 2,
        action: { id: 'q', type: 'talk' },
        outcome: 'handed_over',
        reason: '',
        duration_ms: 12,
        tm: '2026-01-02T03:04:06.000000Z',
      },
    ];
    const activeflow = {
      id: 'af',
      status: 'ended',
      actions: [{ id: 'a', name: 'big?' }],
      stack_map: { s: { actions: [{ id: 'q', name: 'queue' }] } },
    };
    const { out } = await control(['activeflow', 'trace', 'af'], ({ uri }) => good(uri.endsWith('/trace') ? steps : activeflow));
    const lines = out.split('\n');
    expect(lines[1]).to.match(/^seq +time +action +outcome +reason +duration$/);
    expect(lines[2]).to.match(/^ +1 {2}03:04:05\.678 {2}condition_variable "big\?" {2}jumped +7\.5 > 10: false +0\.4 ms$/);
    expect(lines[3]).to.contain('talk "queue"');
  });

  it('gets, sets and deletes variables', async () => {
    const answer = ({ method }: { method: string }) =>
      good(method === 'GET' ? { id: 'af', variables: { b: '2', a: '1' } } : null);
    expect((await control(['variable', 'get', 'af', 'b'], answer)).out).to.equal('2');
    expect((await control(['variable', 'get', 'af', 'zz'], answer)).code).to.equal(2);
    const set = await control(['variable', 'set', 'af', 'x=1', 'y=a b'], answer);
    expect(set.sent[0]?.data).to.deep.equal({ variables: { x: '1', y: 'a b' } });
    expect(set.out).to.match(/a +1\nb +2$/);
    expect((await control(['variable', 'delete', 'af', 'x/y'], answer)).sent[0]?.uri).to.equal(
      '/v1/variables/af/variables/x%2Fy',
    );
    const text = await control(['variable', 'substitute', 'af', 'hi'], () => good({ data: 'ho' }));
    expect(text.sent[0]?.data).to.deep.equal({ data: 'hi' });
    expect(text.out).to.equal('ho');
  });
});

describe('control: errors', () => {
  it('prints status, reason, message and details, and ends with 1', async () => {
    const data = {
      status: 'INVALID_ARGUMENT',
      reason: 'BAD_ID',
      message: 'id: expected a UUID',
      details: [{ field: 'id', value: 'x', expected: 'a UUID' }],
    };
    const { code, err, out, closed } = await control(['flow', 'get', 'x'], () => ({ status_code: 400, data }));
    expect(code).to.equal(1);
    expect(err).to.equal('error: INVALID_ARGUMENT (400) BAD_ID: id: expected a UUID\n  id: got x, expected a UUID');
    expect(out).to.equal('');
    expect(closed).to.equal(1);
  });

  it('copes with an error that says nothing', async () => {
    const { code, err } = await control(['flow', 'get', 'x'], () => ({ status_code: 500, data: null }));
    expect(code).to.equal(1);
    expect(err).to.equal('error: 500: the daemon gave no reason');
  });

  it('says when it is not known what became of a request', async () => {
    const lost = await control(['flow', 'delete', 'x'], () => Promise.reject(new LostAnswer('no answer: timeout', true)));
    expect(lost.code).to.equal(1);
    expect(lost.err).to.contain('It is not known whether');
    const unsent = await control(['flow', 'delete', 'x'], () => Promise.reject(new LostAnswer('refused', false)));
    expect(unsent.err).to.equal('error: refused');
  });
});
