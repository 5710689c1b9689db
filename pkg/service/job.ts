import { inputVariables, type JobState } from '../engine/job.ts';
import { FlowError, notFound, toFlowError, unavailable } from '../error/index.ts';
import type { Variables } from '../model/action.ts';
import type { Activeflow } from '../model/activeflow.ts';
import type { Flow } from '../model/flow.ts';
import { isUuid } from '../model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import { JOB_PREFIX, type Participant } from '../model/participant.ts';
import type { ControlService } from './activeflow/control.ts';
import type { Keeper } from './activeflow/keeper.ts';
import type { Context } from './context.ts';
import { checkRoom } from './participant.ts';
import { isReadable } from './ports.ts';
import type { Refusals } from './subscription/refusals.ts';
import { findCallable } from './workflow/find.ts';
import { type CallerIdentity, checkAllowed } from './workflow/prepare.ts';

export interface ExecutionRequest {
  readonly caller: CallerIdentity;
  /** Id of a flow, or the alias of a workflow. */
  readonly workflow: string;
  /** Whose participant data it shares. */
  readonly conversation_id: string;
  readonly inputs: Variables;
  /** The same key gets the same answer; empty: none was given. */
  readonly key: string;
}

/** How often it is looked again when others start the same job at the same moment. */
const ATTEMPTS = 10;

/** Jobs that are started from outside of a flow, and those who wait for any. */
export class JobService {
  readonly #context: Context;
  readonly #keeper: Keeper;
  readonly #control: ControlService;
  readonly #refusals: Refusals;

  constructor(context: Context, keeper: Keeper, control: ControlService, refusals: Refusals) {
    this.#context = context;
    this.#keeper = keeper;
    this.#control = control;
    this.#refusals = refusals;
    keeper.onJobEnd = (participant, key) => void this.#wake(participant, key);
  }

  /**
   * Starts a flow as the job of its own id beside a conversation: `{id}` of its activeflow. While it runs there, that one
   * is the answer again. Throws 400 for inputs that are too much, 404, 429 when the participant has no room.
   */
  async execute(request: ExecutionRequest): Promise<JsonObject> {
    const { caller, conversation_id, key } = request;
    const { store, ids } = this.#context;
    const flow = await this.#flow(request);
    const participant = await this.#participant(caller.customer_id, conversation_id);
    const entry = JOB_PREFIX + flow.id;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const made = key === '' ? undefined : await store.activeflows.byCreateKey(key);
      if (made) return { id: made.id };
      const entries = await store.participants.read(participant);
      const known = entries.find((one) => one.key === entry);
      if (isJsonObject(known?.value) && known.value.status === 'ONGOING') return { id: known.value.id ?? null };
      checkRoom(entries, { key: entry, value: '' });
      const row = this.#make(request, flow, participant, ids.next());
      const value = { status: 'ONGOING', id: row.id } satisfies JobState as unknown as Json;
      const write = { participant, key: entry, value, from: known?.revision ?? 0, job_id: row.id };
      if (!(await store.activeflows.create(row, [write]))) continue;
      this.#keeper.started(row);
      return { id: row.id };
    }
    throw unavailable('TOO_MANY_RACES', `workflow ${flow.id} is started by too many at once for conversation ${conversation_id}`);
  }

  /** Who waits for a job that has ended goes on now. Never rejects: their rows are due, and whoever finds them does it. */
  async #wake(participant: Participant, key: string): Promise<void> {
    try {
      const waiting = await this.#context.store.participants.waiting(participant, key);
      await Promise.all(waiting.map((id) => this.#control.hearJobs(id)));
    } catch (error) {
      this.#context.log.warn({ key, error: String(error) }, 'who waits for a job goes on when it is found due');
    }
  }

  #make(request: ExecutionRequest, flow: Flow, participant: Participant, id: string): Activeflow {
    try {
      return this.#keeper.starter.make(this.#given(request, flow, participant, id));
    } catch (thrown) {
      const error = toFlowError(thrown);
      // As the request has it: a variable `input.name` is the field `name`.
      const details = error.details.map((detail) => ({ ...detail, field: detail.field.replace(/^\/input\./, '/') }));
      throw new FlowError(error.status, error.reason, error.message, details);
    }
  }

  #given(request: ExecutionRequest, flow: Flow, { reference_type, reference_id }: Participant, id: string) {
    const { lease_ms, deadline_ms } = this.#context.options;
    return {
      id,
      customer_id: request.caller.customer_id,
      flow,
      reference_type: 'api',
      reference_id,
      webhook_uri: '',
      webhook_method: '',
      variables: {},
      inputs: inputVariables(request.inputs),
      participant: { reference_type, reference_id },
      job: { name: flow.id, depth: 1 },
      create_key: request.key,
      runs_ms: lease_ms,
      deadline_ms,
    } as const;
  }

  /** Any flow of the customer's; one that is a workflow, on its own terms. */
  async #flow({ workflow, caller, inputs, conversation_id, key }: ExecutionRequest): Promise<Flow> {
    const { store, schemas } = this.#context;
    const callable = await findCallable(store.workflows, caller.customer_id, workflow);
    if (callable) checkAllowed(callable, caller);
    const id = callable?.flow_id ?? workflow.toLowerCase();
    const flow = isUuid(id) ? await store.flows.get(id) : undefined;
    const own = flow?.tm_delete === null && flow.customer_id === caller.customer_id;
    if (!flow || !own || callable?.enabled === false) throw notFound('workflow', workflow);
    const schema = callable?.input_schema;
    const what = { customer_id: caller.customer_id, flow_id: flow.id, reference_id: conversation_id, key };
    if (schema) await this.#refusals.around(what, () => schemas.check(schema, inputs, ''));
    return flow;
  }

  /** A conversation by voice is a call here: whoever runs with that id is meant, else a conversation. */
  async #participant(customer_id: string, reference_id: string): Promise<Participant> {
    const filter = { customer_id, reference_id, status: 'running', deleted: false };
    const running = await this.#context.store.activeflows.list(filter, { size: 20 });
    const found = running.filter(isReadable).find((row) => row.state.job === undefined && row.reference_type !== '');
    return { customer_id, reference_type: found?.reference_type ?? 'conversation', reference_id };
  }
}
