import { expect } from 'chai';
import type { ActionType, EffectAnswer } from '../../../../pkg/action/definition.ts';
import { agentCallAction } from '../../../../pkg/action/types/agent_call.ts';
import { callAction } from '../../../../pkg/action/types/call.ts';
import { connectAction } from '../../../../pkg/action/types/connect.ts';
import { NIL } from '../../../../pkg/model/id.ts';
import type { Json, JsonObject } from '../../../../pkg/model/json.ts';
import { ACTIVEFLOW, CUSTOMER, drive, ok, REFERENCE, refused } from '../../../support/drive.ts';

const BRIDGE = 'd0000000-0000-4000-8000-000000000001';
const MADE_FLOW = 'd0000000-0000-4000-8000-000000000002';
const CALLS = ['d0000000-0000-4000-8000-000000000003', 'd0000000-0000-4000-8000-000000000004'] as const;
const GIVEN_FLOW = 'd0000000-0000-4000-8000-000000000005';
const AGENT = 'd0000000-0000-4000-8000-000000000006';
const SOURCE = { type: 'tel', target: '+821100000001' };
const TO = { type: 'tel', target: '+821100000002', target_name: 'Two' };
const JOIN = { type: 'confbridge_join', option: { confbridge_id: BRIDGE } };

const bridge = ok({ id: BRIDGE, type: 'connect' });
const flow = ok({ id: MADE_FLOW });
const oneCall = ok({ calls: [{ id: CALLS[0] }], groupcalls: [] });

/** The body of the one request to `uri`. */
function body(
  type: ActionType,
  option: JsonObject,
  answers: readonly EffectAnswer[],
  uri = '/v1/calls',
  setting = {},
): Json | undefined {
  const found = drive(type, option, answers, setting).effects.filter((effect) => effect.kind === 'request' && effect.uri === uri);
  expect(found).to.have.length(1);
  return found[0]?.kind === 'request' ? found[0].data : undefined;
}

function reasonOf(type: ActionType, option: JsonObject, answers: readonly EffectAnswer[]): string | undefined {
  const { failure, decision } = drive(type, option, answers);
  expect(decision).to.equal(undefined);
  expect(failure).to.include({ status: 'UNAVAILABLE' });
  return failure?.reason;
}

