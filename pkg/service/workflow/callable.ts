import { formatTime } from '../../engine/world.ts';
import { conflict, FlowError, invalid, notFound } from '../../error/index.ts';
import type { Flow } from '../../model/flow.ts';
import { isUuid } from '../../model/id.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Callable } from '../../model/workflow.ts';
import type { Context } from '../context.ts';
import { wholePage } from '../page.ts';
import type { Page } from '../ports.ts';
import { viewCallable } from './view.ts';

/** What is to change; what is absent stays as it is. */
export type CallableChange = Partial<
  Pick<
    Callable,
    'enabled' | 'alias' | 'input_schema' | 'allowed_users' | 'allowed_teams' | 'response_types' | 'timeout' | 'managed'
  >
>;

/** An alias stands in paths, beside ids. */
const ALIAS = /^[A-Za-z0-9_][A-Za-z0-9_.~-]{0,254}$/;
const MOST_LISTED = 1_000;
const LONGEST_TIMEOUT_MS = 30 * 86_400_000;
const LONGEST_NAME = 255;
/** What even of a managed one can be changed. */
const LISTS_OF_CALLERS: ReadonlySet<string> = new Set(['allowed_users', 'allowed_teams']);
const MAX_RACES = 20;

/** Makes flows callable. Always read from the store: a change holds on every process once it is answered. */
export class CallableService {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async get(flow_id: string, customer_id: string | undefined): Promise<JsonObject> {
    await this.#flow(flow_id, customer_id);
    const callable = await this.#context.store.workflows.callable(flow_id);
    if (!callable) throw notFound('callable', flow_id);
    return viewCallable(callable);
  }

  /** A customer's workflows, those included that are not enabled. */
  async list(customer_id: string, page: Page): Promise<JsonObject[]> {
    const { workflows } = this.#context.store;
    const part = async (some: Page) =>
      (await workflows.callables(customer_id, some)).map((callable) => ({ ...callable, id: callable.flow_id }));
    return (await wholePage(part, page)).map(viewCallable);
  }

  /** `customer_id`: whose it must be; undefined: anybody's. */
  async put(flow_id: string, change: CallableChange, customer_id: string | undefined): Promise<JsonObject> {
    this.#check(change);
    const { workflows } = this.#context.store;
    for (let attempt = 0; attempt < MAX_RACES; attempt++) {
      const flow = await this.#flow(flow_id, customer_id);
      if (flow.tm_delete !== null)
        throw conflict('FLOW_DELETED', `flow ${flow_id} is deleted`, [{ field: 'id', value: flow_id }]);
      const before = await workflows.callable(flow_id);
      if (before?.managed) checkManaged(before, change);
      const next = changed(flow, before, change, formatTime(this.#context.clock.now()));
      const written = await workflows.putCallable(next);
      if (written === true) return viewCallable(next);
      if (written === 'alias_taken') throw aliasTaken(next);
    }
    throw new FlowError('UNAVAILABLE', 'TOO_MANY_RACES', `callable ${flow_id} is changed by too many at once`);
  }

  #check(change: CallableChange): void {
    const { alias, timeout, input_schema } = change;
    if (alias !== undefined && alias !== '' && (!ALIAS.test(alias) || isUuid(alias.toLowerCase()))) {
      throw invalid('BAD_FIELD', '/alias', alias, 'up to 255 letters, digits and . _ ~ -, and no UUID');
    }
    if (timeout !== undefined && timeout > LONGEST_TIMEOUT_MS) {
      throw invalid('BAD_FIELD', '/timeout', timeout, `ms, at most ${LONGEST_TIMEOUT_MS}`);
    }
    for (const name of ['allowed_users', 'allowed_teams', 'response_types'] as const) checkList(name, change[name] ?? []);
    if (input_schema) this.#context.schemas.checkSchema(input_schema, '/input_schema');
  }

  async #flow(id: string, customer_id: string | undefined): Promise<Flow> {
    const flow = await this.#context.store.flows.get(id);
    if (!flow || (customer_id !== undefined && flow.customer_id !== customer_id)) throw notFound('flow', id);
    return flow;
  }
}

function changed(flow: Flow, before: Callable | undefined, change: CallableChange, now: string): Callable {
  const base: Callable = before ?? {
    flow_id: flow.id,
    customer_id: flow.customer_id,
    enabled: true,
    alias: '',
    input_schema: null,
    allowed_users: [],
    allowed_teams: [],
    response_types: [],
    timeout: 0,
    managed: false,
    revision: 0,
    tm_create: now,
    tm_update: null,
  };
  return { ...base, ...change, revision: base.revision + 1, tm_update: before ? now : null };
}

function checkManaged(before: Callable, change: CallableChange): void {
  for (const [name, value] of Object.entries(change)) {
    const same = JSON.stringify(before[name as keyof Callable]) === JSON.stringify(value);
    if (same || LISTS_OF_CALLERS.has(name)) continue;
    throw conflict('WORKFLOW_MANAGED', `/${name}: workflow ${before.flow_id} is managed by an app`, [
      { field: `/${name}`, value, expected: 'only allowed_users and allowed_teams to change' },
    ]);
  }
}

function checkList(name: string, list: readonly string[]): void {
  if (list.length > MOST_LISTED) throw invalid('BAD_FIELD', `/${name}`, `${list.length} items`, `at most ${MOST_LISTED} items`);
  for (const [index, item] of list.entries()) {
    if (item !== '' && item.length <= LONGEST_NAME) continue;
    throw invalid('BAD_FIELD', `/${name}/${index}`, item, `text of 1 to ${LONGEST_NAME} characters`);
  }
}

function aliasTaken({ alias }: Callable): FlowError {
  return new FlowError('ALREADY_EXISTS', 'ALIAS_TAKEN', `alias ${alias} is another workflow’s of this customer`, [
    { field: '/alias', value: alias, expected: 'an alias that no other workflow of this customer has' },
  ]);
}
