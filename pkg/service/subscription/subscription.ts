import { formatTime } from '../../engine/world.ts';
import { conflict, exhausted, FlowError, invalid, notFound } from '../../error/index.ts';
import { isSet } from '../../model/id.ts';
import type { JsonObject } from '../../model/json.ts';
import { DELIVERY_STATUSES, type Delivery, LEASE_MARGIN_MS, type Subscription } from '../../model/subscription.ts';
import { type Context, hashId } from '../context.ts';
import { wholePage } from '../page.ts';
import type { Page } from '../ports.ts';
import { bodyOf, NO_SUBJECT } from './notification.ts';
import { readWanted } from './request.ts';
import { send } from './sender.ts';
import { newSecret } from './signature.ts';
import { viewDelivery, viewSubscription } from './view.ts';

export interface SubscriptionOptions {
  /** Subscriptions that one customer may have. */
  readonly per_customer: number;
}

const MAX_RACES = 20;
/** How long the former secret still signs beside a new one. */
const OVERLAP_MS = 86_400_000;
const REPLAY_AT_ONCE = 200;

/** Whose subscriptions a caller may see: its own customer's; undefined: everybody's, for the platform's own services. */
export type Owner = string | undefined;

/** What customers do with their subscriptions. */
export class SubscriptionService {
  readonly #context: Context;
  readonly #options: SubscriptionOptions;
  /** Called when something is to be delivered. */
  onDue: () => void = () => undefined;

  constructor(context: Context, options: SubscriptionOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** The answer to its creation, and no other one, shows the secret that was made for it. The same key again: the same. */
  async create(customer_id: string, data: JsonObject, key: string): Promise<JsonObject> {
    if (!isSet(customer_id)) throw invalid('MISSING_FIELD', '/customer_id', customer_id, 'the UUID of a customer');
    const { store, ids, clock } = this.#context;
    const id = key === '' ? ids.next() : hashId(`${customer_id}/subscription/${key}`);
    const known = key === '' ? undefined : await store.subscriptions.get(id);
    if (known) return withSecret(known, data);
    const wanted = readWanted(data, undefined);
    await this.#checkCount(customer_id);
    const made: Subscription = {
      ...wanted,
      id,
      customer_id,
      origin: 'customer',
      disabled_reason: '',
      failing_since: null,
      revision: 1,
      tm_create: formatTime(clock.now()),
      tm_update: null,
    };
    if (await store.subscriptions.create(made)) return withSecret(made, data);
    return withSecret(await this.#get(id, customer_id), data);
  }

  async get(id: string, owner: Owner): Promise<JsonObject> {
    return viewSubscription(await this.#get(id, owner));
  }

  async list(filter: { readonly customer_id?: string }, page: Page): Promise<JsonObject[]> {
    const { subscriptions } = this.#context.store;
    return (await wholePage((part) => subscriptions.list(filter, part), page)).map(viewSubscription);
  }

  /** Changes what is named; secrets and headers that are not named stay. Enabling takes up what waits. */
  async update(id: string, data: JsonObject, owner: Owner): Promise<JsonObject> {
    const next = await this.#change(id, owner, (now) => {
      const wanted = readWanted(data, now);
      const enabling = wanted.enabled && !now.enabled;
      return { ...now, ...wanted, ...(enabling ? { disabled_reason: '', failing_since: null } : {}) };
    });
    await this.#context.store.deliveries.unpark(id, leaseOf(next), next.enabled);
    if (next.enabled) this.onDue();
    return viewSubscription(next);
  }

  /** A new secret, shown in this answer only; the one before signs beside it for a day. */
  async rotate(id: string, owner: Owner): Promise<JsonObject> {
    const secret = newSecret();
    const until = formatTime(this.#context.clock.now() + OVERLAP_MS);
    const next = await this.#change(id, owner, (now) => {
      const former = now.secrets.signing.slice(0, 1).map((one) => ({ ...one, until: one.until ?? until }));
      return { ...now, secrets: { ...now.secrets, signing: [{ secret, until: null }, ...former] } };
    });
    return { ...viewSubscription(next), secret };
  }

  /** Again: nothing is left to remove, and that is NOT_FOUND. */
  async remove(id: string, owner: Owner): Promise<JsonObject> {
    const subscription = await this.#get(id, owner);
    await this.#context.store.subscriptions.remove(id);
    return viewSubscription(subscription);
  }

