import { expect } from 'chai';
import { conversationSendAction } from '../../../../pkg/action/types/conversation_send.ts';
import { emailSendAction } from '../../../../pkg/action/types/email_send.ts';
import { messageSendAction } from '../../../../pkg/action/types/message_send.ts';
import { webhookSendAction } from '../../../../pkg/action/types/webhook_send.ts';
import { NIL } from '../../../../pkg/model/id.ts';
import { ACTIVEFLOW, CUSTOMER, drive, ok, refused } from '../../../support/drive.ts';

const ID = 'e0000000-0000-4000-8000-000000000001';
const SOURCE = { type: 'tel', target: '+821100000001' };
const TO = [{ type: 'tel', target: '+821100000002' }];
const URI = 'https://example.com/hook';

const TYPES = [
  { type: messageSendAction, option: { source: SOURCE, destinations: TO, text: 'hi' }, on_failure: 'stop' },
  { type: emailSendAction, option: { destinations: TO, subject: 'hi' }, on_failure: 'continue' },
  { type: conversationSendAction, option: { conversation_id: ID, text: 'hi', sync: true }, on_failure: 'continue' },
  { type: webhookSendAction, option: { uri: URI, method: 'POST', data: '{}', sync: true }, on_failure: 'continue' },
];

for (const { type, option, on_failure } of TYPES) {
  describe(`${type.type}: a sibling that sends`, () => {
    it(`fails with the error of one that refuses or is silent; then the flow: ${on_failure}`, () => {
      for (const why of ['NO_CREDIT', 'SIBLING_TIMEOUT']) {
        const { failure, decision } = drive(type, option, [refused(why)]);
        expect(failure).to.include({ status: 'UNAVAILABLE', reason: why });
        expect(decision).to.equal(undefined);
      }
      expect(type.on_failure ?? 'stop').to.equal(on_failure);
    });

    it('needs nothing of the answer: an odd one to a thing done does not undo it', () => {
      for (const answer of [null, [], 'sent', { id: 7 }, { id: ID }]) {
        expect(drive(type, option, [ok(answer)]).decision, JSON.stringify(answer)).to.include({ kind: 'next' });
      }
    });
  });
}

describe('message_send', () => {
  it('asks for a message without an id of its own', () => {
    const { effects, decision } = drive(messageSendAction, { source: SOURCE, destinations: TO, text: 'hi call' }, [
      ok({ id: ID }),
    ]);
    const data = { id: NIL, customer_id: CUSTOMER, source: SOURCE, destinations: TO, text: 'hi call' };
    expect(effects).to.deep.equal([{ kind: 'request', to: 'message', method: 'POST', uri: '/v1/messages', data }]);
    expect(decision).to.deep.equal({ kind: 'next', reason: `message ${ID} to 1` });
  });
});

describe('email_send', () => {
  it('asks for an e-mail with its attachments', () => {
    const attachments = [{ reference_type: 'recording', reference_id: ID }];
    const option = { destinations: TO, subject: 's', content: 'c', attachments };
    const data = { customer_id: CUSTOMER, activeflow_id: ACTIVEFLOW, destinations: TO, subject: 's', content: 'c', attachments };
    expect(drive(emailSendAction, option, [ok({ id: ID })]).effects).to.deep.equal([
      { kind: 'request', to: 'email', method: 'POST', uri: '/v1/emails', data },
    ]);
  });
});

describe('conversation_send', () => {
  const data = { conversation_id: ID, text: 'hi', medias: [] };
  const asked = { kind: 'request', to: 'conversation', method: 'POST', uri: '/v1/messages', data, timeout_ms: 30_000 };

  it('waits up to 30 s with sync', () => {
    const { effects, decision } = drive(conversationSendAction, { conversation_id: ID, text: 'hi', sync: true }, [
      ok({ id: ID }),
    ]);
    expect(effects).to.deep.equal([{ ...asked, wait: true }]);
    expect(decision?.reason).to.equal(`message ${ID} sent`);
  });

  it('does not wait without sync', () => {
    const { effects, decision } = drive(conversationSendAction, { conversation_id: ID, text: 'hi' }, [ok(null)]);
    expect(effects).to.deep.equal([{ ...asked, wait: false }]);
    expect(decision?.reason).to.contain('not waited for');
  });
});

describe('webhook_send', () => {
  const option = { uri: URI, method: 'PUT', data_type: 'application/json', data: '{"digits":"12#","n":[1,null]}' };
  const data = {
    customer_id: CUSTOMER,
    uri: URI,
    method: 'PUT',
    data_type: 'application/json',
    data: { digits: '12#', n: [1, null] },
  };

  it('sends what the text holds, waited for with sync only', () => {
    for (const wait of [true, false]) {
      expect(drive(webhookSendAction, { ...option, sync: wait }, [ok(null)]).effects).to.deep.equal([
        { kind: 'request', to: 'webhook', method: 'POST', uri: '/v1/webhook_destinations', data, wait },
      ]);
    }
    expect(drive(webhookSendAction, option, [ok(null)]).effects[0]).to.include({ wait: false });
  });

  it('sends nothing for a text that is no JSON, fails in the trace and goes on; the text is not shown', () => {
    for (const text of ['secret words', '', '{"a":', 'undefined']) {
      const { effects, failure } = drive(webhookSendAction, { ...option, data: text });
      expect(effects).to.deep.equal([]);
      expect(failure).to.include({ status: 'INVALID_ARGUMENT', reason: 'WEBHOOK_DATA_NOT_JSON' });
      expect(failure?.message).to.contain('/option/data').and.to.not.contain('secret');
    }
    expect(webhookSendAction.on_failure).to.equal('continue');
  });
});
