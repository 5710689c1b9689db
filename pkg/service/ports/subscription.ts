import type { DeliveryStatus, Delivery as StoredDelivery, Subscription, WaitingDelivery } from '../../model/subscription.ts';
import type { StoredEvent } from './flow.ts';
import type { Page } from './page.ts';

export interface SubscriptionStore {
  get(id: string): Promise<Subscription | undefined>;
  /** Those of these ids that are there. */
  some(ids: readonly string[]): Promise<Subscription[]>;
  /** Newest first. */
  list(filter: { readonly customer_id?: string }, page: Page): Promise<Subscription[]>;
  /** Those that customers made and that are enabled: who is told of what happens to these customers' flows. */
  listening(customer_ids: readonly string[]): Promise<Subscription[]>;
  /** Made by the customer itself. */
  count(customer_id: string): Promise<number>;
  /** False: the id exists already. */
  create(subscription: Subscription): Promise<boolean>;
  /** False: somebody else has changed it since `from`; nothing was written, the events neither. */
  update(next: Subscription, from: number, events: readonly StoredEvent[]): Promise<boolean>;
  /** Says that these, which a `webhook_uri` is, are needed now: `RetentionStore.webhookUris` lets them be for its time. */
  use(ids: readonly string[]): Promise<void>;
  /** With its lanes and its log, piece by piece. */
  remove(id: string): Promise<void>;
  /** Deletes a customer's subscriptions with all that hangs on them; how many. */
  removeOfCustomer(customer_id: string, limit: number): Promise<number>;
}

/** A notification for one subscription, on its way into a lane. */
export interface NewDelivery {
  readonly id: string;
  readonly activeflow_id: string;
  readonly type: string;
  readonly body: string;
  readonly tm: string;
}

export interface NewInLane {
  readonly lane_id: string;
  readonly subscription_id: string;
  /** For how long the lane is taken at each send, in ms. */
  readonly lease_ms: number;
  /** In order. Those that were added before are left out. */
  readonly deliveries: readonly NewDelivery[];
}

/** A lane in somebody's hands. */
export interface HeldLane {
  readonly id: string;
  readonly subscription_id: string;
  readonly last_position: number;
  readonly done_position: number;
  readonly missing: readonly number[];
  readonly lease_ms: number;
}

/** What became of one delivery, and of its lane. */
export interface DeliveryOutcome {
  /** As it was before. */
  readonly lane: HeldLane;
  readonly delivery: WaitingDelivery;
  /** pending: it is tried again after `again_ms`. */
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly response_code: number | null;
  readonly latency_ms: number | null;
  readonly error: string | null;
  readonly again_ms?: number;
  /** True: the lease begins anew, where more waits in the lane. */
  readonly renews: boolean;
  readonly missing: readonly number[];
}

export interface DeliveryStore {
  /** All of them in one go, each once: how many are new, and how many of these found their lane full and were dropped. */
  add(lanes: readonly NewInLane[], backlog: number): Promise<{ readonly added: number; readonly dropped: number }>;
  /** Takes lanes in which something is due, each for its own lease: of one subscription, or of all but some. */
  claim(holder: string, limit: number, of: { readonly only: string } | { readonly not: readonly string[] }): Promise<HeldLane[]>;
  /** What waits in lanes, by lane and position, at most so many in all; of several lanes no more of one than its share. */
  waiting(lanes: readonly HeldLane[], limit: number): Promise<WaitingDelivery[]>;
  /**
   * Stores outcomes; those of one lane in order, each the next one's `lane.done_position`. Lanes in which nothing waits, and
   * those that wait for their next try, are let go. Ids of the lanes that are still held; those that are missing were let
   * go, or are another's, or are not where the first of their outcomes has found them (then nothing of them was stored).
   */
  record(holder: string, outcomes: readonly DeliveryOutcome[]): Promise<ReadonlySet<string>>;
  /** Lets go of lanes: at once for anybody, or `parked` until their subscription is enabled. */
  release(holder: string, ids: readonly string[], how: 'due' | 'parked'): Promise<void>;
  /** Deletes lanes whose subscription has gone, with all that is in them: they were added by who had read it before. */
  discard(holder: string, ids: readonly string[]): Promise<void>;
  /** All lanes of a subscription get this lease; `due`: those in which something waits are due again. */
  unpark(subscription_id: string, lease_ms: number, due: boolean): Promise<void>;
  get(id: string): Promise<StoredDelivery | undefined>;
  /** Newest first. */
  list(subscription_id: string, status: string | undefined, page: Page): Promise<StoredDelivery[]>;
  /**
   * Puts deliveries of a subscription that are over into its lane for replays; how many. `since`: RFC 3339, those that
   * have failed from then on.
   */
  replay(
    lane: { readonly lane_id: string; readonly subscription_id: string; readonly lease_ms: number },
    which: { readonly id: string } | { readonly since: string },
    limit: number,
  ): Promise<number>;
  backlog(): Promise<{ readonly lanes: number; readonly age_ms: number }>;
}
