/**
 * The services as they are, on a database in memory, with histories kept: time and ids count up, and one function
 * answers as every sibling. Two processes share the database, so that they lose races and take walks over.
 */
import type { Effect, EffectAnswer } from '../../pkg/action/definition.ts';
import { MemoryCache } from '../../pkg/cache/index.ts';
import { fromErrorData } from '../../pkg/engine/error-data.ts';
import { DEFAULT_LIMITS, type Limits } from '../../pkg/engine/world.ts';
import type { Action } from '../../pkg/model/action.ts';
import type { Activeflow, ReferenceType } from '../../pkg/model/activeflow.ts';
import type { Flow } from '../../pkg/model/flow.ts';
import type { HistoryKeep } from '../../pkg/model/history.ts';
import { NIL } from '../../pkg/model/id.ts';
import type { Json } from '../../pkg/model/json.ts';
import { CompiledSchemas } from '../../pkg/schema/input-schemas.ts';
import type { Context } from '../../pkg/service/context.ts';
import { type HistoryFile, parseHistory } from '../../pkg/service/history/file.ts';
import { Lists } from '../../pkg/service/lists.ts';
import type { Store } from '../../pkg/service/ports.ts';
import { Service } from '../../pkg/service/service.ts';
import { openSqliteStore } from '../../pkg/store/index.ts';
import { id } from './engine_flow.ts';
import { QuietLog } from './quiet_log.ts';
import { RecordingMeter } from './recorders.ts';
import { sampleFlow } from './samples.ts';

export const LEASE_MS = 30_000;
const CUSTOMER = id('owner');

/** Answers as every sibling, and may do something else meanwhile. */
export type AnswerEffect = (effect: Effect) => EffectAnswer | Promise<EffectAnswer>;

export interface BenchOptions {
  readonly keep: HistoryKeep;
  readonly answer: AnswerEffect;
  readonly limits?: Partial<Limits>;
  /** Records leave the row at each commit. */
  readonly moving?: boolean;
}

/** Strictly rising, as the daemon's. */
class CountingClock {
  #now = Date.parse('2026-01-02T03:04:05Z');

  readonly now = (): number => {
    this.#now += 0.25;
    return this.#now;
  };

  advance(ms: number): void {
    this.#now += ms;
  }
}

export class HistoryBench {
  readonly clock = new CountingClock();
  readonly store: Store = openSqliteStore({ file: ':memory:' });
  readonly services: readonly [Service, Service];
  readonly #lists: Lists;
  #ids = 0;

