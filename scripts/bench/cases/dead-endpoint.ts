import type { Subscription } from '../../../pkg/model/subscription.ts';
import type { Store } from '../../../pkg/service/ports.ts';
import { openMysqlStore } from '../../../pkg/store/index.ts';
import { laneOf, subscriptionTo } from '../../../test/support/subscriptions.ts';
import { type Bench, REQUESTS } from '../bench.ts';
import { BRIEF, callFlow } from '../flows.ts';
import type { Arrived, EndpointCommands } from '../protocol.ts';
import { type Figure, spread } from '../statistics.ts';
import { Worker } from '../worker.ts';

const SUBSCRIPTIONS = { short: 200, full: 1_000 };
/** Callers that make activeflows, each of them one notification: far from all that a daemon can deliver. */
const CALLERS = 4;
const POOL = 'listening';
/** What waits for the dead one, each in a lane of its own. */
const BACKLOG = 2_000;

interface Stage {
  readonly bench: Bench;
  readonly store: Store;
  readonly endpoints: Worker<EndpointCommands>;
  /** Where the dead one is to be asked. */
  readonly dead: string;
}

/**
 * What one endpoint that takes everything and never answers costs all others, which are on the same host: how soon a
 * notification arrives after the commit that caused it, and how many do, in turns with and without the dead one.
 */
export async function deadEndpointCase(bench: Bench): Promise<Figure[]> {
  const endpoints = new Worker<EndpointCommands>('endpoints.ts');
  const { live, dead } = await endpoints.ask('serve', {});
  await bench.startDaemon('daemon', { flags: { http_allow_private: '127.0.0.1' } });
  const store = openMysqlStore({ dsn: bench.servers.dsn });
  const stage = { bench, store, endpoints, dead };
  const customers = SUBSCRIPTIONS[bench.options.form] - 1;
  const owners = await bench.callers.ask('pool', { ...callFlow(POOL, REQUESTS, BRIEF), customers });
  for (const { customer_id } of owners) await store.subscriptions.create({ ...subscription(live), customer_id });
  const [without, beside]: [Arrived[], Arrived[]] = [[], []];
  // The first round warms up.
  for (let round = 0; round <= bench.options.rounds; round += 1) {
    const alone = await measured(stage);
    const clear = await addDead(stage);
    const slowed = await measured(stage);
    await clear();
    if (round === 0) continue;
    without.push(alone);
    beside.push(slowed);
  }
  await store.close();
  await bench.stopDaemon('daemon');
  await endpoints.close();
  return figuresOf(without, beside);
}

function subscription(url: string): Subscription {
  return subscriptionTo(url, { notification_types: ['TRANSACTION_EVENT'], timeout_ms: 10_000 });
}

async function measured({ bench, endpoints }: Stage): Promise<Arrived> {
  await endpoints.ask('begin', {});
  const workload = { kind: 'create', pool: POOL } as const;
  const { calls, error } = await bench.callers.ask('run', { workload, callers: CALLERS, seconds: bench.options.seconds });
  if (error !== '') throw new Error(error);
  return endpoints.ask('arrived', { requests: calls });
}

/** A dead one with a backlog, in the middle of waiting for its answers; what it gives back takes it away. */
async function addDead({ store, endpoints, dead }: Stage): Promise<() => Promise<void>> {
  const made = subscription(dead);
  await store.subscriptions.create(made);
  const lanes = Array.from({ length: BACKLOG }, () => laneOf(made, 1, 15_000));
  await store.deliveries.add(lanes, BACKLOG);
  await endpoints.ask('held', {});
  return async () => {
    await store.subscriptions.remove(made.id);
    await endpoints.ask('hangUp', {});
  };
}

function figuresOf(without: readonly Arrived[], beside: readonly Arrived[]): Figure[] {
  const of = (name: 'p50' | 'p99' | 'per_second', what: string, unit: string): Figure[] => {
    const ratios = beside.map((one, at) => one[name] / Math.max(without[at]?.[name] ?? 0, Number.EPSILON));
    return [
      { figure: `${what}, all alive`, unit, ...spread(without.map((one) => one[name])) },
      { figure: `${what}, one dead`, unit, ...spread(beside.map((one) => one[name])) },
      { figure: `${what}, one dead ÷ all alive`, unit: '', ...spread(ratios) },
    ];
  };
  const held = spread(beside.map((one) => one.held));
  return [
    ...of('p50', 'commit to arrival p50', 'ms'),
    ...of('p99', 'commit to arrival p99', 'ms'),
    ...of('per_second', 'notifications', '/s'),
    { figure: 'requests that the dead one holds', unit: '', ...held },
  ];
}
