import type { JsonObject } from '../../model/json.ts';
import type { Delivery, Subscription } from '../../model/subscription.ts';

/** A subscription without its secrets: of these it is only shown that they are there. */
export function viewSubscription(subscription: Subscription): JsonObject {
  const { config, secrets } = subscription;
  return {
    id: subscription.id,
    customer_id: subscription.customer_id,
    origin: subscription.origin,
    enabled: subscription.enabled,
    disabled_reason: subscription.disabled_reason,
    failing_since: subscription.failing_since,
    login_name: config.login_name,
    notification_types: [...config.notification_types],
    workflow_id: config.workflow_id,
    callback_url: config.callback_url,
    method: config.method,
    lane: config.lane,
    retry: { ...config.retry },
    timeout_ms: config.timeout_ms,
    has_access_key: secrets.access_key !== '',
    headers: Object.fromEntries(Object.keys(secrets.headers).map((name) => [name, '***'])),
    secrets: secrets.signing.map(({ until }) => ({ valid_until: until })),
    tm_create: subscription.tm_create,
    tm_update: subscription.tm_update,
  };
}

export function viewDelivery(delivery: Delivery): JsonObject {
  const { lane_id: _, position: __, body: ___, type, ...shown } = delivery;
  return { ...shown, notification_type: type };
}
