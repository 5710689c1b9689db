import { LRUCache } from 'lru-cache';
import { toFlowError } from '../../error/index.ts';
import type { ActionList } from '../../model/action.ts';
import type { Activeflow } from '../../model/activeflow.ts';
import { isSet, MAIN_STACK, NIL } from '../../model/id.ts';
import { LEASE_MARGIN_MS, type Subscription } from '../../model/subscription.ts';
import { hashId } from '../context.ts';
import type { Lists } from '../lists.ts';
import type { Meter, NewInLane, Store } from '../ports.ts';
import { bodyOf, type Notification, notificationsOf, type Subject, subjectOf } from './notification.ts';
import { webhookUriSubscription } from './webhook-uri.ts';

export interface FanOutOptions {
  /** Notifications that may wait in one lane. */
  readonly backlog: number;
}

const USED_MS = 10 * 60_000;

interface Parts {
  readonly store: Store;
  readonly lists: Lists;
  readonly meter: Meter;
  readonly options: FanOutOptions;
}

/** Where a row's notifications go besides those that listen to its customer. */
interface Told {
  readonly subject: Subject;
  readonly notifications: readonly Notification[];
  readonly own?: Subscription;
}

/**
 * Puts what rows have caused into the lanes of those who listen. It may be done again and again with the same row:
 * every notification has an id of its own, made of its activeflow, itself and its subscription. Who listens is read from the
 * database each time, once for many rows, so that a change of a subscription holds everywhere once it is answered.
 */
export class FanOut {
  readonly #parts: Parts;
  /** Subscriptions of webhook_uri that were said to be in use a moment ago: far less than what is cleared away has been idle. */
  readonly #used = new LRUCache<string, true>({ max: 10_000, ttl: USED_MS });
  /** A flow's webhook_uri never changes. */
  readonly #webhookUris = new LRUCache<string, string>({ max: 10_000 });
  /** Called when there is something to deliver. */
  onAdded: () => void = () => undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async rows(rows: readonly Activeflow[]): Promise<void> {
    const { subscriptions } = this.#parts.store;
    const customers = [...new Set(rows.map((row) => row.customer_id))];
    const listening = await subscriptions.listening(customers);
    const own = await this.#ownSubscriptions(rows);
    const heard = rows.filter((row) => own.has(row.id) || listening.some((one) => one.customer_id === row.customer_id));
    const told = await Promise.all(heard.map((row) => this.#tell(row, own.get(row.id))));
    await this.#add(told, listening);
  }

  /** What no row has caused: a refused request, a case that changed. Resolves when it is stored. */
  async notify(subject: Subject, notification: Notification): Promise<void> {
    const listening = await this.#parts.store.subscriptions.listening([subject.customer_id]);
    if (listening.length > 0) await this.#add([{ subject, notifications: [notification] }], listening);
  }

  async #tell(row: Activeflow, own: Subscription | undefined): Promise<Told> {
    const main = row.state.stacks.find((stack) => stack.id === MAIN_STACK);
    const list = main && (await this.#list(main.shared ? row.customer_id : row.id, main.list));
    const positionOf = (id: string): number | undefined => {
      const position = list?.positions.get(id);
      return position === undefined ? undefined : position + 1;
    };
    return { subject: subjectOf(row), notifications: notificationsOf(row, positionOf), ...(own ? { own } : {}) };
  }

  /** Undefined: it is gone, and nothing has its place. */
  async #list(owner: string, key: string): Promise<ActionList | undefined> {
    try {
      return await this.#parts.lists.get(owner, key);
    } catch (error) {
      if (toFlowError(error).retryable) throw error;
      return undefined;
    }
  }

  async #add(told: readonly Told[], listening: readonly Subscription[]): Promise<void> {
    const lanes = told.flatMap(({ own, ...one }) => {
      const all = own ? [...listening, own] : listening;
      return all.filter((some) => isFor(some, one.subject)).flatMap((some) => inLane(some, one));
    });
    if (lanes.length === 0) return;
    const { store, options, meter } = this.#parts;
    const { added, dropped } = await store.deliveries.add(lanes, options.backlog);
    if (dropped > 0) meter.add('webhook_delivery_total', { outcome: 'dropped' }, dropped);
    if (added > 0) this.onAdded();
  }

  /** Those of the rows' webhook_uri, or their flows', by activeflow; each is stored when it is first needed. */
  async #ownSubscriptions(rows: readonly Activeflow[]): Promise<Map<string, Subscription>> {
    const wanted = new Map<string, Subscription>();
    for (const row of rows) {
      const uri = row.webhook_uri || (await this.#webhookUri(row.flow_id));
      const made = uri === '' ? undefined : webhookUriSubscription(row.customer_id, uri, row.webhook_method, row.tm_create);
      if (made) wanted.set(row.id, made);
    }
    const ids = [...wanted.values()].map(({ id }) => id);
    await this.#use(ids);
    // Its owner may have changed it, so it is read; what is read is what counts.
    const stored = new Map((await this.#parts.store.subscriptions.some(ids)).map((one) => [one.id, one]));
    const own = new Map<string, Subscription>();
    for (const [row, made] of wanted) {
      const known = stored.get(made.id) ?? made;
      if (known === made) await this.#make(made);
      stored.set(made.id, known);
      if (known.enabled) own.set(row, known);
    }
    return own;
  }

  async #make(made: Subscription): Promise<void> {
    const { subscriptions } = this.#parts.store;
    await subscriptions.create(made);
    // Its owner may have removed it since it was last said to be in use.
    await subscriptions.use([made.id]);
  }

  /** Before they are read: what is there afterwards is not cleared away meanwhile. */
  async #use(ids: readonly string[]): Promise<void> {
    const idle = ids.filter((id) => !this.#used.has(id));
    await this.#parts.store.subscriptions.use(idle);
    for (const id of idle) this.#used.set(id, true);
  }

  async #webhookUri(flowId: string): Promise<string> {
    if (!isSet(flowId)) return '';
    const known = this.#webhookUris.get(flowId);
    if (known !== undefined) return known;
    const uri = (await this.#parts.store.flows.get(flowId))?.webhook_uri ?? '';
    this.#webhookUris.set(flowId, uri);
    return uri;
  }
}

function isFor({ customer_id, config, origin }: Subscription, subject: Subject): boolean {
  if (customer_id !== subject.customer_id) return false;
  return origin === 'webhook_uri' || config.workflow_id === NIL || config.workflow_id === subject.flow_id;
}

function inLane(subscription: Subscription, { subject, notifications }: Pick<Told, 'subject' | 'notifications'>): NewInLane[] {
  const { id, config, tm_create } = subscription;
  const wanted = notifications.filter(
    // What was committed before somebody subscribed is none of theirs. One of webhook_uri is there from the beginning.
    ({ type, tm }) =>
      config.notification_types.some((one) => one === type) && (subscription.origin === 'webhook_uri' || tm >= tm_create),
  );
  if (wanted.length === 0) return [];
  const deliveries = wanted.map((one) => ({
    id: hashId(`${subject.customer_id}/${subject.activeflow_id}/${one.key}/${id}`),
    activeflow_id: subject.activeflow_id,
    type: one.type,
    body: bodyOf(subject, one),
    tm: one.tm,
  }));
  const lane_id = hashId(config.lane === 'subscription' ? `${id}/all` : `${id}/${subject.activeflow_id}`);
  return [{ lane_id, subscription_id: id, lease_ms: config.timeout_ms + LEASE_MARGIN_MS, deliveries }];
}
