import type { Ask } from '../../engine/ask.ts';
import type { NewActiveflow } from '../../engine/create.ts';
import type { Draft } from '../../engine/draft.ts';
import { DEFAULT_LIMITS, type Limits, type World } from '../../engine/world.ts';
import type { Activeflow } from '../../model/activeflow.ts';
import type { Flow } from '../../model/flow.ts';
import type { HistoryInput, HistoryRecord, HistoryTurn } from '../../model/history.ts';
import type { Json } from '../../model/json.ts';
import { causedBy, decided } from './decided.ts';

/**
 * Listens while something is decided, and writes down what it was given: time, ids, answers. One for each attempt;
 * what an attempt that lost its race was given is forgotten with it.
 */
export class Recording {
  #input: HistoryInput;
  #turns: HistoryTurn[] = [];
  #now: number[] = [];
  #ids: string[] = [];
  #limits: Limits = DEFAULT_LIMITS;
  #followUpFlow: { readonly flow: Flow | undefined } | undefined;

  constructor(input: HistoryInput) {
    this.#input = input;
  }

  /** Undefined, and nothing is made: no history is kept of this activeflow. */
  static of(row: Activeflow, input: () => HistoryInput): Recording | undefined {
    return row.outbox.history?.state === 'open' ? new Recording(input()) : undefined;
  }

  /** The same world, listened to. */
  around(world: World): World {
    this.#limits = world.limits;
    return {
      ...world,
      now: () => {
        const now = world.now();
        this.#now.push(now);
        return now;
      },
      newId: () => {
        const id = world.newId();
        this.#ids.push(id);
        return id;
      },
    };
  }

  /** What the walk asked for is answered, and it goes on with that. */
  answered(ask: Ask, answer: unknown): void {
    this.#turn({ ask: ask as unknown as Json, answer: answer as Json });
  }

  /** The flow that on_complete_flow_id names was looked up. */
  followUp(flow: Flow | undefined): void {
    this.#followUpFlow = { flow };
  }

  /** The record of a commit. `lists`: keys of the customer's lists that were at hand. */
  record(draft: Draft, next: Activeflow, lists: readonly string[], child?: Activeflow): HistoryRecord {
    this.#turn();
    const named = new Set(draft.base.state.stacks.map((stack) => stack.list));
    const fresh = lists.filter((key) => !named.has(key));
    const limits = Object.entries(this.#limits).filter(([name, value]) => DEFAULT_LIMITS[name as keyof Limits] !== value);
    return {
      revision: next.revision,
      input: this.#input,
      turns: this.#turns,
      ...(limits.length > 0 ? { limits: Object.fromEntries(limits) } : {}),
      ...(fresh.length > 0 ? { lists: fresh } : {}),
      ...(this.#followUpFlow ? { follow_up_flow: flowRecord(this.#followUpFlow.flow) } : {}),
      decided: decided(draft.base, next, causedBy(draft, child)),
    };
  }

  /** The record of a row that was just made: there was nothing before it. */
  start(row: Activeflow): HistoryRecord {
    this.#turn();
    const limits = Object.entries(this.#limits).filter(([name, value]) => DEFAULT_LIMITS[name as keyof Limits] !== value);
    return {
      revision: row.revision,
      input: this.#input,
      turns: this.#turns,
      ...(limits.length > 0 ? { limits: Object.fromEntries(limits) } : {}),
      decided: decided(undefined, row),
    };
  }

  /** It was committed, and the walk goes on from there. */
  goOn(): void {
    this.#input = { kind: 'continue' };
    this.#turns = [];
    this.#followUpFlow = undefined;
  }

  #turn(asked?: { readonly ask: Json; readonly answer: Json }): void {
    const [now, ids] = [this.#now, this.#ids];
    if (!asked && now.length === 0 && ids.length === 0) return;
    this.#turns.push({ ...(now.length > 0 ? { now } : {}), ...(ids.length > 0 ? { ids } : {}), ...(asked ? { asked } : {}) });
    this.#now = [];
    this.#ids = [];
  }
}

/** A flow as far as decisions look at it: what its author wrote about it may be long. */
function flowRecord(flow: Flow | undefined): Json {
  return flow === undefined ? null : ({ ...flow, detail: '', warnings: [] } as unknown as Json);
}

/** What a follow-up is made from, as the engine takes it. */
export interface FollowUpGiven {
  readonly ending: Activeflow;
  readonly flow: Flow;
  readonly id: string;
  readonly lease_ms: number;
}

/** Of the activeflow that ends, only what the next one takes over. */
export function followUpRecord(given: {
  readonly ending: Pick<Draft, 'base' | 'variables'>;
  readonly flow: Flow | undefined;
  readonly id: string;
  readonly lease_ms: number;
}): Json {
  const { base, variables } = given.ending;
  const { id, customer_id, user_id, reference_type, reference_id } = base;
  const { participant } = base.state;
  const ending = {
    id,
    customer_id,
    ...(user_id === undefined ? {} : { user_id }),
    reference_type,
    reference_id,
    variables,
    ...(participant ? { state: { participant } } : {}),
  };
  return { ending, flow: flowRecord(given.flow), id: given.id, lease_ms: given.lease_ms };
}

/** Of a parent, its id and its variables: a new activeflow takes nothing else from it. */
export function createRecord({ flow, parent, ...given }: NewActiveflow): Json {
  return {
    ...given,
    ...(flow ? { flow: flowRecord(flow) } : {}),
    ...(parent ? { parent: { id: parent.id, variables: parent.variables } } : {}),
  } as unknown as Json;
}
