import { formatTime } from '../../engine/world.ts';
import type { Subscription } from '../../model/subscription.ts';
import { type Context, hashId } from '../context.ts';
import type { StoredEvent } from '../ports.ts';
import type { Attempted } from './sender.ts';
import { viewSubscription } from './view.ts';

/**
 * Notices since when an endpoint fails, and disables it when that is long, or when it says that it is gone. Only a change
 * from well to failing and back is written, so that deliveries that go well cost nothing.
 */
export class Health {
  readonly #context: Context;
  readonly #disable_after_ms: number;

  /** `disable_after_ms`: 0: never because it fails. */
  constructor(context: Context, disable_after_ms: number) {
    this.#context = context;
    this.#disable_after_ms = disable_after_ms;
  }

  async note(subscription: Subscription, { verdict, error }: Attempted): Promise<void> {
    const { failing_since, id } = subscription;
    const now = this.#context.clock.now();
    if (verdict === 'delivered') {
      if (failing_since !== null) await this.#change(id, (one) => ({ ...one, failing_since: null }));
      return;
    }
    if (verdict === 'gone') return this.#disable(id, 'gone', error ?? 'gone');
    if (failing_since === null)
      return this.#change(id, (one) => ({ ...one, failing_since: one.failing_since ?? formatTime(now) }));
    const failing = this.#disable_after_ms > 0 && now - Date.parse(failing_since) >= this.#disable_after_ms;
    if (failing) await this.#disable(id, 'failing', `fails since ${failing_since}: ${error ?? ''}`);
  }

  async #disable(id: string, why: 'gone' | 'failing', reason: string): Promise<void> {
    const { meter, log } = this.#context;
    let customer_id: string | undefined;
    await this.#change(id, (one) => {
      if (!one.enabled) return undefined;
      ({ customer_id } = one);
      return { ...one, enabled: false, disabled_reason: reason.slice(0, 250) };
    });
    if (customer_id === undefined) return;
    meter.add('subscription_disabled_total', { reason: why });
    log.warn({ subscription_id: id, customer_id, reason }, 'a subscription was disabled');
  }

  /** A lost race is tried again twice: somebody else has noticed, too, or its owner has changed it. */
  async #change(id: string, change: (now: Subscription) => Subscription | undefined): Promise<void> {
    const { subscriptions } = this.#context.store;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const now = await subscriptions.get(id);
      const changed = now && change(now);
      if (!now || !changed) return;
      const next = { ...changed, revision: now.revision + 1 };
      const events: StoredEvent[] =
        now.enabled && !next.enabled
          ? [{ id: hashId(`${id}/${next.revision}/disabled`), type: 'subscription_disabled', data: viewSubscription(next) }]
          : [];
      if (await subscriptions.update(next, now.revision, events)) return;
    }
  }
}