  private constructor(options: BenchOptions) {
    this.#lists = new Lists(this.store.lists, new MemoryCache({ log: new QuietLog() }), 1e6);
    this.services = [this.#process(options), this.#process(options)];
  }

  static async open(options: BenchOptions): Promise<HistoryBench> {
    const bench = new HistoryBench(options);
    await bench.store.migrate();
    return bench;
  }

  /** A flow of the one customer, known by its label. */
  async addFlow(label: string, actions: readonly Action[], more: Partial<Flow> = {}): Promise<void> {
    const list = await this.#lists.putShared(CUSTOMER, actions);
    const flow = sampleFlow({ id: id(label), customer_id: CUSTOMER, direct_id: NIL, ...more, list });
    await this.store.flows.commit({ flow, new_version: true, events: [] });
  }

  async create(
    flow: string,
    reference_type: ReferenceType,
    more: { readonly variables?: Record<string, Json>; readonly parent?: string } = {},
  ): Promise<string> {
    const made = await this.services[0].create.create(
      {
        id: NIL,
        customer_id: CUSTOMER,
        flow_id: id(flow),
        reference_type,
        reference_id: id('call'),
        reference_activeflow_id: more.parent ?? NIL,
        webhook_uri: '',
        webhook_method: '',
        variables: more.variables ?? {},
      },
      '',
    );
    return String(made.id);
  }

  /** An activeflow whose flow is called as a workflow. */
  async call(flow: string, inputs: Json): Promise<string> {
    const [{ callables, workflows }] = this.services;
    await callables.put(id(flow), { enabled: true }, CUSTOMER);
    const caller = { customer_id: CUSTOMER, user_id: '', teams: [], internal: true };
    const made = await workflows.call({ workflow: id(flow), inputs }, caller, { key: '', strict: false });
    return String(made.id);
  }

  async row(activeflow: string): Promise<Activeflow> {
    const row = await this.store.activeflows.get(activeflow);
    if (!row) throw new Error(`no activeflow ${activeflow}`);
    return row;
  }

  /** What it has started beside itself, or after its end. */
  async startedBy(activeflow: string): Promise<string[]> {
    const rows = await this.store.activeflows.list({ reference_activeflow_id: activeflow }, { size: 10 });
    return rows.map((row) => row.id);
  }

  /** Until nobody walks it any more. */
  async settle(activeflow: string): Promise<Activeflow> {
    for (let turns = 0; ; turns += 1) {
      for (const service of this.services) await service.idle();
      const row = await this.row(activeflow);
      if (!row.state.run) return row;
      if (turns > 200) await this.services[0].control.wake(row);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** As it comes out of a file. */
  async history(activeflow: string): Promise<HistoryFile> {
    return parseHistory(JSON.parse(JSON.stringify(await this.services[1].query.history(activeflow))) as Json);
  }

  close(): Promise<void> {
    return this.store.close();
  }

  #process({ keep, answer, limits, moving = false }: BenchOptions): Service {
    const perform = async (effect: Effect): Promise<Json> => {
      const answered = await answer(effect);
      if (answered.ok) return answered.value;
      throw fromErrorData(answered.error);
    };
    const sibling = ({ to, method, uri, data }: { to: string; method: string; uri: string; data?: Json }) =>
      perform({ kind: 'request', to, method: method as 'GET', uri, ...(data === undefined ? {} : { data }) });
    const context: Context = {
      store: this.store,
      siblings: { request: sibling, send: async (request) => void (await sibling(request)) },
      http: {
        request: async (request) => ({
          ...((await perform({ kind: 'fetch', ...request })) as unknown as { status: number; body: Json }),
          headers: {},
        }),
        close: async () => undefined,
      },
      cache: new MemoryCache({ log: new QuietLog() }),
      schemas: new CompiledSchemas(),
      clock: this.clock,
      ids: { next: () => `e0000000-0000-4000-8000-${String(++this.#ids).padStart(12, '0')}` },
      limits: { ...DEFAULT_LIMITS, ...limits },
      callbacks: { secret: 'what callbacks are made with', url: 'https://flows', max_body: 1_000, inbox: 10 },
      meter: new RecordingMeter(),
      log: new QuietLog(),
      options: {
        lease_ms: LEASE_MS,
        deadline_ms: 86_400_000,
        reap_after_ms: 0,
        temporary_flow_ms: 86_400_000,
        flows_per_customer: 100,
        cached_activeflows: 10,
        cached_list_bytes: 1e6,
        response_types: [],
        workflow_depth: 5,
        push_name_prefix: 'kustomer',
        history: keep,
      },
    };
    return new Service(context, this.#lists, outboxOn(this.store, moving));
  }
}

/** Publishes nothing; moves histories at once when it is to. */
function outboxOn({ histories }: Store, moving: boolean): ConstructorParameters<typeof Service>[2] {
  const moved = new Map<string, number>();
  return {
    flowEvents: () => undefined,
    moved: (activeflow) => ({ event_seq: 0, trace_seq: 0, history_revision: moved.get(activeflow) ?? 0 }),
    committed: ({ id: activeflow, outbox: { history } }) => {
      const last = history?.records.at(-1);
      if (!moving || !last) return;
      void histories.add(activeflow, history?.records ?? []).then(() => moved.set(activeflow, last.revision));
    },
  };
}
