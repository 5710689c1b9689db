import { checkActions } from '../../action/check.ts';
import { formatTime } from '../../engine/world.ts';
import { conflict, exhausted, FlowError, notFound } from '../../error/index.ts';
import type { Action } from '../../model/action.ts';
import type { Flow, FlowType } from '../../model/flow.ts';
import { isSet, NIL } from '../../model/id.ts';
import type { JsonObject } from '../../model/json.ts';
import { type Context, hashId } from '../context.ts';
import type { Lists } from '../lists.ts';
import { wholePage } from '../page.ts';
import { EVENT_LEASE_MS, type FlowFilter, type Page, type StoredEvent } from '../ports.ts';
import { orUnreadable } from '../unreadable.ts';
import { Directs } from './directs.ts';
import type { MakeTemporaryFlow } from './temporary.ts';
import { viewFlow, viewHead, viewVersion } from './view.ts';

export interface CreateFlowRequest {
  readonly customer_id: string;
  readonly user_id?: number;
  readonly type: FlowType;
  readonly name: string;
  readonly detail: string;
  readonly persist: boolean;
  readonly webhook_uri: string;
  readonly actions: unknown;
  readonly on_complete_flow_id: string;
  readonly fallback_flow_id: string;
  readonly deadline_ms: number;
}

export interface UpdateFlowRequest {
  readonly name: string;
  readonly detail: string;
  readonly actions: unknown;
  readonly on_complete_flow_id: string;
  readonly fallback_flow_id?: string;
  readonly deadline_ms?: number;
}

/** Where events of flows go once they are committed; pkg/outbox implements it. */
export interface FlowOutbox {
  flowEvents(events: readonly StoredEvent[]): void;
}

/** How often a change of a flow is decided anew after a lost race. */
const MAX_RACES = 20;

/** Flows: their heads change, their lists of actions never do. */
export class FlowService {
  readonly #context: Context;
  readonly #lists: Lists;
  readonly #outbox: FlowOutbox;
  readonly #directs: Directs;

  constructor(context: Context, lists: Lists, outbox: FlowOutbox) {
    this.#context = context;
    this.#lists = lists;
    this.#outbox = outbox;
    this.#directs = new Directs(context);
  }

