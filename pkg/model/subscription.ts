/** Who is told what of a customer's flows, and how it went. */

export const NOTIFICATION_TYPES = ['NODE_EVENT', 'WORKFLOW_EVENT', 'TRANSACTION_EVENT', 'CASE_EVENT'] as const;
export type NotificationType = (typeof NOTIFICATION_TYPES)[number];

/** What is delivered in order: the notifications of one activeflow, or all of a subscription. */
export const LANES = ['activeflow', 'subscription'] as const;
export type LaneKind = (typeof LANES)[number];

/** How a delivery that failed is tried again; times in ms. */
export interface DeliveryRetry {
  /** How often it is tried again, besides the first time. */
  readonly attempts: number;
  readonly initial_ms: number;
  readonly max_ms: number;
  readonly factor: number;
  /** The longest time that an endpoint may ask for by Retry-After. */
  readonly max_retry_after_ms: number;
}

export const DEFAULT_DELIVERY_RETRY: DeliveryRetry = {
  attempts: 3,
  initial_ms: 500,
  max_ms: 60_000,
  factor: 2,
  max_retry_after_ms: 3_600_000,
};
export const DELIVERY_RETRY_BOUNDS = { attempts: 20, ms: 7 * 86_400_000, factor: 10 } as const;

export const DEFAULT_DELIVERY_TIMEOUT_MS = 10_000;
export const DELIVERY_TIMEOUT_BOUNDS = { least: 100, most: 60_000 } as const;
/** How much longer than a request's time its lane is leased, so that no other process sends meanwhile. */
export const LEASE_MARGIN_MS = 5_000;

/** What its owner chooses, and may see again. */
export interface SubscriptionConfig {
  readonly login_name: string;
  readonly notification_types: readonly NotificationType[];
  /** nil: all */
  readonly workflow_id: string;
  readonly callback_url: string;
  readonly method: string;
  readonly lane: LaneKind;
  readonly retry: DeliveryRetry;
  readonly timeout_ms: number;
}

/** What is never shown again: only names of headers are. */
export interface SubscriptionSecrets {
  /** Empty: none. */
  readonly access_key: string;
  readonly headers: { readonly [name: string]: string };
  /** `whsec_…`, the newest first. */
  readonly signing: readonly SigningSecret[];
}

export interface SigningSecret {
  readonly secret: string;
  /** RFC 3339, when it is no longer used; null: it stays. */
  readonly until: string | null;
}

export interface Subscription {
  readonly id: string;
  readonly customer_id: string;
  /** webhook_uri: made for the `webhook_uri` of activeflows and flows; it is for those alone. */
  readonly origin: 'customer' | 'webhook_uri';
  readonly enabled: boolean;
  readonly config: SubscriptionConfig;
  readonly secrets: SubscriptionSecrets;
  /** Why the service has disabled it; empty: it has not. */
  readonly disabled_reason: string;
  /** When its first delivery failed after the last one that did not. RFC 3339; null: it does not fail. */
  readonly failing_since: string | null;
  readonly revision: number;
  readonly tm_create: string;
  readonly tm_update: string | null;
}

/** dropped: its lane was full, and nothing of it is kept. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'dropped'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What is needed of a delivery to send it, and to store what became of it. */
export interface WaitingDelivery {
  /** The `webhook-id`: the same whenever it is sent. */
  readonly id: string;
  readonly lane_id: string;
  readonly position: number;
  readonly sequence: number;
  /** A JSON object, less sequence and missing. */
  readonly body: string;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly response_code: number | null;
  readonly latency_ms: number | null;
  readonly error: string | null;
}

export interface Delivery extends WaitingDelivery {
  readonly subscription_id: string;
  /** nil: of no activeflow */
  readonly activeflow_id: string;
  readonly type: string;
  readonly next_try_at: string | null;
  readonly tm_create: string;
  readonly tm_update: string | null;
}
