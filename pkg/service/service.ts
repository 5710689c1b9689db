import { ControlService } from './activeflow/control.ts';
import { CreateService } from './activeflow/create.ts';
import { Keeper, type Outbox } from './activeflow/keeper.ts';
import { NextService } from './activeflow/next.ts';
import { QueryService } from './activeflow/query.ts';
import { Walker } from './activeflow/walker.ts';
import { CallbackService } from './callback/callback.ts';
import type { Context } from './context.ts';
import { CustomerService } from './customer.ts';
import { type FlowOutbox, FlowService } from './flow/flow.ts';
import { JobService } from './job.ts';
import { lookForJob } from './job-state.ts';
import type { Lists } from './lists.ts';
import { ParticipantService } from './participant.ts';
import { PushHub } from './push/hub.ts';
import { CaseService } from './subscription/cases.ts';
import { FanOut } from './subscription/fan-out.ts';
import { Refusals } from './subscription/refusals.ts';
import { type SubscriptionOptions, SubscriptionService } from './subscription/subscription.ts';
import { CallableService } from './workflow/callable.ts';
import { Responder } from './workflow/responder.ts';
import { WorkflowService } from './workflow/workflow.ts';

export interface WebhookOptions extends SubscriptionOptions {
  /** Notifications that may wait in one lane. */
  readonly backlog: number;
  /** The one that the outbox has, too. */
  readonly fanOut: FanOut;
}

const DEFAULT_WEBHOOKS = { per_customer: 100, backlog: 10_000 } as const;

/** All use cases, joined: what the doors call. */
export class Service {
  readonly context: Context;
  readonly flows: FlowService;
  readonly create: CreateService;
  readonly next: NextService;
  readonly control: ControlService;
  readonly callbacks: CallbackService;
  readonly query: QueryService;
  readonly customers: CustomerService;
  readonly participants: ParticipantService;
  readonly jobs: JobService;
  readonly workflows: WorkflowService;
  readonly callables: CallableService;
  readonly push: PushHub;
  readonly subscriptions: SubscriptionService;
  readonly cases: CaseService;
  /** Puts notifications before those who listen. */
  readonly fanOut: FanOut;
  readonly #walker: Walker;
  readonly #keeper: Keeper;

  constructor(context: Context, lists: Lists, outbox: Outbox & FlowOutbox, webhooks: Partial<WebhookOptions> = {}) {
    const { per_customer, backlog } = { ...DEFAULT_WEBHOOKS, ...webhooks };
    this.fanOut = webhooks.fanOut ?? new FanOut({ ...context, lists, options: { backlog } });
    const refusals = new Refusals(context, this.fanOut);
    const keeper = new Keeper(context, outbox, lists, new Responder(context, outbox, refusals));
    this.context = context;
    this.#keeper = keeper;
    this.flows = new FlowService(context, lists, outbox);
    this.#walker = new Walker(context, keeper, {
      makeFlow: this.flows.createTemporary,
      makeCallback: (effect, activeflow, step) => this.callbacks.create(effect, activeflow, step),
      looks: {
        callback: (activeflow, name) => this.callbacks.look(activeflow, name),
        job: (activeflow, name) => lookForJob(context.store.participants, activeflow, name),
      },
    });
    this.subscriptions = new SubscriptionService(context, { per_customer });
    this.cases = new CaseService(context, this.fanOut);
    this.create = new CreateService(context, keeper, refusals);
    this.next = new NextService(context, keeper, this.#walker);
    this.control = new ControlService(context, keeper, this.#walker);
    this.callbacks = new CallbackService(context, this.control);
    this.query = new QueryService(context, lists);
    this.push = new PushHub(context);
    this.callables = new CallableService(context);
    this.workflows = new WorkflowService(context, keeper, this.control, refusals);
    this.customers = new CustomerService(context, lists, this.flows, this.control);
    this.participants = new ParticipantService(context);
    this.jobs = new JobService(context, keeper, this.control, refusals);
  }

  /** Puts off the leases of all walks that this process is at, so that no other takes them over. */
  async renewLeases(): Promise<void> {
    const { ids } = this.#walker;
    if (ids.length > 0) await this.context.store.activeflows.renew(ids, this.context.options.lease_ms);
  }

  /** Lets go of what waits for activeflows that other processes have ended. */
  noticeEndings(): Promise<void> {
    return this.#keeper.noticeEndings();
  }

  /** Whose an activeflow is; a promise where it must be read; empty: it cannot be told. */
  readonly customerOf = (id: string): string | Promise<string> => this.#keeper.customerOf(id);

  /** Who is told of activeflows for which a request begins to wait for others. */
  set onWait(listener: (id: string) => void) {
    this.#walker.onWait = listener;
  }

  /** Walks under way, for the metrics. */
  get walks(): number {
    return this.#walker.ids.length;
  }

  /** Resolves when no walk is under way any more. */
  idle(): Promise<void> {
    return this.#walker.idle();
  }
}
