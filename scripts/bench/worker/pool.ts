import { randomUUID } from 'node:crypto';
import type { PoolForm, Walk } from '../protocol.ts';
import type { RpcClient } from './rpc.ts';

/** The action before the first one, and the one after the last: see pkg/model/id.ts. */
const START = '00000000-0000-0000-0000-000000000001';
const FINISH = '00000000-0000-0000-0000-000000000002';
const CREATING_AT_ONCE = 100;

interface Owner {
  readonly customer_id: string;
  readonly flow_id: string;
}

/** Activeflows of one kind that wait to be walked, the one that has waited longest first. */
export class Pool {
  readonly #client: RpcClient;
  readonly #form: PoolForm;
  readonly #owners: Owner[] = [];
  #free: Walk[] = [];
  #head = 0;
  #created = 0;

  constructor(client: RpcClient, form: PoolForm) {
    this.#client = client;
    this.#form = form;
  }

  async makeFlows(): Promise<Owner[]> {
    const { queue, name, actions, customers } = this.#form;
    for (let at = 0; at < customers; at++) {
      const customer_id = randomUUID();
      const flow = { customer_id, type: 'flow', name, detail: 'made by the bench', actions, persist: true };
      const { id } = (await this.#client.call(queue, 'POST', '/v1/flows', flow)) as { id: string };
      this.#owners.push({ customer_id, flow_id: id });
    }
    return this.#owners;
  }

  async fill(steps: number): Promise<void> {
    let missing = steps;
    for (const walk of this.#free.slice(this.#head)) missing -= this.#form.steps - walk.steps;
    const creator = async (): Promise<void> => {
      while (missing > 0) {
        missing -= this.#form.steps;
        this.give(await this.create());
      }
    };
    await Promise.all(Array.from({ length: CREATING_AT_ONCE }, creator));
  }

  /** How many activeflows were made. */
  get created(): number {
    return this.#created;
  }

  async create(): Promise<Walk> {
    const owner = this.#owners[this.#created++ % this.#owners.length];
    if (!owner) throw new Error(`pool ${this.#form.name} has no flows`);
    const data = {
      ...owner,
      reference_type: 'call',
      reference_id: randomUUID(),
      variables: { caller: '+15550100', language: 'en-US' },
    };
    const { id } = (await this.#client.call(this.#form.queue, 'POST', '/v1/activeflows', data)) as { id: string };
    return { id, current: START, steps: 0 };
  }

  /** One step. False: it is through, and of no more use. */
  async next(walk: Walk): Promise<boolean> {
    const uri = `/v1/activeflows/${walk.id}/next`;
    const action = (await this.#client.call(this.#form.queue, 'GET', uri, { current_action_id: walk.current })) as { id: string };
    walk.current = action.id;
    walk.steps += 1;
    return walk.steps < this.#form.steps && action.id !== FINISH;
  }

  async stagger(most: number): Promise<void> {
    const ahead = async (walk: Walk, steps: number): Promise<void> => {
      for (let step = 0; step < steps; step++) await this.next(walk);
    };
    await Promise.all(this.#free.slice(this.#head).map((walk, at) => ahead(walk, (at % most) + 1)));
  }

  take(): Walk | undefined {
    const walk = this.#free[this.#head];
    if (!walk) return undefined;
    this.#head += 1;
    if (this.#head > 10_000) {
      this.#free = this.#free.slice(this.#head);
      this.#head = 0;
    }
    return walk;
  }

  give(walk: Walk): void {
    this.#free.push(walk);
  }

  empty(): Walk[] {
    const walks = this.#free.slice(this.#head);
    this.#free = [];
    this.#head = 0;
    return walks;
  }
}
