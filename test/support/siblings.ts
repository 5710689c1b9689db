/** The other managers, played by a test: they answer, refuse, keep silent or talk nonsense, and remember what they were asked. */
import { randomUUID } from 'node:crypto';
import { answerAsSibling, SIBLINGS, siblingQueue } from '../../cmd/control/sandbox.ts';
import type { Json, JsonObject } from '../../pkg/model/json.ts';
import type { Bus, Delivery, Serving, Verdict } from '../../pkg/service/ports.ts';
import { eventually } from './inbox.ts';

export interface Asked {
  readonly to: string;
  readonly method: string;
  readonly uri: string;
  readonly data: JsonObject;
  readonly request_id: string;
}

/** What a sibling does with a request; undefined: as a well one would. */
export type Reply = { readonly data: Json } | { readonly error: number } | { readonly raw: string } | 'silent' | undefined;
export type Script = (asked: Asked) => Reply | Promise<Reply>;

export class ScriptedSiblings {
  readonly asked: Asked[] = [];
  readonly #scripts = new Map<string, Script>();
  readonly #serving = new Map<string, Serving>();
  #bus: Pick<Bus, 'serve'> | undefined;

  /** Serves the queues of all of them. */
  async attach(bus: Pick<Bus, 'serve'>): Promise<void> {
    this.#bus = bus;
    for (const name of SIBLINGS) await this.present(name);
  }

  async present(name: string): Promise<void> {
    if (!this.#bus) throw new Error('no bus yet');
    const handle = (delivery: Delivery) => this.#handle(name, delivery);
    this.#serving.set(name, await this.#bus.serve(siblingQueue(name), handle, { prefetch: 200, transient: true }));
  }

  /** Its queue is gone, as of one that does not run. */
  async absent(name: string): Promise<void> {
    await this.#serving.get(name)?.close();
    this.#serving.delete(name);
  }

  async detach(): Promise<void> {
    await Promise.all([...this.#serving.values()].map((serving) => serving.close()));
    this.#serving.clear();
  }

  /** What this sibling does from now on. */
  script(name: string, script: Script): void {
    this.#scripts.set(name, script);
  }

  /** All are well again. */
  reset(): void {
    this.#scripts.clear();
  }

  /** What the message service was asked to send, repeats included. */
  get sent(): { readonly text: string; readonly request: string }[] {
    return this.of('message', '').map(({ data, request_id }) => ({ text: String(data.text), request: request_id }));
  }

  /** Requests to one sibling whose path or data names something, such as an activeflow. */
  of(name: string, about: string): Asked[] {
    return this.asked.filter((one) => one.to === name && (one.uri.includes(about) || JSON.stringify(one.data).includes(about)));
  }

  /** The same, once there is one. */
  async until(name: string, about: string): Promise<Asked> {
    await eventually(`${name} is asked about ${about}`, () => this.of(name, about).length > 0);
    const [first] = this.of(name, about);
    if (!first) throw new Error('cannot be');
    return first;
  }

  async #handle(name: string, delivery: Delivery): Promise<Verdict> {
    const request = JSON.parse(Buffer.from(delivery.body).toString()) as Omit<Asked, 'to' | 'data'> & { data?: JsonObject };
    const asked: Asked = { ...request, to: name, data: request.data ?? {} };
    this.asked.push(asked);
    const reply = await this.#scripts.get(name)?.(asked);
    if (reply === 'silent' || delivery.reply_to === '') return { kind: 'done' };
    return { kind: 'done', reply: textOf(reply, asked) };
  }
}

function textOf(reply: Exclude<Reply, 'silent'>, asked: Asked): string {
  if (reply === undefined) return JSON.stringify(answerAsSibling(asked.to, asked));
  if ('raw' in reply) return reply.raw;
  if ('data' in reply) return JSON.stringify({ status_code: 200, data_type: 'application/json', data: reply.data });
  const data = { status: 'INTERNAL', reason: 'OUT_OF_ORDER', domain: `${asked.to}-manager`, message: 'as the test wants it' };
  return JSON.stringify({ status_code: reply.error, data_type: 'voipbin_error', data });
}

/** What a service answers that pushes these actions. */
export function service(actions: readonly object[], id: string = randomUUID()): Reply {
  return { data: { id, type: 'service', push_actions: actions as readonly Json[] } };
}
