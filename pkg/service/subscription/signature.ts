import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over `<id>.<timestamp>.<body>`, by a secret such as `whsec_…`. */
const PREFIX = 'whsec_';
const SECRET = /^whsec_[A-Za-z0-9+/]+={0,2}$/;
/** Bytes that the specification wants a secret to have. */
export const SECRET_BYTES = { least: 24, most: 64 } as const;

export function newSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES.least).toString('base64');
}

export function isSecret(text: unknown): text is string {
  if (typeof text !== 'string' || !SECRET.test(text)) return false;
  const { length } = Buffer.from(text.slice(PREFIX.length), 'base64');
  return length >= SECRET_BYTES.least && length <= SECRET_BYTES.most;
}

/** The headers that say what is sent, when, and by whom: one signature for each secret, so that either may be checked. */
export function webhookHeaders(id: string, seconds: number, body: string, secrets: readonly string[]): Record<string, string> {
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(seconds) };
  if (secrets.length === 0) return headers;
  return { ...headers, 'webhook-signature': secrets.map((secret) => sign(id, seconds, body, secret)).join(' ') };
}

/** How far the clocks of sender and receiver may be apart: what is older may be a copy that somebody else sends again. */
const TOLERANCE_S = 300;

/** Undefined: it is as it was sent by who has the secret, and new; else why it is not. */
export function webhookProblem(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
  secret: string,
  now_ms: number,
): string | undefined {
  const [id, timestamp, given] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headers[name]);
  if (typeof id !== 'string' || typeof timestamp !== 'string') return 'webhook-id or webhook-timestamp is missing';
  if (typeof given !== 'string') return 'webhook-signature is missing';
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now_ms / 1_000 - Number(timestamp)) > TOLERANCE_S) {
    return `webhook-timestamp ${timestamp} is not of the last ${TOLERANCE_S / 60} minutes`;
  }
  const expected = Buffer.from(sign(id, Number(timestamp), body, secret));
  const found = given.split(' ').map((one) => Buffer.from(one));
  const good = found.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
  return good ? undefined : 'no signature fits the secret';
}

function sign(id: string, seconds: number, body: string, secret: string): string {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`;
}