describe('connect', () => {
  const option = { source: SOURCE, destinations: [TO] };

  it('asks for a confbridge, a temporary flow and the call, in that order', () => {
    const { effects, decision } = drive(connectAction, option, [bridge, flow, oneCall]);
    expect(effects).to.deep.equal([
      {
        kind: 'request',
        to: 'call',
        method: 'POST',
        uri: '/v1/confbridges',
        data: {
          customer_id: CUSTOMER,
          activeflow_id: ACTIVEFLOW,
          reference_type: 'call',
          reference_id: REFERENCE,
          type: 'connect',
        },
      },
      { kind: 'make_flow', name: 'connect', actions: [JOIN, { type: 'hangup' }] },
      {
        kind: 'request',
        to: 'call',
        method: 'POST',
        uri: '/v1/calls',
        data: {
          customer_id: CUSTOMER,
          flow_id: MADE_FLOW,
          master_call_id: REFERENCE,
          source: SOURCE,
          destinations: [TO],
          early_execution: false,
          connect: true,
        },
      },
    ]);
    expect(decision).to.deep.include({ kind: 'push', actions: [JOIN] });
    expect(decision?.reason).to.contain('1 call, 0 group calls').and.to.contain(BRIDGE);
    expect(decision).to.not.have.property('stack_id');
  });

  it('is `connect` for one destination without early media only', () => {
    const cases: readonly (readonly [JsonObject, boolean, boolean])[] = [
      [{ destinations: [TO, TO] }, false, false],
      [{ destinations: [TO], early_media: true }, false, true],
      [{ destinations: [TO, TO], early_media: true }, false, true],
      [{ destinations: [TO], early_media: false }, true, false],
    ];
    for (const [given, connect, early_execution] of cases) {
      expect(body(connectAction, given, [bridge, flow, oneCall])).to.include({ connect, early_execution });
    }
  });

  it('passes on anonymous, and has no master call when unchained', () => {
    expect(body(connectAction, { ...option, anonymous: 'auto', unchained: true }, [bridge, flow, oneCall])).to.include({
      anonymous: 'auto',
      master_call_id: NIL,
    });
    expect(body(connectAction, { ...option, anonymous: '' }, [bridge, flow, oneCall])).to.not.have.property('anonymous');
  });

  it('hangs up for the first call’s reason with relay_reason, unless there is a group call', () => {
    const relay = { ...option, relay_reason: true };
    const two = CALLS.map((id) => ({ id }));
    expect(drive(connectAction, relay, [bridge, flow, ok({ calls: two, groupcalls: null })]).decision).to.deep.include({
      actions: [JOIN, { type: 'hangup', option: { reference_id: CALLS[0] } }],
    });
    const grouped = ok({ calls: two, groupcalls: [{ id: AGENT }] });
    expect(drive(connectAction, relay, [bridge, flow, grouped]).decision).to.deep.include({ actions: [JOIN] });
  });

  it('meets a group call alone', () => {
    const { decision } = drive(connectAction, option, [bridge, flow, ok({ calls: null, groupcalls: [{ id: AGENT }] })]);
    expect(decision).to.deep.include({ kind: 'push', actions: [JOIN] });
    expect(decision?.reason).to.contain('0 calls, 1 group call ');
  });

  it('fails when neither a call nor a group call was made', () => {
    for (const answer of [{}, { calls: [], groupcalls: [] }, { calls: null, groupcalls: null }]) {
      expect(reasonOf(connectAction, option, [bridge, flow, ok(answer)])).to.equal('NO_CALLS_MADE');
    }
  });

  it('fails with the error of whatever refuses or is silent, asking no further', () => {
    expect(reasonOf(connectAction, option, [refused('SIBLING_TIMEOUT')])).to.equal('SIBLING_TIMEOUT');
    expect(reasonOf(connectAction, option, [bridge, refused('STORE_DOWN')])).to.equal('STORE_DOWN');
    expect(reasonOf(connectAction, option, [bridge, flow, refused('NO_CREDIT')])).to.equal('NO_CREDIT');
    expect(connectAction.on_failure ?? 'stop').to.equal('stop');
  });

  it('fails on nonsense', () => {
    for (const answer of [null, 'x', {}, { id: 'x' }, { id: NIL }]) {
      expect(reasonOf(connectAction, option, [ok(answer)]), JSON.stringify(answer)).to.equal('SIBLING_ANSWER_INVALID');
    }
    for (const answer of [null, [], { calls: {} }, { calls: [7] }, { calls: [{}] }, { groupcalls: 'many' }]) {
      const reason = reasonOf(connectAction, option, [bridge, flow, ok(answer)]);
      expect(reason, JSON.stringify(answer)).to.equal('SIBLING_ANSWER_INVALID');
    }
  });
});

