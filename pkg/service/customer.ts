import { toFlowError } from '../error/index.ts';
import { isSet } from '../model/id.ts';
import type { ControlService } from './activeflow/control.ts';
import type { Context } from './context.ts';
import type { FlowService } from './flow/flow.ts';
import type { Lists } from './lists.ts';

/** How many of a customer's things are dealt with between two looks at what is left. */
const BATCH = 25;
/** Events that must be published before their activeflow may go are waited for this long at a time. */
const LOOK_AGAIN_MS = 1_000;
/** How often a customer is looked at whose things are gone already. */
const LATER_MS = 60_000;
/**
 * How long a customer is looked at in all: a request that was under way may have made something after the first look, and
 * answers by request key, which repeat what was made, are kept for an hour.
 */
const FOR_MS = 2 * 3_600_000;

/** What events of siblings do: a customer is gone, a call has hung up. */
export class CustomerService {
  readonly #context: Context;
  readonly #lists: Lists;
  readonly #flows: FlowService;
  readonly #control: ControlService;

  constructor(context: Context, lists: Lists, flows: FlowService, control: ControlService) {
    this.#context = context;
    this.#lists = lists;
    this.#flows = flows;
    this.#control = control;
  }

  /** Safe to acknowledge once this resolves: the erasure is a row, which `eraseNext` of any process takes up. */
  async deleted(customerId: string): Promise<void> {
    // What has no customer is nobody's to delete.
    if (!isSet(customerId)) return;
    await this.#context.store.erasures.add(customerId);
  }

  /**
   * Erases a batch of what is a deleted customer's: ends and deletes its activeflows and deletes its flows, all with their
   * events; when those are published, erases the rows, traces, versions, lists and what of them is cached, then its calls
   * of workflows and what was to be pushed. Each step is safe to repeat, so that it may break off anywhere. True: there may be more to do right away.
   */
  async eraseNext(): Promise<boolean> {
    const { store, log, options } = this.#context;
    // A batch that takes longer than the lease is begun by another process, too: each step may be repeated.
    const erasure = await store.erasures.claim(options.lease_ms);
    if (!erasure) return false;
    const { customer_id, age_ms } = erasure;
    try {
      const state = await this.#eraseBatch(customer_id);
      if (state === 'clean' && age_ms >= FOR_MS) {
        await store.erasures.done(customer_id);
        log.info({ customer_id }, 'nothing is left of a deleted customer');
      } else await store.erasures.again(customer_id, PAUSES[state]);
    } catch (thrown) {
      log.warn({ customer_id, error: toFlowError(thrown).message }, 'a deleted customer’s things are erased later');
      await store.erasures.again(customer_id, LOOK_AGAIN_MS);
    }
    return true;
  }

  async #eraseBatch(customerId: string): Promise<keyof typeof PAUSES> {
    const { store, meter } = this.#context;
    const activeflows = await store.activeflows.ofCustomer(customerId, BATCH);
    for (const id of activeflows) await this.#control.remove(id, '');
    if (activeflows.length > 0) return 'more';
    const flows = await store.flows.ofCustomer(customerId, BATCH);
    for (const id of flows) await this.#flows.remove(id, '');
    if (flows.length > 0) return 'more';
    const { erased, left } = await store.erasures.activeflows(customerId, BATCH);
    if (erased > 0) meter.add('retention_deleted_total', { kind: 'customer_activeflow' }, erased);
    if (left) return erased > 0 ? 'more' : 'waiting';
    // Only now: events of activeflows show the lists that they ran on.
    const gone = await store.erasures.flows(customerId, BATCH);
    if (gone > 0) meter.add('retention_deleted_total', { kind: 'customer_flow' }, gone);
    const subscriptions = await store.subscriptions.removeOfCustomer(customerId, BATCH);
    if (subscriptions > 0) meter.add('retention_deleted_total', { kind: 'customer_subscription' }, subscriptions);
    const lists = await store.erasures.lists(customerId, BATCH);
    for (const key of lists) await this.#lists.forget(customerId, key);
    if (lists.length > 0) meter.add('retention_deleted_total', { kind: 'customer_list' }, lists.length);
    const entries = await store.participants.removeCustomer(customerId, BATCH);
    if (entries > 0) meter.add('retention_deleted_total', { kind: 'customer_participant_entry' }, entries);
    // After the activeflows: their ends are responses, too.
    const calls = await store.workflows.erase(customerId, BATCH);
    if (calls > 0) meter.add('retention_deleted_total', { kind: 'customer_workflow' }, calls);
    return gone + subscriptions + lists.length + entries + calls > 0 ? 'more' : 'clean';
  }

  /** Stops the activeflow of a call that is over; without its id, those of the call. */
  async callHungUp(callId: string, activeflowId: string | undefined): Promise<void> {
    const { activeflows } = this.#context.store;
    const ids = activeflowId === undefined ? await activeflows.ofReference('call', callId) : [activeflowId];
    for (const id of ids) {
      await this.#control.stop(id, `call ${callId} has hung up`, '').catch(unlessUnknown);
    }
  }
}

/** How long until the next batch, in ms. */
const PAUSES = { more: 0, waiting: LOOK_AGAIN_MS, clean: LATER_MS } as const;
/** A call that this service never heard of. */
function unlessUnknown(thrown: unknown): void {
  if (toFlowError(thrown).status !== 'NOT_FOUND') throw thrown;
}
