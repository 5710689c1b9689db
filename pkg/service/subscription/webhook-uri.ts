import { NIL } from '../../model/id.ts';
import {
  DEFAULT_DELIVERY_RETRY,
  DEFAULT_DELIVERY_TIMEOUT_MS,
  NOTIFICATION_TYPES,
  type Subscription,
} from '../../model/subscription.ts';
import { hashId } from '../context.ts';

export const METHODS = ['POST', 'PUT', 'PATCH'] as const;

/**
 * The subscription that a `webhook_uri` is: one for each customer, method and address, so that a customer finds its log and
 * can give it secrets. Undefined: it is no address that could be asked.
 */
export function webhookUriSubscription(
  customer_id: string,
  uri: string,
  given: string,
  tm_create: string,
): Subscription | undefined {
  if (!isCallbackUrl(uri)) return undefined;
  const method = METHODS.find((one) => one === given.toUpperCase()) ?? 'POST';
  return {
    id: hashId(`${customer_id}/webhook_uri/${method}/${uri}`),
    customer_id,
    origin: 'webhook_uri',
    enabled: true,
    config: {
      login_name: '',
      notification_types: NOTIFICATION_TYPES,
      workflow_id: NIL,
      callback_url: uri,
      method,
      lane: 'activeflow',
      retry: DEFAULT_DELIVERY_RETRY,
      timeout_ms: DEFAULT_DELIVERY_TIMEOUT_MS,
    },
    secrets: { access_key: '', headers: {}, signing: [] },
    disabled_reason: '',
    failing_since: null,
    revision: 1,
    tm_create,
    tm_update: null,
  };
}

export function isCallbackUrl(text: string): boolean {
  return text.length <= 2_048 && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
