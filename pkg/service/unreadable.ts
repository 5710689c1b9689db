import { type FlowError, toFlowError } from '../error/index.ts';
import type { JsonObject } from '../model/json.ts';
import type { Context } from './context.ts';

type Told = Pick<Context, 'log' | 'meter'>;

/** A stored thing of a list, and what is known of it by its columns. */
interface Listed {
  readonly of: 'activeflow' | 'flow';
  readonly head: JsonObject & { readonly id: string; readonly customer_id: string };
}

/**
 * One row of a list as it is shown. Where what is stored of it cannot be read, as little as is known, with `unreadable`
 * in the place of the rest: whoever looks for it must find it, and it must not take the others with it.
 */
export async function orUnreadable(told: Told, listed: Listed, view: () => Promise<JsonObject>): Promise<JsonObject> {
  try {
    return await view();
  } catch (thrown) {
    const error = toFlowError(thrown);
    // A database that fails is no fault of the row: then there is no list at all.
    if (error.status !== 'INTERNAL' || error.reason === 'DATABASE_ERROR') throw thrown;
    tellUnreadable(told, listed, error);
    const message = `what is stored of this ${listed.of} cannot be read: it is damaged or of a newer version`;
    return { ...listed.head, unreadable: { reason: error.reason, message } };
  }
}

export function tellUnreadable({ log, meter }: Told, { of, head }: Listed, { reason, message }: FlowError): void {
  meter.add('unreadable_row_total', { of });
  log.error({ [`${of}_id`]: head.id, customer_id: head.customer_id, reason, error: message }, 'what is stored cannot be read');
}
