import { expect } from 'chai';
import { caseCreateAction } from '../../../../pkg/action/types/case_create.ts';
import { transcribeRecordingAction } from '../../../../pkg/action/types/transcribe_recording.ts';
import { transcribeStartAction } from '../../../../pkg/action/types/transcribe_start.ts';
import { NIL } from '../../../../pkg/model/id.ts';
import type { Json, JsonObject } from '../../../../pkg/model/json.ts';
import { ACTIVEFLOW, CUSTOMER, drive, ok, REFERENCE, refused, type Setting } from '../../../support/drive.ts';

const ID = 'f0000000-0000-4000-8000-000000000001';
const CASE = 'f0000000-0000-4000-8000-000000000002';
const ONE = { type: 'tel', target: '+821100000001' };
const TWO = { type: 'tel', target: '+821100000002' };
const CONVERSATION: Setting = { activeflow: { reference_type: 'conversation' } };

describe('transcribe_start', () => {
  const data = {
    customer_id: CUSTOMER,
    activeflow_id: ACTIVEFLOW,
    on_end_flow_id: NIL,
    reference_type: 'call',
    reference_id: REFERENCE,
    language: 'en-US',
    direction: 'both',
  };

  it('asks for both directions unless told otherwise, and waits 30 s', () => {
    expect(drive(transcribeStartAction, { language: 'en-US' }, [ok({ id: ID })]).effects).to.deep.equal([
      { kind: 'request', to: 'transcribe', method: 'POST', uri: '/v1/transcribes', data, timeout_ms: 30_000 },
    ]);
    const option = { language: 'de-DE', direction: 'in', provider: 'gcp', on_end_flow_id: ID };
    expect(drive(transcribeStartAction, option, [ok(null)]).effects[0]).to.deep.include({ data: { ...data, ...option } });
  });

  it('goes on after a sibling that refuses or is silent, with its error in the trace', () => {
    for (const why of ['NO_LANGUAGE', 'SIBLING_TIMEOUT']) {
      expect(drive(transcribeStartAction, {}, [refused(why)]).failure).to.include({ reason: why });
    }
    expect(transcribeStartAction.on_failure).to.equal('continue');
    expect(drive(transcribeStartAction, {}, [ok('nonsense')]).decision).to.include({ kind: 'next' });
  });
});

describe('transcribe_recording', () => {
  it('asks for each recording of the call', () => {
    const answers = [ok({ recording_ids: [ID, CASE] }), ok({ id: REFERENCE }), ok(null)];
    const { effects, decision } = drive(transcribeRecordingAction, { language: 'en-US' }, answers);
    expect(effects[0]).to.deep.equal({ kind: 'request', to: 'call', method: 'GET', uri: `/v1/calls/${REFERENCE}` });
    expect(effects.slice(1).map((effect) => (effect.kind === 'request' ? effect.data : effect))).to.deep.equal(
      [ID, CASE].map((reference_id) => ({
        customer_id: CUSTOMER,
        activeflow_id: ACTIVEFLOW,
        on_end_flow_id: NIL,
        reference_type: 'recording',
        reference_id,
        language: 'en-US',
        direction: 'both',
      })),
    );
    expect(decision).to.deep.equal({ kind: 'next', reason: '2 recordings' });
  });

  it('goes on where the reference is no call, or the call has no recording', () => {
    const elsewhere = drive(transcribeRecordingAction, {}, [], CONVERSATION);
    expect(elsewhere.effects).to.deep.equal([]);
    expect(elsewhere.decision?.reason).to.contain('"conversation" is no call');
    for (const answer of [{}, { recording_ids: null }, { recording_ids: [] }]) {
      expect(drive(transcribeRecordingAction, {}, [ok(answer)]).decision).to.deep.equal({ kind: 'next', reason: '0 recordings' });
    }
  });

  it('fails on refusal, silence and nonsense, and then the flow goes on', () => {
    expect(drive(transcribeRecordingAction, {}, [refused('SIBLING_TIMEOUT')]).failure).to.include({ reason: 'SIBLING_TIMEOUT' });
    const second = drive(transcribeRecordingAction, {}, [ok({ recording_ids: [ID, CASE] }), refused('GONE')]);
    expect(second.failure).to.include({ reason: 'GONE' });
    expect(second.effects).to.have.length(2);
    for (const answer of [null, { recording_ids: 'all' }, { recording_ids: [7] }]) {
      expect(drive(transcribeRecordingAction, {}, [ok(answer)]).failure).to.include({ reason: 'SIBLING_ANSWER_INVALID' });
    }
    expect(transcribeRecordingAction.on_failure).to.equal('continue');
  });
});