  async create(request: CreateFlowRequest, key: string): Promise<JsonObject> {
    const known = await this.#answered(key);
    if (known) return known;
    if (request.persist) await this.#checkCount(request.customer_id);
    const bare = await this.#newFlow(this.#context.ids.next(), request);
    const flow = bare.persist && bare.type === 'flow' ? { ...bare, ...(await this.#directs.create(bare)) } : bare;
    const view = await this.#commit(flow, undefined, 'flow_created', key, true);
    if (view) return view;
    const made = await this.#answered(key);
    // The same request came twice at once, and the other one won: nobody will ever give this direct back.
    if (made) await this.#directs.remove(flow);
    if (made) return made;
    throw conflict('FLOW_EXISTS', `a flow with id ${flow.id} exists already`);
  }

  /** For actions that need a flow of their own; `id` is the action's request id, so that a repeat finds the same flow. */
  readonly createTemporary: MakeTemporaryFlow = async ({ id, customer_id, name, actions }) => {
    const flow = await this.#newFlow(id, { ...TEMPORARY, customer_id, name, actions });
    await this.#commit(flow, undefined, 'flow_created', '', true);
    return id;
  };

  async update(id: string, request: UpdateFlowRequest, key: string): Promise<JsonObject> {
    const { actions, warnings } = this.#check(request.actions);
    return this.#change(id, key, 'flow_updated', async (flow) => ({
      ...flow,
      name: request.name,
      detail: request.detail,
      on_complete_flow_id: request.on_complete_flow_id,
      fallback_flow_id: request.fallback_flow_id ?? flow.fallback_flow_id,
      deadline_ms: request.deadline_ms ?? flow.deadline_ms,
      warnings,
      list: await this.#lists.putShared(flow.customer_id, actions),
      version: flow.version + 1,
    }));
  }

  async updateActions(id: string, given: unknown, key: string): Promise<JsonObject> {
    const { actions, warnings } = this.#check(given);
    return this.#change(id, key, 'flow_updated', async (flow) => ({
      ...flow,
      warnings,
      list: await this.#lists.putShared(flow.customer_id, actions),
      version: flow.version + 1,
    }));
  }

  /** Brings back the actions of an older version, as a new one. */
  async restore(id: string, version: number, key: string): Promise<JsonObject> {
    const versions = await this.#context.store.flows.versions(id);
    const found = versions.find((known) => known.version === version);
    await this.#get(id);
    if (!found) throw notFound('flow version', String(version));
    return this.#change(id, key, 'flow_updated', async (flow) => {
      const { warnings } = this.#check((await this.#lists.get(flow.customer_id, found.list)).actions);
      return { ...flow, warnings, list: found.list, version: flow.version + 1 };
    });
  }

  async remove(id: string, key: string): Promise<JsonObject> {
    const flow = await this.#get(id);
    if (flow.tm_delete !== null) return this.#view(flow);
    const view = await this.#change(id, key, 'flow_deleted', async (now, tm_delete) => ({ ...now, tm_delete }));
    await this.#directs.remove(flow);
    return view;
  }

  async regenerateDirect(id: string, key: string): Promise<JsonObject> {
    const known = await this.#answered(key);
    if (known) return known;
    const flow = await this.#get(id);
    if (!isSet(flow.direct_id)) throw conflict('NO_DIRECT', `flow ${id} has no direct`);
    const direct = await this.#directs.regenerate(flow, key);
    return this.#change(id, key, 'flow_updated', async (now) => ({ ...now, ...direct }));
  }

  async get(id: string): Promise<JsonObject> {
    return this.#view(await this.#get(id));
  }

  async actions(id: string): Promise<readonly Action[]> {
    const flow = await this.#get(id);
    return (await this.#lists.get(flow.customer_id, flow.list)).actions;
  }

  async action(id: string, actionId: string): Promise<Action> {
    const action = (await this.actions(id)).find((known) => known.id === actionId);
    if (!action) throw notFound('action', actionId);
    return action;
  }

  async versions(id: string): Promise<JsonObject[]> {
    const flow = await this.#get(id);
    const versions = await this.#context.store.flows.versions(id);
    return Promise.all(
      versions.map(async (version) => viewVersion(version, (await this.#lists.get(flow.customer_id, version.list)).actions)),
    );
  }

  async list(filter: FlowFilter, page: Page): Promise<JsonObject[]> {
    const flows = await wholePage((part) => this.#context.store.flows.list(filter, part), page);
    return Promise.all(
      flows.map((flow) => orUnreadable(this.#context, { of: 'flow', head: viewHead(flow) }, () => this.#view(flow))),
    );
  }

  count(customerId: string): Promise<number> {
    return this.#context.store.flows.count(customerId);
  }

  async #newFlow(id: string, request: CreateFlowRequest): Promise<Flow> {
    const { clock, options } = this.#context;
    const { actions, warnings } = this.#check(request.actions);
    const now = clock.now();
    const { actions: _, ...given } = request;
    return {
      ...given,
      id,
      list: await this.#lists.putShared(request.customer_id, actions),
      version: 1,
      revision: 1,
      direct_id: NIL,
      direct_hash: '',
      warnings,
      tm_create: formatTime(now),
      tm_update: null,
      tm_delete: null,
      tm_expire: request.persist ? null : formatTime(now + options.temporary_flow_ms),
    };
  }

  #check(actions: unknown) {
    const { ids, limits } = this.#context;
    return checkActions(actions ?? [], {
      path: '/actions',
      maxActions: limits.actions_per_list,
      newId: () => ids.next(),
      unknownTypes: 'error',
      templates: true,
    });
  }

  async #checkCount(customerId: string): Promise<void> {
    const { flows_per_customer } = this.#context.options;
    if ((await this.count(customerId)) < flows_per_customer) return;
    throw exhausted('TOO_MANY_FLOWS', `customer ${customerId} has ${flows_per_customer} flows already, and that is the limit`, [
      { field: 'customer_id', value: customerId, expected: `at most ${flows_per_customer} flows` },
    ]);
  }

  async #get(id: string): Promise<Flow> {
    const flow = await this.#context.store.flows.get(id);
    if (!flow) throw notFound('flow', id);
    return flow;
  }

  async #change(
    id: string,
    key: string,
    event: 'flow_updated' | 'flow_deleted',
    decide: (flow: Flow, tm: string) => Promise<Flow>,
  ): Promise<JsonObject> {
    for (let attempt = 0; attempt < MAX_RACES; attempt++) {
      const known = await this.#answered(key);
      if (known) return known;
      const flow = await this.#get(id);
      if (flow.tm_delete !== null && event === 'flow_deleted') return this.#view(flow);
      if (flow.tm_delete !== null) throw conflict('FLOW_DELETED', `flow ${id} is deleted`, [{ field: 'id', value: id }]);
      const tm = formatTime(this.#context.clock.now());
      const next = { ...(await decide(flow, tm)), revision: flow.revision + 1, tm_update: tm };
      const view = await this.#commit(next, flow.revision, event, key, next.version !== flow.version);
      if (view) return view;
    }
    throw new FlowError('UNAVAILABLE', 'TOO_MANY_RACES', `flow ${id} is changed by too many at once`);
  }

  /** Undefined: lost a race, or the key was answered meanwhile. */
  async #commit(
    flow: Flow,
    from: number | undefined,
    type: 'flow_created' | 'flow_updated' | 'flow_deleted',
    key: string,
    new_version: boolean,
  ): Promise<JsonObject | undefined> {
    const view = await this.#view(flow);
    const id = hashId(`${flow.id}/${flow.revision}/${type}`);
    const event: StoredEvent = { id, type, data: view, held_ms: EVENT_LEASE_MS };
    const committed = await this.#context.store.flows.commit({
      flow,
      ...(from === undefined ? {} : { from }),
      new_version,
      events: [event],
      ...(key === '' ? {} : { answer: { key, status_code: 200, data: view } }),
    });
    if (!committed) return undefined;
    this.#context.meter.add('flow_crud_total', { operation: OPERATIONS[type] });
    this.#outbox.flowEvents([event]);
    return view;
  }

  async #answered(key: string): Promise<JsonObject | undefined> {
    if (key === '') return undefined;
    const answer = await this.#context.store.flows.answer(key);
    return answer?.data as JsonObject | undefined;
  }

  async #view(flow: Flow): Promise<JsonObject> {
    return viewFlow(flow, (await this.#lists.get(flow.customer_id, flow.list)).actions);
  }
}

const OPERATIONS = { flow_created: 'create', flow_updated: 'update', flow_deleted: 'delete' } as const;

const TEMPORARY = {
  type: 'flow',
  detail: '',
  persist: false,
  webhook_uri: '',
  on_complete_flow_id: NIL,
  fallback_flow_id: NIL,
  deadline_ms: 0,
} as const;
