import { randomUUID } from 'node:crypto';
import { openMysqlStore } from '../../../pkg/store/index.ts';
import { laneOf, subscriptionTo } from '../../../test/support/subscriptions.ts';
import type { Bench } from '../bench.ts';
import type { PostCommands, ReceiverCommands } from '../protocol.ts';
import type { Figure } from '../report.ts';
import { spread } from '../statistics.ts';
import { Worker } from '../worker.ts';

const REQUESTS = { short: 2_000, full: 20_000 };
const SUBSCRIPTIONS = 20;
const LANES = 200;
/** Those that a daemon has to one host. */
const CONNECTIONS = 50;

/** Deliveries to an endpoint on this machine, next to bare posts of the same size to it, in turns. */
export async function webhooksCase(bench: Bench): Promise<Figure[]> {
  const requests = REQUESTS[bench.options.form];
  const [receiver, poster] = [new Worker<ReceiverCommands>('receiver.ts'), new Worker<PostCommands>('posts.ts')];
  const { url } = await receiver.ask('serve', {});
  await bench.startDaemon('daemon', { flags: { http_allow_private: '127.0.0.1' } });
  const store = openMysqlStore({ dsn: bench.servers.dsn });
  const subscriptions = Array.from({ length: SUBSCRIPTIONS }, () => subscriptionTo(url));
  for (const one of subscriptions) await store.subscriptions.create(one);
  const body = JSON.stringify({ lane: randomUUID(), at: 1, sequence: 1 });
  const [bare, ours, ratio]: [number[], number[], number[]] = [[], [], []];
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
    const rate = requests / (await delivered).seconds;
    if (round === 0) continue;
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
  ];
}