  async deliveries(id: string, status: string | undefined, page: Page, owner: Owner): Promise<JsonObject[]> {
    await this.#get(id, owner);
    if (status !== undefined && !DELIVERY_STATUSES.some((known) => known === status)) {
      throw invalid('BAD_FIELD', 'status', status, `one of ${DELIVERY_STATUSES.join(', ')}`);
    }
    const { deliveries } = this.#context.store;
    return (await wholePage((part) => deliveries.list(id, status, part), page)).map(viewDelivery);
  }

  /** Sends one again, under its own webhook-id and beside what else is delivered. One that waits is left to wait. */
  async replay(id: string, deliveryId: string, owner: Owner): Promise<JsonObject> {
    const subscription = await this.#get(id, owner);
    const delivery = await this.#delivery(id, deliveryId);
    if (delivery.status === 'dropped') {
      throw conflict('DELIVERY_DROPPED', `delivery ${deliveryId} found its lane full, and nothing of it is kept`);
    }
    if (delivery.status !== 'pending') {
      await this.#context.store.deliveries.replay(replayLane(subscription), { id: deliveryId }, 1);
      this.onDue();
    }
    return viewDelivery(await this.#delivery(id, deliveryId));
  }

  /** All that have failed since a time, in order. */
  async replaySince(id: string, since: string | undefined, owner: Owner): Promise<JsonObject> {
    const subscription = await this.#get(id, owner);
    const from = Date.parse(since ?? '');
    if (Number.isNaN(from)) throw invalid('BAD_FIELD', 'since', since, 'a time such as 2026-11-21T08:45:10Z');
    let count = 0;
    for (;;) {
      const which = { since: new Date(from).toISOString() };
      const some = await this.#context.store.deliveries.replay(replayLane(subscription), which, REPLAY_AT_ONCE);
      count += some;
      if (some < REPLAY_AT_ONCE) break;
    }
    if (count > 0) this.onDue();
    return { count };
  }

  /** Sends a notification of no activeflow at once, whether the subscription is enabled or not, and tells how it went. */
  async test(id: string, owner: Owner): Promise<JsonObject> {
    const subscription = await this.#get(id, owner);
    const { clock, ids, http } = this.#context;
    const now = clock.now();
    const subject = { ...NO_SUBJECT, customer_id: subscription.customer_id };
    const payload = { event: 'TEST' };
    const body = bodyOf(subject, { key: 'test', type: 'TEST', tm: formatTime(now), payload });
    const message = { id: ids.next(), body };
    const { verdict, response_code, latency_ms, error } = await send(http, subscription, message, now);
    return { id: message.id, status: verdict === 'delivered' ? 'delivered' : 'failed', response_code, latency_ms, error };
  }

  async #get(id: string, owner: Owner): Promise<Subscription> {
    const found = await this.#context.store.subscriptions.get(id);
    if (!found || (owner !== undefined && found.customer_id !== owner)) throw notFound('subscription', id);
    return found;
  }

  async #delivery(id: string, deliveryId: string): Promise<Delivery> {
    const found = await this.#context.store.deliveries.get(deliveryId);
    if (found?.subscription_id !== id) throw notFound('delivery', deliveryId);
    return found;
  }

  async #change(id: string, owner: Owner, change: (now: Subscription) => Subscription): Promise<Subscription> {
    const { store, clock } = this.#context;
    for (let attempt = 0; attempt < MAX_RACES; attempt += 1) {
      const now = await this.#get(id, owner);
      const next = { ...change(now), revision: now.revision + 1, tm_update: formatTime(clock.now()) };
      if (await store.subscriptions.update(next, now.revision, [])) return next;
    }
    throw new FlowError('UNAVAILABLE', 'TOO_MANY_RACES', `subscription ${id} is changed by too many at once`);
  }

  async #checkCount(customer_id: string): Promise<void> {
    const { per_customer } = this.#options;
    if ((await this.#context.store.subscriptions.count(customer_id)) < per_customer) return;
    throw exhausted('TOO_MANY_SUBSCRIPTIONS', `customer ${customer_id} has ${per_customer} subscriptions already`, [
      { field: 'customer_id', value: customer_id, expected: `at most ${per_customer} subscriptions` },
    ]);
  }
}

function leaseOf({ config }: Subscription): number {
  return config.timeout_ms + LEASE_MARGIN_MS;
}

function replayLane(subscription: Subscription) {
  const { id } = subscription;
  return { lane_id: hashId(`${id}/replay`), subscription_id: id, lease_ms: leaseOf(subscription) };
}

/** What its owner has given, it knows. */
function withSecret(made: Subscription, data: JsonObject): JsonObject {
  const [first] = made.secrets.signing;
  const view = viewSubscription(made);
  return data.secrets === undefined && first && made.revision === 1 ? { ...view, secret: first.secret } : view;
}
