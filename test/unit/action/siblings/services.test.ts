import { expect } from 'chai';
import { aiSummaryAction } from '../../../../pkg/action/types/ai_summary.ts';
import { aiTalkAction } from '../../../../pkg/action/types/ai_talk.ts';
import { aiTaskAction } from '../../../../pkg/action/types/ai_task.ts';
import { conferenceJoinAction } from '../../../../pkg/action/types/conference_join.ts';
import { queueJoinAction } from '../../../../pkg/action/types/queue_join.ts';
import { NIL } from '../../../../pkg/model/id.ts';
import type { Json, JsonObject } from '../../../../pkg/model/json.ts';
import { ACTIVEFLOW, CUSTOMER, drive, ok, REFERENCE, refused } from '../../../support/drive.ts';

const ID = 'c0000000-0000-4000-8000-000000000001';
const SERVICE = 'c0000000-0000-4000-8000-000000000002';
const PUSHED: readonly Json[] = [{ type: 'talk', option: { text: 'please wait' } }, { type: 'hangup' }];
const ANSWER = { id: SERVICE, type: 'service', push_actions: PUSHED };

const TYPES = [
  { type: queueJoinAction, option: { queue_id: ID }, to: 'queue', reason: `queuecall ${SERVICE}` },
  { type: conferenceJoinAction, option: { conference_id: ID }, to: 'conference', reason: `conferencecall ${SERVICE}` },
  { type: aiTalkAction, option: { assistance_type: 'ai', assistance_id: ID }, to: 'ai', reason: `aicall ${SERVICE}` },
  { type: aiTaskAction, option: { assistance_type: 'team', assistance_id: ID }, to: 'ai', reason: `task ${SERVICE}` },
  { type: aiSummaryAction, option: { reference_type: 'call', reference_id: ID }, to: 'ai', reason: `summary ${SERVICE}` },
];

for (const { type, option, to, reason } of TYPES) {
  describe(`${type.type}: a service that pushes`, () => {
    it('pushes what the service wants as a stack of the service id', () => {
      const { decision } = drive(type, option, [ok(ANSWER)]);
      expect(decision).to.deep.include({ kind: 'push', stack_id: SERVICE, actions: PUSHED, reason: `${reason}: 2 actions` });
    });

    it('goes on when the service wants nothing, null as much as an empty list', () => {
      for (const push_actions of [[], null]) {
        const { decision } = drive(type, option, () => ok({ id: SERVICE, push_actions }));
        expect(decision).to.deep.equal({ kind: 'next', reason: `${reason}: nothing to push` });
      }
    });

    it('fails with the error of a sibling that refuses or is silent, and stops the flow', () => {
      for (const why of ['QUEUE_FULL', 'SIBLING_TIMEOUT', 'SIBLING_UNREACHABLE']) {
        const { failure, effects } = drive(type, option, [refused(why)]);
        expect(failure).to.include({ status: 'UNAVAILABLE', reason: why });
        expect(effects).to.have.length(1);
      }
      expect(type.on_failure ?? 'stop').to.equal('stop');
    });

    it('fails on nonsense, saying who sent it and what was expected', () => {
      const nonsense: readonly (readonly [Json, string])[] = [
        [null, 'an object'],
        ['ok', 'an object'],
        [[ANSWER], 'an object'],
        [{ id: 'seven', push_actions: [] }, 'UUID'],
        [{ id: 7, push_actions: [] }, 'UUID'],
        [{ id: SERVICE, push_actions: 'talk' }, 'push_actions as a list'],
        [{ id: SERVICE, push_actions: { type: 'talk' } }, 'push_actions as a list'],
      ];
      for (const [answer, expected] of nonsense) {
        const { failure } = drive(type, option, [ok(answer)]);
        expect(failure, JSON.stringify(answer)).to.include({ status: 'UNAVAILABLE', reason: 'SIBLING_ANSWER_INVALID' });
        expect(failure?.message).to.contain(`${to}-manager`).and.to.contain(expected);
      }
    });
  });
}

