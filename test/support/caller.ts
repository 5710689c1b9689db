/** Requests as siblings send them, and what comes back. */
import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, type ConsumeMessage, connect, type Options } from 'amqplib';
import { ACTION_START } from '../../pkg/model/id.ts';
import type { Json } from '../../pkg/model/json.ts';
import type { Response } from '../../pkg/rpc/envelope.ts';

/** Takes the text of a request and gives the response. */
export type Send = (text: string) => Promise<Response>;

export interface ActionView {
  readonly id: string;
  readonly next_id: string;
  readonly type: string;
  readonly option?: Readonly<Record<string, Json>>;
  readonly tm_execute: string | null;
}

export interface FlowView {
  readonly [member: string]: unknown;
  readonly id: string;
  readonly customer_id: string;
  readonly actions: readonly ActionView[];
  readonly tm_create: string;
  readonly tm_update: string | null;
  readonly tm_delete: string | null;
}

export interface ActiveflowView {
  readonly [member: string]: unknown;
  readonly id: string;
  readonly customer_id: string;
  readonly status: string;
  readonly current_action: ActionView;
  readonly current_stack_id: string;
  readonly stack_map: Readonly<Record<string, { readonly actions: readonly ActionView[] }>>;
  readonly executed_actions: readonly ActionView[];
  readonly execute_count: number;
  readonly tm_create: string;
  readonly tm_delete: string | null;
}

export interface ErrorView {
  readonly status: string;
  readonly reason: string;
  readonly domain: string;
  readonly message: string;
  readonly details?: readonly { readonly field: string; readonly value?: Json; readonly expected?: string }[];
}

export interface TraceLine {
  readonly seq: number;
  readonly action: { readonly id: string; readonly type: string };
  readonly outcome: string;
  readonly reason: string;
}

/** An action of a flow: an id, a type, what else the test says. */
export function action(type: string, option: object = {}, more: object = {}): { id: string; type: string; option: object } {
  return { id: randomUUID(), type, option, ...more };
}

export class Caller {
  readonly send: Send;

  constructor(send: Send) {
    this.send = send;
  }

  rpc(method: string, uri: string, data?: unknown, request_id?: string): Promise<Response> {
    return this.send(JSON.stringify({ uri, method, data_type: 'application/json', data, publisher: 'test', request_id }));
  }

  /** The data of an answer that must be 200. */
  async ok<T = FlowView>(method: string, uri: string, data?: unknown, request_id?: string): Promise<T> {
    const response = await this.rpc(method, uri, data, request_id);
    if (response.status_code !== 200) throw new Error(`${method} ${uri}: expected 200, got ${JSON.stringify(response)}`);
    return response.data as T;
  }

  /** The error of an answer that must have this code. */
  async refused(code: number, method: string, uri: string, data?: unknown, request_id?: string): Promise<ErrorView> {
    return errorOf(await this.rpc(method, uri, data, request_id), code, `${method} ${uri}`);
  }

  flow(actions: readonly object[], more: object = {}): Promise<FlowView> {
    return this.ok('POST', '/v1/flows', { customer_id: CUSTOMER, actions, persist: false, ...more });
  }

  activeflow(flow: Pick<FlowView, 'id' | 'customer_id'>, more: object = {}): Promise<ActiveflowView> {
    const data = {
      customer_id: flow.customer_id,
      flow_id: flow.id,
      reference_type: 'call',
      reference_id: randomUUID(),
      ...more,
    };
    return this.ok('POST', '/v1/activeflows', data);
  }

  /** A flow of these actions, and an activeflow of it: a call unless the test says otherwise. */
  async started(actions: readonly object[], more: object = {}): Promise<ActiveflowView> {
    return this.activeflow(await this.flow(actions), more);
  }

  get(id: string): Promise<ActiveflowView> {
    return this.ok('GET', `/v1/activeflows/${id}`);
  }

  next(id: string, current_action_id: string = ACTION_START, request_id?: string): Promise<ActionView> {
    return this.ok('GET', `/v1/activeflows/${id}/next`, { current_action_id }, request_id);
  }

  trace(id: string): Promise<TraceLine[]> {
    return this.ok('GET', `/v1/activeflows/${id}/trace`);
  }

  async variables(id: string): Promise<Readonly<Record<string, string>>> {
    return (await this.ok<{ variables: Record<string, string> }>('GET', `/v1/variables/${id}`)).variables;
  }
}

/** The customer of all flows that say no other. */
export const CUSTOMER = 'c0000000-0000-4000-8000-000000000001';

/** The error that a response must be, in the form that siblings decode. */
export function errorOf(response: Response, code: number, what: string): ErrorView {
  if (response.status_code !== code || response.data_type !== 'voipbin_error')
    throw new Error(`${what}: expected a voipbin_error ${code}, got ${JSON.stringify(response)}`);
  return response.data as unknown as ErrorView;
}

const PATIENCE_MS = 15_000;

/** A client on RabbitMQ that is not this project's own: one reply queue, answers told apart by correlation id. */
export class AmqpCaller {
  readonly #model: ChannelModel;
  readonly #channel: Channel;
  readonly #queue: string;
  readonly #waiting = new Map<string, (message: ConsumeMessage) => void>();
  readonly replies: string;

  private constructor(model: ChannelModel, channel: Channel, queue: string, replies: string) {
    this.#model = model;
    this.#channel = channel;
    this.#queue = queue;
    this.replies = replies;
  }

  static async open(url: string, queue: string): Promise<AmqpCaller> {
    const model = await connect(url, { noDelay: true });
    const channel = await model.createChannel();
    const { queue: replies } = await channel.assertQueue('', { exclusive: true });
    const caller = new AmqpCaller(model, channel, queue, replies);
    await channel.consume(replies, (message) => message && caller.#arrived(message), { noAck: true });
    return caller;
  }

  readonly send: Send = async (text) => {
    const message = await this.exchange(text, { correlationId: randomUUID() });
    return JSON.parse(message.content.toString()) as Response;
  };

  /** Sends with these properties and resolves with the answer as it came; without a correlation id one at a time. */
  async exchange(body: string, properties: Options.Publish): Promise<ConsumeMessage> {
    const id = String(properties.correlationId ?? '');
    const answered = new Promise<ConsumeMessage>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no answer within ${PATIENCE_MS} ms to ${body.slice(0, 200)}`)),
        PATIENCE_MS,
      );
      this.#waiting.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
    });
    this.tell(body, { replyTo: this.replies, ...properties });
    return answered;
  }

  /** Sends, and waits for nothing. */
  tell(body: string, properties: Options.Publish): void {
    this.#channel.publish('', this.#queue, Buffer.from(body), { contentType: 'application/json', ...properties });
  }

  /** The next message of a queue, once there is one. */
  async take(queue: string): Promise<ConsumeMessage> {
    return new Promise((resolve, reject) => {
      const tag = randomUUID();
      const arrived = (message: ConsumeMessage | null): void => {
        if (message) {
          this.#channel.ack(message);
          this.#channel.cancel(tag).then(() => resolve(message), reject);
        } else reject(new Error(`${queue} is gone`));
      };
      this.#channel.consume(queue, arrived, { consumerTag: tag }).catch(reject);
    });
  }

  async close(): Promise<void> {
    await this.#model.close();
  }

  #arrived(message: ConsumeMessage): void {
    const id = String(message.properties.correlationId ?? '');
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.(message);
  }
}
