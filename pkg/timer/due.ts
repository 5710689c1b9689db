import { toFlowError } from '../error/index.ts';
import { hashId } from '../service/context.ts';
import type { Bus, DelayStore, Delivery, Log, Verdict } from '../service/ports.ts';
import type { Service } from '../service/service.ts';

const BATCH = 50;

/** Wakes activeflows whose time has come, whichever process they were last walked by. True: there may be more. */
export async function wakeDue(service: Service, log: Log): Promise<boolean> {
  const { store, options } = service.context;
  const ids = await store.activeflows.claimDue(BATCH, options.lease_ms);
  for (const id of ids) {
    // Side by side: one that waits for a sibling must not make the others late. Its lease brings it back if it fails.
    service.control
      .wake(id)
      .catch((error) => log.warn({ activeflow_id: id, error: String(error) }, 'a due activeflow is tried again later'));
  }
  return ids.length === BATCH;
}

/** Keeps what came to the broker's delay exchange until its time, where the broker cannot: answers what to do with it. */
export function keepDelayed(delays: DelayStore): (delivery: Delivery) => Promise<Verdict> {
  return async (delivery) => {
    const delay = Number(delivery.headers['x-delay'] ?? 0);
    if (!Number.isFinite(delay) || delay < 0)
      return { kind: 'dead', reason: `header x-delay: expected ms, got ${delivery.headers['x-delay']}` };
    const body = new TextDecoder().decode(delivery.body);
    // The same message delivered again is the same row.
    const id =
      delivery.message_id === ''
        ? hashId(`${delivery.routing_key}/${delay}/${body}/${Math.random()}`)
        : hashId(delivery.message_id);
    try {
      await delays.add({ id, queue: delivery.routing_key, body, headers: {} }, delay);
      return { kind: 'done' };
    } catch (thrown) {
      const error = toFlowError(thrown);
      return error.retryable ? { kind: 'requeue' } : { kind: 'dead', reason: error.message };
    }
  };
}

/** Sends delayed messages whose time has come to their queues. True: there may be more. */
export async function sendDelayed(delays: DelayStore, bus: Bus, lease_ms: number): Promise<boolean> {
  const due = await delays.claim(BATCH, lease_ms);
  if (due.length === 0) return false;
  await bus.publish(
    due.map((message) => ({
      exchange: '',
      routing_key: message.queue,
      body: message.body,
      message_id: message.id,
      headers: message.headers,
    })),
  );
  await delays.done(due.map((message) => message.id));
  return due.length === BATCH;
}
