import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { EMPTY_LIST } from '../engine/create.ts';
import { FlowError } from '../error/index.ts';
import { type Action, type ActionList, indexActions } from '../model/action.ts';
import type { Activeflow, Stack } from '../model/activeflow.ts';
import type { Cache, ListStore } from './ports.ts';

const EMPTY: ActionList = indexActions([]);

/** How long a list stays in the shared cache after it was last put there, in ms. */
const SHARED_MS = 3_600_000;

/**
 * How long it is not said again that a list is in use, in ms: far below how long one is kept that nothing names. What is
 * in memory is no proof that it is still stored.
 */
const IN_USE_MS = 600_000;
/** An activeflow without a deadline may need a list for ever; a hundred years are that. */
const FOR_EVER_MS = 100 * 365 * 86_400_000;

/**
 * Lists of actions by owner and key. They never change, so what is in memory, in this process or in the cache that
 * all processes share, is as good as what is stored. A customer's lists are known by the hash of their bytes; an activeflow's own by an id.
 */
export class Lists {
  readonly #store: ListStore;
  readonly #shared: Cache;
  readonly #near: LRUCache<string, ActionList>;
  /** Lists that this process has put lately. */
  readonly #put = new LRUCache<string, true>({ max: 20_000, ttl: IN_USE_MS });

  constructor(store: ListStore, shared: Cache, bytes: number) {
    this.#store = store;
    this.#shared = shared;
    this.#near = new LRUCache({ maxSize: bytes, sizeCalculation: (list) => 200 + JSON.stringify(list.actions).length });
  }

  /** Stores a customer's list and returns its key. */
  async putShared(customerId: string, actions: readonly Action[]): Promise<string> {
    const key = createHash('sha256').update(JSON.stringify(actions)).digest('hex');
    await this.put(customerId, key, actions);
    return key;
  }

  async put(owner: string, key: string, actions: readonly Action[]): Promise<void> {
    const place = `${owner}/${key}`;
    if (this.#near.has(place) && this.#put.has(place)) return;
    await this.#store.put(owner, key, actions);
    this.#put.set(place, true);
    this.#near.set(place, indexActions(actions));
  }

  /** Before an activeflow runs on another flow's list: that flow may go before it does. `until`: RFC 3339; null: for ever. */
  async keep(owner: string, key: string, until: string | null, now: number): Promise<void> {
    await this.#store.use(owner, key, until === null ? FOR_EVER_MS : Math.max(0, Date.parse(until) - now));
  }

  /** What was erased is not to be found in a cache either; other processes' memory forgets it in time. */
  async forget(owner: string, key: string): Promise<void> {
    const place = `${owner}/${key}`;
    this.#near.delete(place);
    this.#put.delete(place);
    await this.#shared.delete(`list/${place}`);
  }

  /** In memory, or undefined. */
  peek(owner: string, key: string): ActionList | undefined {
    return key === EMPTY_LIST ? EMPTY : this.#near.get(`${owner}/${key}`);
  }

  /** Throws INTERNAL when it is not stored: what a row names must be there. */
  async get(owner: string, key: string): Promise<ActionList> {
    const known = this.peek(owner, key);
    if (known) return known;
    const place = `${owner}/${key}`;
    const list = (await this.#fromShared(place)) ?? (await this.#fromStore(owner, key));
    this.#near.set(place, list);
    return list;
  }

  async #fromShared(place: string): Promise<ActionList | undefined> {
    const text = await this.#shared.get(`list/${place}`);
    if (text === undefined) return undefined;
    try {
      return indexActions(JSON.parse(text) as Action[]);
    } catch {
      // A cache may hold anything; what is stored counts.
      return undefined;
    }
  }

  async #fromStore(owner: string, key: string): Promise<ActionList> {
    const list = await this.#store.get(owner, key);
    if (!list) throw new FlowError('INTERNAL', 'ACTION_LIST_MISSING', `no list of actions ${key} of ${owner}`);
    await this.#shared.set(`list/${owner}/${key}`, JSON.stringify(list.actions), SHARED_MS);
    return list;
  }

  /** All lists of an activeflow's stacks, as the engine asks for them. */
  async book(row: Activeflow): Promise<ListBook> {
    const book = new ListBook(this, row);
    for (const stack of row.state.stacks) await book.load(stack);
    return book;
  }
}

/** The lists that one decision may look into: held here, so that the engine finds them without waiting. */
export class ListBook {
  readonly #lists: Lists;
  readonly #row: Activeflow;
  readonly #held = new Map<string, ActionList>();

  constructor(lists: Lists, row: Activeflow) {
    this.#lists = lists;
    this.#row = row;
  }

  async load(stack: Pick<Stack, 'list' | 'shared'>): Promise<void> {
    const owner = stack.shared ? this.#row.customer_id : this.#row.id;
    const place = `${owner}/${stack.list}`;
    if (!this.#held.has(place))
      this.#held.set(place, this.#lists.peek(owner, stack.list) ?? (await this.#lists.get(owner, stack.list)));
  }

  /** Keys of the customer's lists that are held. */
  get shared(): string[] {
    const owner = `${this.#row.customer_id}/`;
    return [...this.#held.keys()].filter((place) => place.startsWith(owner)).map((place) => place.slice(owner.length));
  }

  /** The stack that was asked for last, and its list: a step asks for the same one several times. */
  #last: Stack | undefined;
  #lastList: ActionList | undefined;

  readonly list = (stack: Stack): ActionList => {
    if (stack === this.#last && this.#lastList) return this.#lastList;
    const owner = stack.shared ? this.#row.customer_id : this.#row.id;
    const list = this.#held.get(`${owner}/${stack.list}`);
    if (!list) throw new FlowError('INTERNAL', 'ACTION_LIST_MISSING', `list ${stack.list} was not loaded`);
    this.#last = stack;
    this.#lastList = list;
    return list;
  };
}