describe('queue_join', () => {
  it('asks the queue for a queuecall, and tells it to begin once the push is stored', () => {
    const { effects, decision } = drive(queueJoinAction, { queue_id: ID }, [ok(ANSWER)]);
    const data = { queue_id: ID, activeflow_id: ACTIVEFLOW, reference_type: 'call', reference_id: REFERENCE };
    expect(effects).to.deep.equal([{ kind: 'request', to: 'queue', method: 'POST', uri: '/v1/services/type/queuecall', data }]);
    expect(decision).to.deep.include({
      after: { to: 'queue', method: 'POST', uri: `/v1/queuecalls/${SERVICE}/status_waiting` },
    });
  });

  it('tells the queue to begin even where it pushes nothing, before going on', () => {
    const { effects } = drive(queueJoinAction, { queue_id: ID }, [ok({ id: SERVICE, push_actions: [] }), ok(null)]);
    expect(effects[1]).to.deep.equal({
      kind: 'request',
      to: 'queue',
      method: 'POST',
      uri: `/v1/queuecalls/${SERVICE}/status_waiting`,
    });
    const failing = drive(queueJoinAction, { queue_id: ID }, [ok({ id: SERVICE }), refused('SIBLING_TIMEOUT')]);
    expect(failing.failure).to.include({ reason: 'SIBLING_TIMEOUT' });
  });

  it('fails without an id: the queue could not be told to begin', () => {
    for (const answer of [{ push_actions: PUSHED }, { id: NIL, push_actions: PUSHED }]) {
      expect(drive(queueJoinAction, { queue_id: ID }, [ok(answer)]).failure).to.include({ reason: 'SIBLING_ANSWER_INVALID' });
    }
  });
});

describe('conference_join', () => {
  it('asks the conference for a conferencecall', () => {
    const { effects } = drive(conferenceJoinAction, { conference_id: ID.toUpperCase() }, [ok(ANSWER)]);
    const data = { activeflow_id: ACTIVEFLOW, conference_id: ID, reference_type: 'call', reference_id: REFERENCE };
    expect(effects).to.deep.equal([
      { kind: 'request', to: 'conference', method: 'POST', uri: '/v1/services/type/conferencecall', data },
    ]);
  });

  it('lets the engine name the stack when the conference names none', () => {
    const { decision } = drive(conferenceJoinAction, { conference_id: ID }, [ok({ push_actions: PUSHED })]);
    expect(decision).to.include({ kind: 'push' }).and.to.not.have.property('stack_id');
  });
});

describe('ai_talk', () => {
  const asked = (option: JsonObject, reference_type: string) =>
    drive(aiTalkAction, option, [ok(ANSWER)], { activeflow: { reference_type } }).effects;

  it('asks the AI for an aicall and waits 30 s for it', () => {
    expect(asked({ assistance_type: 'team', assistance_id: ID, duration: 60 }, 'call')).to.deep.equal([
      {
        kind: 'request',
        to: 'ai',
        method: 'POST',
        uri: '/v1/services/type/aicall',
        data: {
          assistance_type: 'team',
          assistance_id: ID,
          activeflow_id: ACTIVEFLOW,
          reference_type: 'call',
          reference_id: REFERENCE,
        },
        timeout_ms: 30_000,
      },
    ]);
  });

  it('takes ai_id alone for an ai, and asks as conversation in a conversation only', () => {
    expect(asked({ ai_id: ID }, 'conversation')[0]).to.nested.include({
      'data.assistance_type': 'ai',
      'data.assistance_id': ID,
      'data.reference_type': 'conversation',
    });
    expect(asked({ ai_id: ID, assistance_type: 'team', assistance_id: SERVICE }, 'api')[0]).to.nested.include({
      'data.assistance_type': 'team',
      'data.assistance_id': SERVICE,
      'data.reference_type': 'call',
    });
  });
});

describe('ai_task', () => {
  it('asks the AI for a task', () => {
    expect(drive(aiTaskAction, { ai_id: ID }, [ok(ANSWER)]).effects).to.deep.equal([
      {
        kind: 'request',
        to: 'ai',
        method: 'POST',
        uri: '/v1/services/type/task',
        data: { assistance_type: 'ai', assistance_id: ID, activeflow_id: ACTIVEFLOW },
      },
    ]);
  });
});

describe('ai_summary', () => {
  it('asks the AI for a summary and waits 60 s for it; an id that is not given is nil', () => {
    const option = { reference_type: 'recording', reference_id: ID, language: 'en-US' };
    expect(drive(aiSummaryAction, option, [ok(ANSWER)]).effects).to.deep.equal([
      {
        kind: 'request',
        to: 'ai',
        method: 'POST',
        uri: '/v1/services/type/summary',
        data: { customer_id: CUSTOMER, activeflow_id: ACTIVEFLOW, on_end_flow_id: NIL, ...option },
        timeout_ms: 60_000,
      },
    ]);
  });
});
