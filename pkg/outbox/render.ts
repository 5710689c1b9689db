import { snapshotOf } from '../engine/draft.ts';
import type { Activeflow, PendingEvent } from '../model/activeflow.ts';
import { maskCallbacks } from '../model/callback.ts';
import type { Json, JsonObject } from '../model/json.ts';
import { viewForEvent, viewPlace, viewShared } from '../service/activeflow/view.ts';
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
export function renderEvents({ exchange, event_full }: RenderOptions, lists: Lists, store: ActiveflowStore): Render {
  return (row, event) => {
    const shown = event.snapshot ?? snapshotOf(row);
    if (!event_full && event.type === 'activeflow_updated') {
      return messagesOf(exchange, row, event, viewShared(row, shown), viewPlace(shown));
    }
    return viewForEvent(row, lists, store, shown).then((whole) => {
      const { current_stack_id, forward_stack_id, execute_count, ...shared } = whole;
      return messagesOf(exchange, row, event, shared, { current_stack_id, forward_stack_id, execute_count });
    });
  };
}

/** `shared`: what siblings and customers see; `place`: siblings alone. */
function messagesOf(
  exchange: string,
  row: Activeflow,
  { type, seq }: PendingEvent,
  shared: JsonObject,
  place: { readonly [name: string]: Json | undefined },
): OutgoingMessage[] {
  const id = `${row.id}-${seq}`;
  // Made into text once: it is most of both messages. Addresses of callbacks are not for those who look on.
  const customers = maskCallbacks(JSON.stringify(shared));
  const siblings = `${customers.slice(0, -1)},${JSON.stringify(place).slice(1)}`;
  return [
    {
      exchange,
      routing_key: type,
      message_id: id,
      headers: { 'x-sequence': seq },
      body: eventBody(type, siblings),
    },
    {
      exchange: '',
      routing_key: WEBHOOK_QUEUE,
      message_id: `${id}-webhook`,
      body: webhookBody(row.customer_id, id, type, customers),
    },
  ];
}

/** `data` is JSON; what else is put in is an id or a word of ours, which need no escaping. */
function eventBody(type: string, data: string): string {
  return `{"type":"${type}","publisher":"${PUBLISHER}","data_type":"application/json","data":${data}}`;
}

/** Nobody waits for its answer: webhook-manager takes it from its queue, now or when it is back. */
function webhookBody(customerId: string, id: string, type: string, data: string): string {
  const forCustomer = `{"customer_id":"${customerId}","data_type":"application/json","data":{"type":"${type}","data":${data}}}`;
  return `{"uri":"/v1/webhooks","method":"POST","data_type":"application/json","data":${forCustomer},"publisher":"${PUBLISHER}","request_id":"${id}-webhook"}`;
}

export function renderFlowEvents(exchange: string): RenderFlowEvent {
  return (event: StoredEvent) => ({
    exchange,
    routing_key: event.type,
    message_id: event.id,
    body: eventBody(event.type, JSON.stringify(event.data)),
  });
}
