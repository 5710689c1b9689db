import type { ControlService } from './activeflow/control.ts';
import type { Context } from './context.ts';
import type { FlowService } from './flow/flow.ts';

/** How many of a customer's things are deleted between two looks at what is left. */
const BATCH = 100;

/** What events of siblings do: a customer is gone, a call has hung up. */
export class CustomerService {
  readonly #context: Context;
  readonly #flows: FlowService;
  readonly #control: ControlService;

  constructor(context: Context, flows: FlowService, control: ControlService) {
    this.#context = context;
    this.#flows = flows;
    this.#control = control;
  }

  /** Stops and deletes the customer's activeflows, then deletes its flows. Again the same: does the rest. */
  async deleted(customerId: string): Promise<void> {
    const { store, log } = this.#context;
    const activeflows = await this.#each(
      () => store.activeflows.ofCustomer(customerId, BATCH),
      (id) => this.#control.remove(id, ''),
    );
    const flows = await this.#each(
      () => store.flows.ofCustomer(customerId, BATCH),
      (id) => this.#flows.remove(id, ''),
    );
    log.info({ customer_id: customerId, activeflows, flows }, 'deleted what was a deleted customer’s');
  }

  /** Stops the activeflow of a call that is over; without its id, those of the call. */
  async callHungUp(callId: string, activeflowId: string | undefined): Promise<void> {
    const { activeflows } = this.#context.store;
    const ids = activeflowId === undefined ? await activeflows.ofReference('call', callId) : [activeflowId];
    for (const id of ids) {
      if (await activeflows.get(id)) await this.#control.stop(id, `call ${callId} has hung up`, '');
    }
  }

  /** Every one that is left, until a look finds none. */
  async #each(find: () => Promise<string[]>, remove: (id: string) => Promise<unknown>): Promise<number> {
    let count = 0;
    for (let ids = await find(); ids.length > 0; ids = await find()) {
      for (const id of ids) await remove(id);
      count += ids.length;
    }
    return count;
  }
}
