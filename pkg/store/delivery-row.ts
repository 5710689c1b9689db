import type { Delivery, DeliveryStatus, WaitingDelivery } from '../model/subscription.ts';
import type { NewDelivery, NewInLane } from '../service/ports.ts';
import { type Dialect, rfc3339OrNull } from './dialect.ts';
import type { DeliveryRow } from './schema.ts';

/**
 * A row keeps its size from the first to the last: InnoDB then changes it where it stands, in half of the time (10 instead
 * of 20 us). So what is not known yet is no NULL, and a time that is of no more use stays.
 */
const NONE = -1;
const NEVER = '9999-01-01T00:00:00.000000Z';

export function deliveryToRow(
  dialect: Dialect,
  lane: Pick<NewInLane, 'lane_id' | 'subscription_id'>,
  given: NewDelivery,
  { position, full }: { readonly position: number; readonly full: boolean },
): DeliveryRow {
  const tm = dialect.time(given.tm);
  return {
    lane_id: lane.lane_id,
    position,
    id: given.id,
    subscription_id: lane.subscription_id,
    activeflow_id: given.activeflow_id,
    sequence: position,
    type: given.type,
    body: full ? '' : given.body,
    status: full ? 'dropped' : 'pending',
    attempts: 0,
    response_code: NONE,
    latency_ms: NONE,
    error: full ? 'its lane was full' : null,
    next_try_at: tm,
    tm_create: tm,
    tm_update: dialect.time(NEVER),
  };
}

/** Named one by one: reading the others of each delivery that is sent would take half as long again. */
export const WAITING_COLUMNS = [
  'id',
  'lane_id',
  'position',
  'sequence',
  'body',
  'status',
  'attempts',
  'response_code',
  'latency_ms',
  'error',
] as const satisfies readonly (keyof DeliveryRow)[];

export function waitingFromRow(row: Pick<DeliveryRow, (typeof WAITING_COLUMNS)[number]>): WaitingDelivery {
  const { id, lane_id, position, sequence, body, attempts, error } = row;
  return {
    id,
    lane_id,
    position,
    sequence,
    body,
    status: row.status as DeliveryStatus,
    attempts,
    response_code: numberOrNull(row.response_code),
    latency_ms: numberOrNull(row.latency_ms),
    error,
  };
}

export function deliveryFromRow(dialect: Dialect, row: DeliveryRow): Delivery {
  const { subscription_id, activeflow_id, type } = row;
  const tm_update = rfc3339OrNull(dialect, row.tm_update);
  return {
    ...waitingFromRow(row),
    subscription_id,
    activeflow_id,
    type,
    next_try_at: row.status === 'pending' ? rfc3339OrNull(dialect, row.next_try_at) : null,
    tm_create: dialect.rfc3339(row.tm_create),
    tm_update: tm_update === NEVER ? null : tm_update,
  };
}

/** As `response_code` and `latency_ms` are stored. */
export function numberToRow(number: number | null): number {
  return number ?? NONE;
}

/** Rows of older releases have NULL. */
function numberOrNull(stored: number | null): number | null {
  return stored === NONE ? null : stored;
}
