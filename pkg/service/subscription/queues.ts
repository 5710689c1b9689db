import type { WaitingDelivery } from '../../model/subscription.ts';
import type { DeliveryStore, HeldLane } from '../ports.ts';

/** Deliveries that are read at once, for all lanes and for one. */
export const READ = 2_000;
export const READ_OF_ONE = 50;

/** What waits in lanes, by lane. */
export async function readQueues(
  store: Pick<DeliveryStore, 'waiting'>,
  lanes: readonly HeldLane[],
  limit: number,
): Promise<ReadonlyMap<string, WaitingDelivery[]>> {
  const queues = new Map(lanes.map(({ id }): [string, WaitingDelivery[]] => [id, []]));
  for (const delivery of await store.waiting(lanes, limit)) queues.get(delivery.lane_id)?.push(delivery);
  return queues;
}
