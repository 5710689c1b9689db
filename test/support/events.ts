import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../pkg/model/json.ts';
import type { Bus, Serving } from '../../pkg/service/ports.ts';
import { eventually } from './inbox.ts';

export interface SeenEvent {
  readonly type: string;
  readonly publisher: string;
  readonly data_type: string;
  readonly data: JsonObject;
  readonly routing_key: string;
  readonly message_id: string;
  readonly sequence: unknown;
}

/** Listens to the events of flow-manager, as a sibling does. */
export class EventCollector {
  readonly seen: SeenEvent[] = [];
  #serving: Serving | undefined;

  async attach(bus: Pick<Bus, 'serve' | 'declareExchange'>, exchange: string): Promise<void> {
    await bus.declareExchange(exchange);
    this.#serving = await bus.serve(
      `test.events.${randomUUID()}`,
      async ({ body, routing_key, message_id, headers }) => {
        const event = JSON.parse(Buffer.from(body).toString()) as Omit<SeenEvent, 'routing_key' | 'message_id' | 'sequence'>;
        this.seen.push({ ...event, routing_key, message_id, sequence: headers['x-sequence'] });
        return { kind: 'done' };
      },
      { prefetch: 200, bind: [exchange], transient: true },
    );
  }

  async detach(): Promise<void> {
    await this.#serving?.close();
  }

  /** Events about one flow or activeflow, in the order of their arrival. */
  of(id: string): SeenEvent[] {
    return this.seen.filter((event) => event.data.id === id);
  }

  /** The same, once there is one of this type. */
  async until(id: string, type: string): Promise<SeenEvent[]> {
    await eventually(`${type} of ${id}`, () => this.of(id).some((event) => event.type === type));
    return this.of(id);
  }
}
