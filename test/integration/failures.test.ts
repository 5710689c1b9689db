/** Siblings that refuse, keep silent or talk nonsense, and what becomes of the flow that asked them. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import { action } from '../support/caller.ts';
import type { Reply } from '../support/siblings.ts';
import { eachStage } from '../support/stage.ts';

/** What a sibling does, and the reason that the 503 gives. */
const TROUBLES: readonly (readonly [string, Reply, string])[] = [
  ['answers with an error', { error: 500 }, 'SIBLING_FAILED'],
  ['answers that there is no such thing', { error: 404 }, 'SIBLING_FAILED'],
  ['answers what is no JSON', { raw: '<html>' }, 'SIBLING_ANSWER_INVALID'],
  ['answers JSON that is no envelope', { raw: '[1,2]' }, 'SIBLING_ANSWER_INVALID'],
  ['answers an envelope without a code', { raw: '{"data":{}}' }, 'SIBLING_ANSWER_INVALID'],
  ['is silent', 'silent', 'SIBLING_TIMEOUT'],
];

/** What a sibling may answer in place of what it should, with status 200. */
const NONSENSE: readonly Reply[] = [
  { data: null },
  { data: 7 },
  { data: 'text' },
  { data: [] },
  { data: { id: 5, push_actions: 'x' } },
  { data: { id: 'x', push_actions: [7] } },
];

const after = action('talk', { text: 'went on' });
const rescue = action('talk', { text: 'sorry: ${voipbin.error.reason}' });

/** An action that ends the flow when its sibling fails, by the sibling that it asks. */
const STOPPING = [
  ['conference', action('conference_join', { conference_id: randomUUID() })],
  [
    'message',
    action('message_send', { source: { type: 'tel', target: '+1' }, destinations: [{ type: 'tel', target: '+2' }], text: 'hi' }),
  ],
  ['agent', action('agent_call', { agent_id: randomUUID() })],
  ['call', action('condition_call_status', { status: 'progressing', false_target_id: after.id })],
] as const;

/** An action after whose failure the flow goes on. */
const GOING_ON = [
  ['email', action('email_send', { destinations: [{ type: 'email', target: 'a@example.com' }], subject: 's', content: 'c' })],
  [
    'webhook',
    action('webhook_send', { sync: true, uri: 'https://example.com', method: 'POST', data_type: 'application/json', data: '{}' }),
  ],
  ['transcribe', action('transcribe_start', { language: 'en-US' })],
] as const;

eachStage('a sibling that', (get) => {
  for (const [what, reply, reason] of TROUBLES) {
    it(`${what}: 503, ended, and the same error again`, async () => {
      const { caller, siblings } = get();
      const join = action('queue_join', { queue_id: randomUUID() });
      const { id } = await caller.started([join, after]);
      siblings.script('queue', () => reply);
      const uri = `/v1/activeflows/${id}/next`;
      const error = await caller.refused(503, 'GET', uri, { current_action_id: ACTION_START }, 'key');
      expect(error).to.include({ status: 'UNAVAILABLE', reason, domain: 'flow-manager' });
      expect(error.message).to.include('queue');
      siblings.reset();
      expect(await caller.refused(503, 'GET', uri, { current_action_id: ACTION_START }, 'key')).to.deep.equal(error);
      expect(await caller.refused(503, 'GET', uri, { current_action_id: ACTION_START })).to.deep.equal(error);
      await caller.refused(409, 'GET', uri, { current_action_id: join.id });
      const ended = await caller.get(id);
      expect(ended.status).to.equal('ended');
      expect(ended.current_action.id).to.equal(join.id);
      expect(siblings.of('queue', id).filter((one) => one.uri.endsWith('queuecall'))).to.have.length(1);
      const trace = await caller.trace(id);
      expect(trace.at(-1)).to.deep.include({ outcome: 'failed', action: { id: join.id, type: 'queue_join' } });
      expect(trace.at(-1)?.reason).to.include(reason);
    });
  }

  it('is not there: 503', async () => {
    const { caller, siblings } = get();
    const { id } = await caller.started([action('queue_join', { queue_id: randomUUID() })]);
    await siblings.absent('queue');
    const error = await caller.refused(503, 'GET', `/v1/activeflows/${id}/next`, { current_action_id: ACTION_START });
    await siblings.present('queue');
    expect(error.reason).to.equal('SIBLING_UNREACHABLE');
  });

  it('fails leads to on_error_target_id, which can read why', async () => {
    const { caller, siblings } = get();
    siblings.script('queue', () => ({ error: 500 }));
    const join = action('queue_join', { queue_id: randomUUID() }, { on_error_target_id: rescue.id });
    const { id } = await caller.started([join, after, rescue]);
    const handed = await caller.next(id);
    expect(handed).to.deep.include({ id: rescue.id, option: { text: 'sorry: SIBLING_FAILED' } });
    expect((await caller.next(id, rescue.id)).id).to.equal(ACTION_FINISH);
  });

  for (const [sibling, asking] of STOPPING) {
    it(`fails stops ${asking.type}, and leads to its on_error_target_id`, async () => {
      const { caller, siblings } = get();
      siblings.script(sibling, () => ({ error: 500 }));
      const { id } = await caller.started([asking, after]);
      await caller.refused(503, 'GET', `/v1/activeflows/${id}/next`, { current_action_id: ACTION_START });
      expect((await caller.get(id)).status).to.equal('ended');
      const saved = await caller.started([{ ...asking, on_error_target_id: rescue.id }, after, rescue]);
      expect((await caller.next(saved.id)).id).to.equal(rescue.id);
    });
  }

  for (const [sibling, asking] of GOING_ON) {
    it(`fails does not stop ${asking.type}: the trace shows it`, async () => {
      const { caller, siblings } = get();
      siblings.script(sibling, (asked) => (asked.uri === '/v1/webhooks' ? undefined : { error: 500 }));
      const { id } = await caller.started([asking, after]);
      expect((await caller.next(id)).id).to.equal(after.id);
      const [line] = await caller.trace(id);
      expect(line).to.include({ outcome: 'failed' });
      expect(line?.reason).to.include('SIBLING_FAILED').and.include(sibling);
    });
  }

  it('answers nonsense with 200 crashes nothing: an action or a 503', async () => {
    const { caller, siblings } = get();
    for (const reply of NONSENSE) {
      for (const name of ['queue', 'conference', 'call', 'message', 'agent']) siblings.script(name, () => reply);
      for (const asking of [action('queue_join', { queue_id: randomUUID() }), ...STOPPING.map(([, one]) => one)]) {
        const { id } = await caller.started([asking, after]);
        const response = await caller.rpc('GET', `/v1/activeflows/${id}/next`, { current_action_id: ACTION_START });
        expect(response.status_code, `${asking.type} ${JSON.stringify({ reply, response })}`).to.be.oneOf([200, 400, 503]);
        const { status } = await caller.get(id);
        expect(status, asking.type).to.equal(response.status_code === 200 ? 'running' : 'ended');
      }
    }
  });
});