describe('call', () => {
  const option = { source: SOURCE, destinations: [TO, TO] };
  const actions = [{ type: 'talk', option: { text: 'hello' } }];

  it('calls with the flow given, which goes before actions', () => {
    const { effects, decision } = drive(callAction, { ...option, flow_id: GIVEN_FLOW, actions }, [oneCall]);
    expect(effects).to.deep.equal([
      {
        kind: 'request',
        to: 'call',
        method: 'POST',
        uri: '/v1/calls',
        data: {
          customer_id: CUSTOMER,
          flow_id: GIVEN_FLOW,
          master_call_id: NIL,
          source: SOURCE,
          destinations: [TO, TO],
          early_execution: false,
          connect: false,
        },
      },
    ]);
    expect(decision).to.deep.equal({ kind: 'next', reason: `1 call, 0 group calls with flow ${GIVEN_FLOW}` });
  });

  it('makes a temporary flow of its actions when no flow is given, a nil one included', () => {
    for (const given of [
      { ...option, actions },
      { ...option, actions, flow_id: NIL },
      { ...option, actions, flow_id: '' },
    ]) {
      const { effects } = drive(callAction, given, [flow, oneCall]);
      expect(effects[0]).to.deep.equal({ kind: 'make_flow', name: 'call', actions });
      expect(effects[1]).to.nested.include({ 'data.flow_id': MADE_FLOW });
    }
    expect(drive(callAction, option, [flow, oneCall]).effects[0]).to.deep.include({ actions: [] });
  });

  it('has a master call only when chained, and only when the reference is a call', () => {
    const chained = { ...option, flow_id: GIVEN_FLOW, chained: true, early_execution: true, anonymous: 'yes' };
    expect(body(callAction, chained, [oneCall])).to.include({
      master_call_id: REFERENCE,
      early_execution: true,
      connect: false,
      anonymous: 'yes',
    });
    const api = { activeflow: { reference_type: 'api' } };
    expect(body(callAction, chained, [oneCall], '/v1/calls', api)).to.include({ master_call_id: NIL });
  });

  it('goes on when nobody could be called', () => {
    const { decision } = drive(callAction, { ...option, flow_id: GIVEN_FLOW }, [ok({ calls: null })]);
    expect(decision).to.include({ kind: 'next' });
    expect(decision?.reason).to.contain('0 calls');
  });

  it('fails when the call manager refuses, is silent or answers nonsense', () => {
    const given = { ...option, flow_id: GIVEN_FLOW };
    expect(reasonOf(callAction, given, [refused('NO_CREDIT')])).to.equal('NO_CREDIT');
    expect(reasonOf(callAction, given, [refused('SIBLING_TIMEOUT')])).to.equal('SIBLING_TIMEOUT');
    expect(reasonOf(callAction, given, [ok(null)])).to.equal('SIBLING_ANSWER_INVALID');
    expect(reasonOf(callAction, given, [ok({ calls: 3 })])).to.equal('SIBLING_ANSWER_INVALID');
    expect(callAction.on_failure ?? 'stop').to.equal('stop');
  });
});

describe('agent_call', () => {
  const option = { agent_id: AGENT };
  const call = ok({ id: REFERENCE, source: SOURCE });

  it('dials the agent with the caller’s number and meets it in a confbridge', () => {
    const { effects, decision } = drive(agentCallAction, option, [bridge, call, flow, ok({ id: CALLS[0] })]);
    expect(effects).to.have.length(4);
    expect(effects[0]).to.deep.include({ to: 'call', method: 'POST', uri: '/v1/confbridges' });
    expect(effects[1]).to.deep.equal({ kind: 'request', to: 'call', method: 'GET', uri: `/v1/calls/${REFERENCE}` });
    expect(effects[2]).to.deep.equal({ kind: 'make_flow', name: 'agent_call', actions: [JOIN, { type: 'hangup' }] });
    expect(effects[3]).to.deep.equal({
      kind: 'request',
      to: 'agent',
      method: 'POST',
      uri: `/v1/agents/${AGENT}/dial`,
      data: { source: SOURCE, flow_id: MADE_FLOW, master_call_id: REFERENCE },
    });
    expect(decision).to.deep.include({ kind: 'push', actions: [JOIN] });
  });

  it('fails when a sibling refuses or is silent', () => {
    expect(reasonOf(agentCallAction, option, [refused('NO_BRIDGE')])).to.equal('NO_BRIDGE');
    expect(reasonOf(agentCallAction, option, [bridge, refused('SIBLING_TIMEOUT')])).to.equal('SIBLING_TIMEOUT');
    expect(reasonOf(agentCallAction, option, [bridge, call, flow, refused('AGENT_BUSY')])).to.equal('AGENT_BUSY');
    expect(agentCallAction.on_failure ?? 'stop').to.equal('stop');
  });

  it('fails on nonsense', () => {
    expect(reasonOf(agentCallAction, option, [ok(null)])).to.equal('SIBLING_ANSWER_INVALID');
    expect(reasonOf(agentCallAction, option, [bridge, ok({ source: '+8211' })])).to.equal('SIBLING_ANSWER_INVALID');
  });
});