describe('case_create', () => {
  const incoming = { direction: 'incoming', source: ONE, destination: TWO };
  const option = { name: 'n', detail: 'd' };
  const asked = (answer: Json, given: JsonObject = option, setting: Setting = {}) =>
    drive(caseCreateAction, given, [ok(answer), ok({ id: CASE }), ok(null)], setting);

  it('opens a case about the caller of an incoming call', () => {
    const { effects, decision } = asked(incoming);
    expect(effects).to.deep.equal([
      { kind: 'request', to: 'call', method: 'GET', uri: `/v1/calls/${REFERENCE}` },
      {
        kind: 'request',
        to: 'contact',
        method: 'POST',
        uri: '/v1/cases',
        data: { customer_id: CUSTOMER, self: TWO, peer: ONE, reference_type: 'call', reference_id: REFERENCE, ...option },
      },
    ]);
    expect(decision).to.deep.equal({ kind: 'next', reason: `case ${CASE}`, set: { contact_case_id: CASE } });
  });

  it('opens a case about the callee of an outgoing call, and about the peer of a conversation', () => {
    expect(asked({ ...incoming, direction: 'outgoing' }).effects[1]).to.deep.nested.include({
      'data.self': ONE,
      'data.peer': TWO,
    });
    const { effects } = asked({ self: ONE, peer: TWO }, option, CONVERSATION);
    expect(effects[0]).to.deep.equal({
      kind: 'request',
      to: 'conversation',
      method: 'GET',
      uri: `/v1/conversations/${REFERENCE}`,
    });
    expect(effects[1]).to.deep.nested.include({
      'data.self': ONE,
      'data.peer': TWO,
      'data.reference_type': 'conversation_message',
    });
  });

  it('opens none for other references', () => {
    for (const reference_type of ['', 'api', 'message', 'campaign']) {
      const { effects, decision } = drive(caseCreateAction, option, [], { activeflow: { reference_type } });
      expect(effects).to.deep.equal([]);
      expect(decision?.reason).to.contain('no case');
    }
  });

  it('opens none for a peer that is no contact, or of an unknown direction', () => {
    for (const type of ['', 'agent', 'ai', 'ai_team', 'conference', 'extension', 'sip']) {
      const { effects, decision } = asked({ ...incoming, source: { type } });
      expect(effects).to.have.length(1);
      expect(decision).to.include({ kind: 'next' }).and.to.not.have.property('set');
    }
    expect(asked({ ...incoming, direction: 'sideways' }).effects).to.have.length(1);
    expect(asked({ ...incoming, source: {} }).effects).to.have.length(1);
    expect(asked({ ...incoming, source: { type: 'email', target: 'a@b.c' } }).effects).to.have.length(2);
  });

  it('opens none when contact_case_id is set already', () => {
    const set = asked(incoming, option, { variables: { contact_case_id: ID } });
    expect(set.effects).to.have.length(1);
    expect(set.decision?.reason).to.contain('set already');
    for (const empty of ['', null, NIL]) {
      expect(asked(incoming, option, { variables: { contact_case_id: empty } }).effects).to.have.length(2);
    }
  });

  it('adds a note, waited for with sync only; one that fails leaves the case known', () => {
    for (const sync of [true, false]) {
      expect(asked(incoming, { note: 'angry', sync }).effects[2]).to.deep.equal({
        kind: 'request',
        to: 'contact',
        method: 'POST',
        uri: `/v1/cases/${CASE}/notes`,
        data: { customer_id: CUSTOMER, author_type: 'system', text: 'angry' },
        wait: sync,
      });
    }
    const answers = [ok(incoming), ok({ id: CASE }), refused('SIBLING_TIMEOUT')];
    const { decision } = drive(caseCreateAction, { note: 'angry', sync: true }, answers);
    expect(decision).to.deep.include({ kind: 'next', set: { contact_case_id: CASE } });
    expect(decision?.reason).to.contain('error').and.to.contain('SIBLING_TIMEOUT');
  });

  it('fails on refusal, silence and nonsense, sets nothing, and then the flow goes on', () => {
    expect(drive(caseCreateAction, option, [refused('SIBLING_TIMEOUT')]).failure).to.include({ reason: 'SIBLING_TIMEOUT' });
    expect(drive(caseCreateAction, option, [ok(incoming), refused('DUPLICATE')]).failure).to.include({ reason: 'DUPLICATE' });
    for (const answer of [null, {}, { source: 'x', destination: TWO }]) {
      expect(drive(caseCreateAction, option, [ok(answer)]).failure).to.include({ reason: 'SIBLING_ANSWER_INVALID' });
    }
    expect(drive(caseCreateAction, option, [ok({ self: ONE })], CONVERSATION).failure).to.include({
      reason: 'SIBLING_ANSWER_INVALID',
    });
    for (const answer of [null, {}, { id: 'x' }]) {
      const { failure } = drive(caseCreateAction, option, [ok(incoming), ok(answer)]);
      expect(failure).to.include({ reason: 'SIBLING_ANSWER_INVALID' });
    }
    expect(caseCreateAction.on_failure).to.equal('continue');
  });
});
