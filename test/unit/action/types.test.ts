import { expect } from 'chai';
import { ACTION_TYPES, actionType, actionTypeNames } from '../../../pkg/action/catalogue.ts';
import { blockAction } from '../../../pkg/action/types/block.ts';
import { conditionDatetimeAction } from '../../../pkg/action/types/condition_datetime.ts';
import { emptyAction } from '../../../pkg/action/types/empty.ts';
import { fetchAction } from '../../../pkg/action/types/fetch.ts';
import { fetchFlowAction } from '../../../pkg/action/types/fetch_flow.ts';
import { sleepAction } from '../../../pkg/action/types/sleep.ts';
import { stopAction } from '../../../pkg/action/types/stop.ts';
import { variableSetAction } from '../../../pkg/action/types/variable_set.ts';
import type { Json } from '../../../pkg/model/json.ts';
import { ACTIVEFLOW, CUSTOMER, drive, ok, REFERENCE, refused } from '../../support/drive.ts';

const OTHER = 'b0000000-0000-4000-8000-000000000001';

describe('the catalogue', () => {
  const CALLER =
    'answer beep mute recording_stop external_media_stop transcribe_stop amd talk play echo stream_echo sleep dtmf_receive digits_receive dtmf_send digits_send recording_start external_media_start confbridge_join hangup';
  const MANAGER =
    'agent_call connect call conference_join queue_join goto branch condition_call_digits condition_call_status condition_datetime condition_variable fetch fetch_flow http_request message_send email_send conversation_send transcribe_start transcribe_recording ai_talk ai_task ai_summary case_create webhook_send variable_set block callback_create callback_wait stop empty participant_set job_start job_wait parallel workflow_response';
  const STOPS =
    'queue_join conference_join connect call agent_call message_send ai_talk ai_task ai_summary condition_call_digits condition_call_status fetch fetch_flow http_request callback_create callback_wait job_start job_wait';
  const GOES_ON = 'email_send conversation_send transcribe_start transcribe_recording case_create webhook_send';

  it('has every type of the wire, once, run by whom the wire says', () => {
    const by = (who: string) => ACTION_TYPES.filter((type) => type.by === who).map((type) => type.type);
    expect(by('caller')).to.have.members(CALLER.split(' '));
    expect(by('manager')).to.have.members(MANAGER.split(' '));
    expect(new Set(actionTypeNames()).size).to.equal(actionTypeNames().length);
  });

  it('lets the flow end or go on at a failure as the wire says', () => {
    for (const name of STOPS.split(' ')) expect(actionType(name)?.on_failure ?? 'stop', name).to.equal('stop');
    for (const name of GOES_ON.split(' ')) expect(actionType(name)?.on_failure, name).to.equal('continue');
  });

  it('knows older names, and nothing that an object inherits', () => {
    expect(actionType('patch')).to.equal(fetchAction);
    expect(actionType('patch_flow')).to.equal(fetchFlowAction);
    for (const name of ['constructor', '__proto__', 'toString', '', 'Talk']) expect(actionType(name), name).to.equal(undefined);
  });

  it('has what decides for all that the service runs, and a line of documentation for all', () => {
    for (const type of ACTION_TYPES) {
      expect(type.doc, type.type).to.match(/^[A-Z].*\.$/);
      if (type.by === 'manager') expect(type.decide, type.type).to.be.a('function');
    }
  });
});

describe('sleep', () => {
  it('is the caller’s in a call, and a timer elsewhere', () => {
    const activeflow = { reference_type: 'api' };
    expect(drive(sleepAction, { duration: 500 }).decision).to.include({ kind: 'hand_over' });
    expect(drive(sleepAction, { duration: 500 }, [], { activeflow }).decision).to.include({ kind: 'wait', ms: 500 });
    expect(drive(sleepAction, {}, [], { activeflow }).decision).to.include({ kind: 'next' });
  });
});

describe('block, stop, empty', () => {
  it('wait without end, finish, go on', () => {
    expect(drive(blockAction, {}).decision).to.deep.equal({ kind: 'wait', reason: 'until continue' });
    expect(drive(stopAction, {}).decision).to.include({ kind: 'finish' });
    expect(drive(emptyAction, {}).decision).to.include({ kind: 'next' });
  });
});

