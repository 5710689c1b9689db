import { expect } from 'chai';
import { FlowError, unavailable } from '../../../pkg/error/index.ts';
import { DEFAULT_DELIVERY_RETRY } from '../../../pkg/model/subscription.ts';
import type { HttpAnswer } from '../../../pkg/service/ports.ts';
import { pauseBefore, send } from '../../../pkg/service/subscription/sender.ts';
import { subscriptionTo } from '../../support/subscriptions.ts';

const NOW = Date.parse('2026-11-21T08:45:10Z');
const subscription = subscriptionTo('https://a.example/hook?token=hidden');

function attempt(answer: () => Promise<HttpAnswer>) {
  const http = { request: answer, close: async () => undefined };
  return send(http, subscription, { id: 'id', body: '{}' }, NOW);
}

const status = (code: number, headers = {}) => attempt(async () => ({ status: code, headers, body: '' }));

describe('one attempt to deliver', () => {
  const verdicts: readonly (readonly [string, readonly number[]])[] = [
    ['delivered', [200, 201, 202, 204, 299]],
    ['retry', [408, 425, 429, 500, 502, 503, 504, 599]],
    ['final', [301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 409, 422, 499]],
    ['gone', [410]],
  ];
  for (const [verdict, codes] of verdicts) {
    it(`is ${verdict} by ${codes.join(', ')}`, async () => {
      for (const code of codes) expect(await status(code)).to.include({ verdict, response_code: code });
    });
  }

  it('is tried again after silence, and never where it may not go', async () => {
    const silent = await attempt(async () => {
      throw unavailable('HTTP_TIMEOUT', 'a.example: no complete answer within 5 ms');
    });
    expect(silent).to.include({ verdict: 'retry', response_code: null });
    const refused = await attempt(async () => {
      throw new FlowError('PERMISSION_DENIED', 'HTTP_ADDRESS_NOT_ALLOWED', 'a.example: not allowed');
    });
    expect(refused).to.include({ verdict: 'final', error: 'HTTP_ADDRESS_NOT_ALLOWED: a.example: not allowed' });
  });

  it('reads Retry-After in both its forms', async () => {
    const asked = async (text: string) => (await status(503, { 'retry-after': text })).retry_after_ms;
    expect(await asked('120')).to.equal(120_000);
    expect(await asked('Sat, 21 Nov 2026 08:46:10 GMT')).to.equal(60_000);
    for (const text of ['-5', 'soon', '', 'Sat, 21 Nov 2020 08:46:10 GMT']) expect(await asked(text), text).to.equal(undefined);
  });
});

describe('the pause before the next attempt', () => {
  it('doubles from 500 ms, three times, half to whole of it', () => {
    const pauses = (dice: number) => [1, 2, 3, 4].map((failed) => pauseBefore(DEFAULT_DELIVERY_RETRY, failed, 0, dice));
    expect(pauses(1)).to.deep.equal([500, 1_000, 2_000, undefined]);
    expect(pauses(0)).to.deep.equal([250, 500, 1_000, undefined]);
  });

  it('is what the endpoint asks for, up to what its owner allows', () => {
    const retry = { ...DEFAULT_DELIVERY_RETRY, max_retry_after_ms: 5_000 };
    expect(pauseBefore(retry, 1, 3_000, 0)).to.equal(3_000);
    expect(pauseBefore(retry, 1, 86_400_000, 0)).to.equal(5_000);
    expect(pauseBefore(retry, 4, 3_000, 0)).to.equal(undefined);
  });
});
