import { randomUUID } from 'node:crypto';
import { NIL } from '../../pkg/model/id.ts';
import { DEFAULT_DELIVERY_RETRY, NOTIFICATION_TYPES, type Subscription } from '../../pkg/model/subscription.ts';
import type { NewInLane } from '../../pkg/service/ports.ts';

/** A subscription as its customer made it, for a store. */
export function subscriptionTo(callback_url: string, more: Partial<Subscription['config']> = {}): Subscription {
  return {
    id: randomUUID(),
    customer_id: randomUUID(),
    origin: 'customer',
    enabled: true,
    config: {
      login_name: '',
      notification_types: NOTIFICATION_TYPES,
      workflow_id: NIL,
      callback_url,
      method: 'POST',
      lane: 'activeflow',
      retry: DEFAULT_DELIVERY_RETRY,
      timeout_ms: 1_000,
      ...more,
    },
    secrets: { access_key: '', headers: {}, signing: [] },
    disabled_reason: '',
    failing_since: null,
    revision: 1,
    tm_create: '2026-01-01T00:00:00.000000Z',
    tm_update: null,
  };
}

/** A lane with so many deliveries, each with its own id. */
export function laneOf(subscription: Subscription, count: number, lease_ms = 6_000, tm = new Date().toISOString()): NewInLane {
  const lane_id = randomUUID();
  const deliveries = Array.from({ length: count }, (_, at) => ({
    id: randomUUID(),
    activeflow_id: NIL,
    type: 'NODE_EVENT',
    body: JSON.stringify({ lane: lane_id, at: at + 1 }),
    tm,
  }));
  return { lane_id, subscription_id: subscription.id, lease_ms, deliveries };
}
