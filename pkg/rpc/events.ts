import { toFlowError } from '../error/index.ts';
import { isUuid, NIL } from '../model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import type { Delivery, Log, Meter, Verdict } from '../service/ports.ts';
import type { Service } from '../service/service.ts';

/** The exchanges of siblings whose events this service listens to. */
export const EVENT_SOURCES = ['bin-manager.customer-manager.event', 'bin-manager.call-manager.event'] as const;

type EventHandler = (data: JsonObject) => Promise<void>;

/** Events of siblings: what each one does here. Events of other types are none of this service's business. */
export class EventDispatcher {
  readonly #handlers: Readonly<Record<string, EventHandler>>;
  readonly #meter: Meter;
  readonly #log: Log;

  constructor(service: Service, meter: Meter, log: Log) {
    this.#meter = meter;
    this.#log = log;
    this.#handlers = {
      customer_deleted: async ({ id }) => {
        if (isUuid(id)) await service.customers.deleted(id);
      },
      call_hangup: async ({ id, activeflow_id }) => {
        const activeflow = isUuid(activeflow_id) && activeflow_id !== NIL ? activeflow_id : undefined;
        if (isUuid(id)) await service.customers.callHungUp(id, activeflow);
      },
    };
  }

  readonly handle = async (delivery: Delivery): Promise<Verdict> => {
    const verdict = await this.#judge(delivery);
    if (verdict.kind === 'dead') this.#meter.add('dead_letter_total', {});
    return verdict;
  };

  async #judge(delivery: Delivery): Promise<Verdict> {
    const since = performance.now();
    const event = parse(delivery.body);
    if (!isJsonObject(event) || typeof event.type !== 'string')
      return { kind: 'dead', reason: 'not an event: no JSON object with a type' };
    const handler = Object.hasOwn(this.#handlers, event.type) ? this.#handlers[event.type] : undefined;
    if (!handler) return { kind: 'done' };
    const labels = { publisher: typeof event.publisher === 'string' ? event.publisher : 'unknown', type: event.type };
    try {
      await handler(isJsonObject(event.data) ? event.data : {});
      return { kind: 'done' };
    } catch (thrown) {
      const error = toFlowError(thrown);
      this.#log.warn({ type: event.type, error: error.message }, 'an event could not be dealt with');
      return error.retryable ? { kind: 'requeue' } : { kind: 'dead', reason: error.message };
    } finally {
      this.#meter.observe('receive_subscribe_event_process_time', labels, performance.now() - since);
    }
  }
}

function parse(body: Uint8Array): Json | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as Json;
  } catch {
    return undefined;
  }
}
