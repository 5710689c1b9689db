import type { CallerCommands, PoolForm, Run, Walk, Workload } from '../protocol.ts';
import { Pool } from './pool.ts';
import { RpcClient } from './rpc.ts';
import { serve } from './serve.ts';

/** The callers: many at a time in one process and on one connection, as a sibling service is. */
const client = new RpcClient();
const pools = new Map<string, Pool>();

/** One caller: `step` sends one request and is timed; `ready` is not, and comes before each. */
interface Caller {
  readonly ready?: () => Promise<void> | undefined;
  readonly step: () => Promise<unknown>;
  readonly done?: () => void;
}

const ECHO_REQUEST = JSON.stringify({
  uri: '/v1/activeflows/019aa5c1-7e1b-7a4e-8f2b-2f6f0b1c9d3e/next',
  method: 'GET',
  data_type: 'application/json',
  data: { current_action_id: '019aa5c1-7e1b-7a4e-8f2b-000000000001' },
  publisher: 'call-manager',
});

function callerOf(workload: Workload): Caller {
  if (workload.kind === 'echo') return { step: () => client.request(workload.queue, ECHO_REQUEST) };
  const pool = poolOf(workload.pool);
  if (workload.kind === 'create') return { step: () => pool.create() };
  return workload.kind === 'walk' ? walker(pool) : spreader(pool);
}

function walker(pool: Pool): Caller {
  let walk: Walk | undefined;
  const create = async (): Promise<void> => {
    walk = await pool.create();
  };
  return {
    ready: () => {
      walk ??= pool.take();
      return walk ? undefined : create();
    },
    step: async () => {
      const walking = walk;
      walk = undefined;
      if (walking && (await pool.next(walking))) walk = walking;
    },
    done: () => walk && pool.give(walk),
  };
}

function spreader(pool: Pool): Caller {
  return {
    step: async () => {
      const walk = pool.take() ?? (await pool.create());
      if (await pool.next(walk)) pool.give(walk);
    },
  };
}

async function run({ workload, callers, seconds }: CallerCommands['run']['in']): Promise<Run> {
  const latencies: number[] = [];
  let errors = 0;
  let error = '';
  const pool = workload.kind === 'walk' || workload.kind === 'spread' ? poolOf(workload.pool) : undefined;
  const known = pool?.created ?? 0;
  const began = performance.now();
  const until = began + seconds * 1_000;
  const call = async (caller: Caller): Promise<void> => {
    while (performance.now() < until) {
      try {
        await caller.ready?.();
        const since = performance.now();
        await caller.step();
        latencies.push(performance.now() - since);
      } catch (thrown) {
        errors += 1;
        error ||= String(thrown);
      }
    }
    caller.done?.();
  };
  await Promise.all(Array.from({ length: callers }, () => call(callerOf(workload))));
  const elapsed = (performance.now() - began) / 1_000;
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    calls: sorted.length,
    seconds: elapsed,
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    errors,
    created: (pool?.created ?? 0) - known,
    error,
  };
}

function poolOf(name: string): Pool {
  const pool = pools.get(name);
  if (!pool) throw new Error(`no pool ${name}`);
  return pool;
}

function makePool(form: PoolForm): Promise<{ customer_id: string; flow_id: string }[]> {
  const pool = new Pool(client, form);
  pools.set(form.name, pool);
  return pool.makeFlows();
}

serve<CallerCommands>({
  connect: async ({ url }) => {
    await client.connect(url);
    return null;
  },
  pool: makePool,
  fill: async ({ pool, steps }) => {
    await poolOf(pool).fill(steps);
    return null;
  },
  stagger: async ({ pool, most }) => {
    await poolOf(pool).stagger(most);
    return null;
  },
  empty: async ({ pool }) => poolOf(pool).empty(),
  adopt: async ({ pool, walks }) => {
    for (const walk of walks) poolOf(pool).give(walk);
    return null;
  },
  run,
  first: async ({ queue }) => {
    await client.call(queue, 'GET', '/v1/flows/count_by_customer', { customer_id: '019aa5c1-7e1b-7a4e-8f2b-2f6f0b1c9d3e' });
    return { at: performance.timeOrigin + performance.now() };
  },
});
