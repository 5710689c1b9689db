import { snapshotOf } from '../engine/draft.ts';
import type { Activeflow, PendingEvent } from '../model/activeflow.ts';
import type { JsonObject } from '../model/json.ts';
import { viewActiveflow, viewHead } from '../service/activeflow/view.ts';
import type { Lists } from '../service/lists.ts';
import type { ActiveflowStore, OutgoingMessage, StoredEvent } from '../service/ports.ts';
import type { Render, RenderFlowEvent } from './mover.ts';

export const WEBHOOK_QUEUE = 'bin-manager.webhook-manager.request';
const PUBLISHER = 'flow-manager';

export interface RenderOptions {
  /** The exchange that events go to. */
  readonly exchange: string;
  /** True: `activeflow_updated` shows stacks and executed actions too, as the original does. */
  readonly event_full: boolean;
}

/** Turns an activeflow's event into its two messages: to whoever listens, and to the customer by webhook-manager. */
export function renderEvents(options: RenderOptions, lists: Lists, store: ActiveflowStore): Render {
  return async (row, event) => {
    const whole = options.event_full || event.type !== 'activeflow_updated';
    const shown = event.snapshot ?? snapshotOf(row);
    const data = whole ? await viewActiveflow(row, lists, store, shown) : viewHead(row, shown);
    const id = `${row.id}-${event.seq}`;
    return [eventMessage(options.exchange, id, event, data), webhookMessage(row, id, event, data)];
  };
}

function eventMessage(exchange: string, id: string, event: PendingEvent, data: JsonObject): OutgoingMessage {
  return {
    exchange,
    routing_key: event.type,
    message_id: id,
    headers: { 'x-sequence': event.seq },
    body: JSON.stringify({ type: event.type, publisher: PUBLISHER, data_type: 'application/json', data }),
  };
}

/** Nobody waits for its answer: webhook-manager takes it from its queue, now or when it is back. */
function webhookMessage(row: Activeflow, id: string, event: PendingEvent, data: JsonObject): OutgoingMessage {
  const { current_stack_id: _stack, forward_stack_id: _forward, execute_count: _count, ...shown } = data;
  const request = {
    uri: '/v1/webhooks',
    method: 'POST',
    data_type: 'application/json',
    data: { customer_id: row.customer_id, data_type: 'application/json', data: { type: event.type, data: shown } },
    publisher: PUBLISHER,
    request_id: `${id}-webhook`,
  };
  return { exchange: '', routing_key: WEBHOOK_QUEUE, message_id: `${id}-webhook`, body: JSON.stringify(request) };
}

export function renderFlowEvents(exchange: string): RenderFlowEvent {
  return (event: StoredEvent) => ({
    exchange,
    routing_key: event.type,
    message_id: event.id,
    body: JSON.stringify({ type: event.type, publisher: PUBLISHER, data_type: 'application/json', data: event.data }),
  });
}
