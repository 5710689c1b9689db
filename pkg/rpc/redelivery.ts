import { createHash } from 'node:crypto';
import type { Delivery, Log, RedeliveryStore } from '../service/ports.ts';

/**
 * How often a message has come again, this time included; 0: for the first time, or it is not known. Counted before it
 * is worked on: a message that crashes this process must be known as such by the next one.
 */
export async function countRedelivery(redeliveries: RedeliveryStore, delivery: Delivery, log: Log): Promise<number> {
  if (!delivery.redelivered) return 0;
  const id = createHash('sha256').update(delivery.message_id).update(delivery.correlation_id).update(delivery.body).digest('hex');
  try {
    return await redeliveries.count(id);
  } catch (error) {
    log.warn({ error: String(error) }, 'a redelivery could not be counted');
    return 0;
  }
}

export function tooOften(tried: number): string {
  return `delivered again ${tried} times, and never worked on to its end`;
}
