import { asCreated } from '../../engine/create.ts';
import { FlowError, notFound } from '../../error/index.ts';
import type { Variables } from '../../model/action.ts';
import type { Activeflow, ReferenceType } from '../../model/activeflow.ts';
import type { Flow, Warning } from '../../model/flow.ts';
import { isSet, NIL } from '../../model/id.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import type { Context } from '../context.ts';
import type { Refusals } from '../subscription/refusals.ts';
import type { Keeper } from './keeper.ts';
import { makeActiveflow } from './make.ts';
import { firstLook } from './schedule.ts';
import { viewActiveflow } from './view.ts';

/** A request for a new activeflow, its ids lower-cased and nil where none was given. */
export interface CreateRequest {
  readonly id: string;
  readonly customer_id: string;
  readonly user_id?: number;
  readonly flow_id: string;
  readonly reference_type: ReferenceType;
  readonly reference_id: string;
  readonly reference_activeflow_id: string;
  readonly webhook_uri: string;
  readonly webhook_method: string;
  readonly variables: Variables;
}

/** Makes activeflows. One INSERT each; the same request again gets the one that it made. */
export class CreateService {
  readonly #context: Context;
  readonly #keeper: Keeper;
  readonly #refusals: Refusals;

  constructor(context: Context, keeper: Keeper, refusals: Refusals) {
    this.#context = context;
    this.#keeper = keeper;
    this.#refusals = refusals;
  }

  /** Its customer is told of a request that can never succeed; one to be repeated is no refusal. */
  async create(request: CreateRequest, key: string): Promise<JsonObject> {
    const { customer_id, flow_id, reference_id, id } = request;
    return this.#refusals.around({ customer_id, flow_id, reference_id, id, key }, () => this.#create(request, key));
  }

  async #create(request: CreateRequest, key: string): Promise<JsonObject> {
    const flow = await this.#flow(request);
    const parent = isSet(request.reference_activeflow_id) ? await this.#parent(request) : undefined;
    const { ids, store, options } = this.#context;
    const look_at = firstLook(request.reference_type, this.#context);
    const given = {
      ...request,
      id: isSet(request.id) ? request.id : ids.next(),
      customer_id: isSet(request.customer_id) ? request.customer_id : (flow?.customer_id ?? NIL),
      ...(flow ? { flow } : {}),
      ...(parent ? { parent } : {}),
      create_key: key,
      deadline_ms: options.deadline_ms,
      ...(look_at === undefined ? {} : { look_at }),
    };
    const { row, warnings } = makeActiveflow(this.#context, given);
    this.#countInjection(request.variables, warnings);
    if (!(await store.activeflows.create(row))) return this.#existing(row.id, key, warnings);
    this.#keeper.created(row);
    return this.#view(row, warnings);
  }

  /** The id or the key exists: the same request again (which causes the same warnings), or another one that wants a taken id. */
  async #existing(id: string, key: string, warnings: readonly Warning[]): Promise<JsonObject> {
    const { activeflows } = this.#context.store;
    const made = key === '' ? undefined : await activeflows.byCreateKey(key);
    if (made) return this.#view(asCreated(made), warnings);
    throw new FlowError('ALREADY_EXISTS', 'ACTIVEFLOW_EXISTS', `an activeflow with id ${id} exists already`, [
      { field: 'id', value: id, expected: 'an id that no activeflow has' },
    ]);
  }

  async #flow(request: CreateRequest): Promise<Flow | undefined> {
    if (!isSet(request.flow_id)) return undefined;
    const flow = await this.#context.store.flows.get(request.flow_id);
    const expired = flow?.tm_expire != null && Date.parse(flow.tm_expire) <= this.#context.clock.now();
    if (!flow || flow.tm_delete !== null || expired) throw notFound('flow', request.flow_id);
    if (isSet(request.customer_id) && isSet(flow.customer_id) && flow.customer_id !== request.customer_id) {
      throw new FlowError(
        'PERMISSION_DENIED',
        'FLOW_OF_ANOTHER_CUSTOMER',
        `flow ${flow.id} is not customer ${request.customer_id}’s`,
        [{ field: 'flow_id', value: flow.id, expected: 'a flow of the same customer' }],
      );
    }
    return flow;
  }

  async #parent(request: CreateRequest): Promise<Activeflow> {
    const parent = await this.#context.store.activeflows.get(request.reference_activeflow_id);
    if (!parent) throw notFound('activeflow', request.reference_activeflow_id);
    if (isSet(request.customer_id) && isSet(parent.customer_id) && parent.customer_id !== request.customer_id) {
      throw new FlowError(
        'PERMISSION_DENIED',
        'ACTIVEFLOW_OF_ANOTHER_CUSTOMER',
        `activeflow ${parent.id} is another customer’s`,
        [{ field: 'reference_activeflow_id', value: parent.id, expected: 'an activeflow of the same customer' }],
      );
    }
    return parent;
  }

  async #view(row: Activeflow, warnings: readonly Warning[]): Promise<JsonObject> {
    const view = await viewActiveflow(row, this.#keeper.lists, this.#context.store.activeflows);
    return warnings.length === 0 ? view : { ...view, warnings: warnings as unknown as readonly Json[] };
  }

  #countInjection(given: Variables, warnings: readonly Warning[]): void {
    if (Object.keys(given).length === 0) return;
    const whole = warnings.find((warning) => warning.path === '/variables');
    const outcome = whole ? 'rejected_total' : warnings.length > 0 ? 'dropped_reserved' : 'accepted';
    this.#context.meter.add('activeflow_variable_injection_total', { outcome });
  }
}