describe('variable_set', () => {
  it('sets a text or any other JSON, and does not show it', () => {
    for (const value of ['Lee', '', 7, true, { a: [1] }, ['x']] as Json[]) {
      expect(drive(variableSetAction, { key: 'who', value }).decision).to.deep.equal({
        kind: 'next',
        set: { who: value },
        reason: 'sets who',
      });
    }
    expect(drive(variableSetAction, { key: 'who' }).decision?.set).to.deep.equal({ who: '' });
    expect(drive(variableSetAction, { key: 'voipbin.call.digits', value: '1' }).decision?.set).to.deep.equal({
      'voipbin.call.digits': '1',
    });
  });

  it('fails for an empty name and for the service’s own', () => {
    expect(drive(variableSetAction, { value: 'x' }).failure).to.include({ reason: 'VARIABLE_NAME_EMPTY' });
    const { failure } = drive(variableSetAction, { key: 'voipbin.activeflow.id', value: 'secret' });
    expect(failure).to.include({ reason: 'VARIABLE_RESERVED' });
    expect(failure?.message).to.contain('voipbin.activeflow.id').and.not.contain('secret');
  });
});

describe('fetch', () => {
  const option = { event_url: 'https://example.com/next', event_method: 'post' };

  it('asks the address and pushes the list that it answers', () => {
    const actions = [{ type: 'beep' }, { type: 'no_such' }];
    const { effects, decision } = drive(fetchAction, option, [ok({ status: 200, body: actions })]);
    const body = { activeflow_id: ACTIVEFLOW, reference_id: REFERENCE };
    expect(effects).to.deep.equal([{ kind: 'fetch', method: 'POST', url: option.event_url, body }]);
    expect(decision).to.deep.equal({ kind: 'push', actions, reason: '2 actions fetched' });
  });

  it('uses GET where no method is given', () => {
    const { effects } = drive(fetchAction, { event_url: 'https://example.com' }, [ok({ status: 204, body: [] })]);
    expect(effects[0]).to.include({ method: 'GET' });
  });

  it('fails on any other answer and says what it was', () => {
    const message = (answer: Json) => drive(fetchAction, option, [ok(answer)]).failure?.message;
    expect(message({ status: 404, body: [] })).to.contain('status 404, expected 2xx');
    expect(message({ status: 302, body: [] })).to.contain('302');
    expect(message({ status: 200, body: { actions: [] } })).to.contain('an object, expected a list of actions');
    expect(message({ status: 200, body: 'nope' })).to.contain('a string, expected a list');
    expect(message({ status: 200, body: null })).to.contain('nothing, expected a list');
    for (const nonsense of [null, [], 'x', { body: [] }, { status: '200', body: [] }] as Json[]) {
      expect(drive(fetchAction, option, [ok(nonsense)]).failure, JSON.stringify(nonsense)).to.include({ reason: 'FETCH_FAILED' });
    }
  });

  it('fails as its request does, and without an address asks nothing', () => {
    expect(drive(fetchAction, option, [refused('ADDRESS_REFUSED', 'PERMISSION_DENIED')]).failure).to.include({
      reason: 'ADDRESS_REFUSED',
    });
    const empty = drive(fetchAction, { event_method: 'GET' });
    expect(empty.failure).to.include({ reason: 'NO_URL' });
    expect(empty.effects).to.deep.equal([]);
  });
});

describe('fetch_flow', () => {
  it('pushes the list of another flow of the customer', () => {
    const { effects, decision } = drive(fetchFlowAction, { flow_id: OTHER }, [
      ok({ id: OTHER, customer_id: CUSTOMER, list: 'hash' }),
    ]);
    expect(effects).to.deep.equal([{ kind: 'flow', id: OTHER }]);
    expect(decision).to.deep.include({ kind: 'push', list: 'hash' });
  });

  it('fails for another customer’s flow exactly as for none', () => {
    const foreign = drive(fetchFlowAction, { flow_id: OTHER }, [ok({ id: OTHER, customer_id: OTHER, list: 'hash' })]).failure;
    expect(foreign).to.deep.equal({ status: 'NOT_FOUND', reason: 'FLOW_NOT_FOUND', message: `no flow with id ${OTHER}` });
    expect(drive(fetchFlowAction, { flow_id: OTHER }, [refused('FLOW_NOT_FOUND', 'NOT_FOUND')]).failure).to.include({
      status: 'NOT_FOUND',
    });
    expect(drive(fetchFlowAction, {}).failure).to.include({ reason: 'NO_FLOW' });
  });
});

describe('an unknown time zone', () => {
  it('fails at run time, too, where it came from a variable', () => {
    const type = { ...conditionDatetimeAction, option: fetchAction.option };
    const { failure } = drive(type, { timezone: 'Mars/Olympus', hour: 1 });
    expect(failure).to.include({ reason: 'UNKNOWN_TIMEZONE' });
    expect(failure?.message).to.contain('Mars/Olympus');
  });
});
