import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { isSecret, newSecret, webhookHeaders, webhookProblem } from '../../../pkg/service/subscription/signature.ts';

const [now, body] = [Date.now(), '{"ä":"\u2028😀"}'];
const seconds = Math.floor(now / 1_000);

describe('webhook signatures', () => {
  it('are those of Standard Webhooks, one for each secret', () => {
    const secrets = [newSecret(), newSecret()];
    const headers = webhookHeaders(randomUUID(), seconds, body, secrets);
    for (const secret of secrets) {
      expect(isSecret(secret)).to.equal(true);
      expect(new Webhook(secret).verify(body, headers)).to.deep.equal(JSON.parse(body));
      expect(webhookProblem(headers, body, secret, now)).to.equal(undefined);
    }
    expect(() => new Webhook(newSecret()).verify(body, headers)).to.throw();
  });

  it('take what the independent library signed', () => {
    const [id, secret] = [randomUUID(), newSecret()];
    const signature = new Webhook(secret).sign(id, new Date(seconds * 1_000), body);
    const headers = { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signature };
    expect(webhookProblem(headers, body, secret, now)).to.equal(undefined);
  });

  it('refuse what was changed, is old, or is not signed', () => {
    const secret = newSecret();
    const headers = webhookHeaders('id', seconds, body, [secret]);
    expect(webhookProblem(headers, `${body} `, secret, now)).to.include('no signature');
    expect(webhookProblem({ ...headers, 'webhook-id': 'other' }, body, secret, now)).to.include('no signature');
    expect(webhookProblem(headers, body, secret, now + 301_000)).to.include('5 minutes');
    expect(webhookProblem(webhookHeaders('id', seconds, body, []), body, secret, now)).to.include('webhook-signature is missing');
    expect(webhookProblem({}, body, secret, now)).to.include('is missing');
  });

  it('know what no secret is', () => {
    for (const text of ['', 'whsec_', 'whsec_AAAA', newSecret().slice(6), `whsec_${'A'.repeat(200)}`, 5]) {
      expect(isSecret(text), String(text)).to.equal(false);
    }
  });
});
