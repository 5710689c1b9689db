import { FlowError, toFlowError } from '../error/index.ts';
import { isUuid, NIL } from '../model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import type { Delivery, Log, Meter, Verdict } from '../service/ports.ts';
import type { Service } from '../service/service.ts';
import { errorResponse } from './envelope.ts';
import { Redeliveries } from './redelivery.ts';

/** The exchanges of siblings whose events this service listens to. */
export const EVENT_SOURCES = [
  'bin-manager.customer-manager.event',
  'bin-manager.call-manager.event',
  'bin-manager.contact-manager.event',
] as const;
/**
 * Which events contact-manager has for its cases is written down nowhere: each of them that says of which case it is, and
 * its status, tells a change of that. That a case was made is told by the action that made it.
 */
const CASE_EVENT = /^case_(?!created$)/;

type EventHandler = (data: JsonObject) => Promise<void>;

/** Events of siblings: what each one does here. Events of other types are none of this service's business. */
export class EventDispatcher {
  readonly #handlers: Readonly<Record<string, EventHandler>>;
  readonly #caseChanged: EventHandler;
  readonly #meter: Meter;
  readonly #log: Log;
  readonly #redeliveries: Redeliveries;

  /** `max_redeliveries`: how often an event may come again because it was never worked on to its end. */
  constructor(service: Service, max_redeliveries: number, meter: Meter, log: Log) {
    this.#redeliveries = new Redeliveries({ store: service.context.store.redeliveries, max: max_redeliveries, log });
    this.#meter = meter;
    this.#log = log;
    this.#caseChanged = async (data) => {
      if (!(await service.cases.changed(data))) meter.add('case_event_ignored_total', {});
    };
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
    const event = parse(delivery.body);
    if (!isJsonObject(event) || typeof event.type !== 'string') return unreadable();
    const ofCase = CASE_EVENT.test(event.type);
    const handler = ofCase ? this.#caseChanged : Object.hasOwn(this.#handlers, event.type) && this.#handlers[event.type];
    if (!handler) return { kind: 'done' };
    const publisher = typeof event.publisher === 'string' ? event.publisher : 'unknown';
    // Names of labels are few: those of cases are not known.
    const labels = { publisher, type: ofCase ? 'case_…' : event.type };
    const work = () => this.#work(handler, event, labels);
    // Only those that somebody here works on: all others are done with at once.
    return this.#redeliveries.run(delivery, work, (reason) => ({ kind: 'dead', reason }));
  }

  async #work(
    handler: EventHandler,
    event: JsonObject,
    labels: { readonly type: string; readonly publisher: string },
  ): Promise<Verdict> {
    const since = performance.now();
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

/** An event wants no answer; who sent this with an address for one has taken this queue for another. */
function unreadable(): Verdict {
  const reason = 'not an event: no JSON object with a type';
  const error = new FlowError('INVALID_ARGUMENT', 'BAD_EVENT', `${reason}: expected {type, publisher, data_type, data}`);
  return { kind: 'dead', reason, reply: JSON.stringify(errorResponse(error)) };
}

function parse(body: Uint8Array): Json | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as Json;
  } catch {
    return undefined;
  }
}
