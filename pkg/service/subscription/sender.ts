import { FlowError } from '../../error/index.ts';
import type { DeliveryRetry, Subscription } from '../../model/subscription.ts';
import type { HttpClient } from '../ports.ts';
import { webhookHeaders } from './signature.ts';

/** What one attempt came to. */
export interface Attempted {
  /** retry: it may go better later; gone: the endpoint wants no more. */
  readonly verdict: 'delivered' | 'retry' | 'final' | 'gone';
  readonly response_code: number | null;
  readonly latency_ms: number;
  /** Without anything of the URL but its host; null: delivered. */
  readonly error: string | null;
  /** What the endpoint asked for by Retry-After, in ms. */
  readonly retry_after_ms?: number;
}

const RETRIED = new Set([408, 425, 429]);
const LONGEST_ERROR = 200;

/** One POST. Never throws. */
export async function send(
  http: HttpClient,
  { config, secrets }: Pick<Subscription, 'config' | 'secrets'>,
  message: { readonly id: string; readonly body: string; readonly timeout_ms?: number },
  now_ms: number,
): Promise<Attempted> {
  const { id, body, timeout_ms = config.timeout_ms } = message;
  const signing = secrets.signing.filter(({ until }) => until === null || Date.parse(until) > now_ms).map(({ secret }) => secret);
  const since = performance.now();
  const latency = (): number => Math.round(performance.now() - since);
  try {
    const answer = await http.request({
      method: config.method,
      url: config.callback_url,
      headers: {
        ...secrets.headers,
        ...(secrets.access_key === '' ? {} : { 'access-key': secrets.access_key }),
        'content-type': 'application/json;charset=UTF-8',
        ...webhookHeaders(id, Math.floor(now_ms / 1_000), body, signing),
      },
      text: body,
      timeout_ms,
      discard: true,
    });
    return { ...ofStatus(answer.status), latency_ms: latency(), ...retryAfter(answer.headers['retry-after'], now_ms) };
  } catch (thrown) {
    const error = thrown instanceof FlowError ? `${thrown.reason}: ${thrown.message}` : String(thrown);
    const retry = !(thrown instanceof FlowError) || thrown.retryable;
    return {
      verdict: retry ? 'retry' : 'final',
      response_code: null,
      latency_ms: latency(),
      error: error.slice(0, LONGEST_ERROR),
    };
  }
}

function ofStatus(status: number): Pick<Attempted, 'verdict' | 'response_code' | 'error'> {
  if (status >= 200 && status < 300) return { verdict: 'delivered', response_code: status, error: null };
  const verdict = status === 410 ? 'gone' : status >= 500 || RETRIED.has(status) ? 'retry' : 'final';
  return { verdict, response_code: status, error: `answered with status ${status}` };
}

/** Seconds, or a date of HTTP. */
function retryAfter(header: string | undefined, now_ms: number): { retry_after_ms?: number } {
  if (header === undefined) return {};
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now_ms;
  return Number.isNaN(ms) || ms < 0 ? {} : { retry_after_ms: ms };
}

/**
 * How long until the next attempt, in ms, or undefined when there is none. `failed`: attempts that have failed.
 * `dice`: 0 to below 1; a half to the whole of the pause is waited, so that what failed together does not come back together.
 */
export function pauseBefore(retry: DeliveryRetry, failed: number, retry_after_ms: number, dice: number): number | undefined {
  if (failed > retry.attempts) return undefined;
  const pause = Math.min(retry.initial_ms * retry.factor ** (failed - 1), retry.max_ms);
  return Math.round(Math.max(pause * (0.5 + dice / 2), Math.min(retry_after_ms, retry.max_retry_after_ms)));
}
