import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { openMysqlStore } from '../../../pkg/store/index.ts';
import { laneOf, subscriptionTo } from '../../../test/support/subscriptions.ts';
import type { Bench } from '../bench.ts';
import { microseconds } from '../measure.ts';
import type { PostCommands, ReceiverCommands } from '../protocol.ts';
import { type Figure, spread } from '../statistics.ts';
import { cpuSeconds } from '../usage.ts';
import { Worker } from '../worker.ts';

const REQUESTS = { short: 2_000, full: 20_000 };
const SUBSCRIPTIONS = 20;
const LANES = 200;
/** Those that a daemon has to one host. */
const CONNECTIONS = 50;

/** Deliveries to an endpoint on this machine, next to bare posts of the same size to it, in turns. */
export async function webhooksCase(bench: Bench, node: readonly string[] = []): Promise<Figure[]> {
  const requests = REQUESTS[bench.options.form];
  const [receiver, poster] = [new Worker<ReceiverCommands>('receiver.ts'), new Worker<PostCommands>('posts.ts')];
  const { url } = await receiver.ask('serve', {});
  const daemon = await bench.startDaemon('daemon', { flags: { http_allow_private: '127.0.0.1' }, node });
  const store = openMysqlStore({ dsn: bench.servers.dsn });
  const subscriptions = Array.from({ length: SUBSCRIPTIONS }, () => subscriptionTo(url));
  for (const one of subscriptions) await store.subscriptions.create(one);
  const body = JSON.stringify({ lane: randomUUID(), at: 1, sequence: 1 });
  const [bare, ours, ratio]: [number[], number[], number[]] = [[], [], []];
  const spent: Record<string, number[]> = { 'CPU of the daemon': [], 'CPU of MariaDB': [], statements: [] };
  const used = async (): Promise<number[]> => {
    const { statements } = await bench.database.counts();
    return [cpuSeconds(daemon.pid) * 1e6, cpuSeconds(bench.servers.pids.mariadb) * 1e6, statements];
  };
  // The first round warms both up.
  for (let round = 0; round <= bench.options.rounds; round += 1) {
    const posted = receiver.ask('expect', { requests });
    await poster.ask('post', { url, requests, connections: CONNECTIONS, body });
    const delivered = posted.then(() => receiver.ask('expect', { requests }));
    const alone = requests / (await posted).seconds;
    const lanes = Array.from({ length: LANES }, (_, at) => {
      const subscription = subscriptions[at % SUBSCRIPTIONS] ?? subscriptionTo(url);
      return laneOf(subscription, requests / LANES, 15_000);
    });
    await store.deliveries.add(lanes, requests);
    const [before, began] = [await used(), microseconds()];
    const rate = requests / (await delivered).seconds;
    bench.windows.push({ name: 'webhooks', from: began, to: microseconds() });
    const after = await used();
    // All are stored by then: what was sent twice is no delivery more.
    while ((await store.deliveries.backlog()).lanes > 0) await pause(20);
    const sent = (await receiver.ask('count', {})).requests;
    if (sent !== requests) throw new Error(`${requests} deliveries were sent ${sent} times`);
    if (round === 0) continue;
    for (const [at, values] of Object.values(spent).entries()) values.push(((after[at] ?? 0) - (before[at] ?? 0)) / requests);
    bare.push(alone);
    ours.push(rate);
    ratio.push(rate / alone);
  }
  await store.close();
  await bench.stopDaemon('daemon');
  await Promise.all([receiver.close(), poster.close()]);
  return [
    { figure: 'bare posts', unit: '/s', ...spread(bare) },
    { figure: 'deliveries', unit: '/s', ...spread(ours) },
    { figure: 'deliveries ÷ bare posts', unit: '', ...spread(ratio) },
    ...Object.entries(spent).map(([name, values]) => ({
      figure: `${name} a delivery`,
      unit: name === 'statements' ? '' : 'µs',
      ...spread(values),
    })),
  ];
}
