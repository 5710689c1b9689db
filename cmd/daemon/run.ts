import type { Settings } from '../../pkg/config/settings.ts';
import { parseListenAddress } from '../../pkg/http/listen.ts';
import { serveOps } from '../../pkg/http/ops.ts';
import { type Lifecycle, retryUntilUp, SpareMemory } from '../../pkg/lifecycle/index.ts';
import { Metrics } from '../../pkg/metric/index.ts';
import { Admission } from '../../pkg/rpc/admission.ts';
import { busySince } from '../../pkg/rpc/busy.ts';
import { Dispatcher } from '../../pkg/rpc/dispatcher.ts';
import { EVENT_SOURCES, EventDispatcher } from '../../pkg/rpc/events.ts';
import { Router } from '../../pkg/rpc/router.ts';
import { routes } from '../../pkg/rpc/routes.ts';
import type { Log, Store } from '../../pkg/service/ports.ts';
import { Retention } from '../../pkg/service/retention.ts';
import { DelayKeeper, sendDelayed } from '../../pkg/timer/delayed.ts';
import { wakeDue } from '../../pkg/timer/due.ts';
import { Loop } from '../../pkg/timer/loop.ts';
import { type Adapters, embeddedAdapters, serverAdapters } from './adapters.ts';
import { addSources } from './sources.ts';
import { type Wired, wire } from './wire.ts';

const DUE_EVERY_MS = 250;
const DELIVERIES_EVERY_MS = 500;
const SWEEP_EVERY_MS = 2_000;
const ENDINGS_EVERY_MS = 500;
const CLOCK_EVERY_MS = 10_000;
const RETENTION_EVERY_MS = 60_000;
const ERASURE_EVERY_MS = 1_000;
const MEMORY_EVERY_MS = 5_000;
const SEND_LEASE_MS = 15_000;

/** Everything that a step of the start needs. */
interface Stage extends Wired, Adapters {
  readonly settings: Settings;
  readonly log: Log;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
}

/**
 * Opens everything in order, each with how it is closed. Resolves with the line that says ready, once requests are
 * taken. `adapters`: for who wants to sit on the same bus, within this process.
 */
export async function run(
  settings: Settings,
  log: Log,
  lifecycle: Lifecycle,
  adapters: Adapters = adaptersOf(settings, log),
): Promise<string> {
  const metrics = new Metrics();
  const { embedded } = settings;
  const stage: Stage = { ...adapters, ...wire(settings, adapters, metrics, log), settings, log, lifecycle, metrics };
  const ops = await serveMetrics(stage);
  await connect(stage);
  await startLoops(stage);
  if (settings.sandbox) await playSiblings(stage);
  const dispatcher = dispatcherOf(stage);
  addSources(metrics, { ...stage, queues: queuesOf(stage) }, () => dispatcher.underWay);
  const http = await serve(stage, dispatcher);
  const where = embedded === undefined ? `requests from ${settings.rabbit.requests}` : `embedded in ${embedded}`;
  return `flow-manager ready: ${where}${http}, metrics at ${ops}`;
}

async function playSiblings({ bus }: Stage): Promise<void> {
  const { SIBLINGS } = await import('../control/sandbox.ts');
  const { serveSiblings } = await import('../control/sandbox-serve.ts');
  await serveSiblings(bus, SIBLINGS, () => undefined);
}

/** The queues whose messages may be set aside, by what they are for. */
function queuesOf({ settings, bus }: Stage): Readonly<Record<string, string>> {
  return { requests: settings.rabbit.requests, events: settings.rabbit.subscribe, delayed: bus.storedQueue };
}

function adaptersOf(settings: Settings, log: Log): Adapters {
  const { embedded } = settings;
  return embedded === undefined ? serverAdapters(settings, log) : embeddedAdapters(settings, embedded, log);
}

function dispatcherOf({ settings, service, store, metrics, log }: Stage): Dispatcher {
  const dispatcher = new Dispatcher({
    ...settings,
    router: new Router(routes(service)),
    admission: new Admission({ ...settings, capacity: settings.rabbit.prefetch }),
    customerOf: service.customerOf,
    redeliveries: store.redeliveries,
    meter: metrics,
    log,
  });
  service.onWait = dispatcher.waits;
  return dispatcher;
}

async function serveMetrics({ settings, store, bus, metrics, lifecycle }: Stage): Promise<string> {
  const ops = await serveOps(parseListenAddress(settings.prom.address, '--prom_listen_addr'), {
    endpoint: settings.prom.endpoint,
    metrics,
    // Redis is not among them: nothing is refused while it is away.
    checks: { database: () => store.check(), rabbitmq: () => bus.check() },
    onCheck: (server, up) => metrics.set('server_up', { server }, up ? 1 : 0),
    stopping: lifecycle.stopping,
  });
  lifecycle.onStop('metrics', () => ops.close());
  return `${ops.address.host}:${ops.address.port}${settings.prom.endpoint}`;
}

/** Servers may come up in any order, long after this: each is waited for, and the log says for which. */
async function connect({
  settings,
  store,
  bus,
  cache,
  openBus,
  clock,
  http,
  webhookHttp,
  mover,
  service,
  metrics,
  log,
  lifecycle,
}: Stage): Promise<void> {
  lifecycle.onStop('database', () => store.close());
  lifecycle.onStop('redis', () => cache.close());
  lifecycle.onStop('http clients', () => Promise.all([http.close(), webhookHttp.close()]));
  lifecycle.onStop('rabbitmq', () => bus.close());
  const migrated = async (): Promise<void> => {
    if (settings.migrate) await store.migrate();
    await store.check();
    clock.align(await store.clockOffset());
  };
  await Promise.all([retryUntilUp('database', migrated, log, lifecycle.stopping), openBus()]);
  await bus.declareExchange(settings.rabbit.events);
  await warnOfWeakSettings(store, metrics, log);
  // One that is embedded has its database on its own disk.
  if (settings.embedded === undefined && settings.webhooks.secret_keys.length === 0) {
    log.warn(
      { flag: 'subscription_secret_key' },
      'secrets of subscriptions are stored as they are: no key to seal them is given',
    );
  }
  lifecycle.onStop('events', () => mover.drain(settings.drain_ms / 2));
  lifecycle.onStop('walks', () => service.idle());
}

/** What is answered is only as safe as the server's commit. Not knowing is no reason not to start. */
async function warnOfWeakSettings(store: Store, metrics: Metrics, log: Log): Promise<void> {
  try {
    for (const weak of await store.weakSettings()) {
      metrics.set('commit_not_flushed', { setting: weak.setting }, 1);
      log.warn(
        weak,
        'the database answers a commit before it is on the disk: what was answered may be lost when its machine fails',
      );
    }
  } catch (error) {
    log.warn({ error: String(error) }, 'it is not known whether the database flushes at commit');
  }
}

async function startLoops({ settings, store, bus, clock, mover, service, deliveries, log, lifecycle }: Stage): Promise<void> {
  const retention = new Retention(service.context, settings.retention);
  const memory = new SpareMemory(busySince());
  const delivering = new Loop('deliveries', DELIVERIES_EVERY_MS, () => deliveries.turn(), log);
  const soon = (): void => delivering.soon();
  service.fanOut.onAdded = soon;
  service.subscriptions.onDue = soon;
  deliveries.onRoom = soon;
  lifecycle.onStop('deliveries', () => deliveries.close());
  const loops = [
    delivering,
    new Loop('timers', DUE_EVERY_MS, () => wakeDue(service, log), log),
    new Loop('delayed messages', DUE_EVERY_MS, () => sendDelayed(store.delays, bus, SEND_LEASE_MS), log),
    new Loop('sweep', SWEEP_EVERY_MS, () => mover.sweep().then(() => false), log),
    new Loop('leases', settings.service.lease_ms / 3, () => service.renewLeases().then(() => false), log),
    new Loop('retention', RETENTION_EVERY_MS, () => retention.turn(), log),
    new Loop('erasure', ERASURE_EVERY_MS, () => service.customers.eraseNext(), log),
    new Loop('endings', ENDINGS_EVERY_MS, () => service.noticeEndings().then(() => false), log),
    new Loop('memory', MEMORY_EVERY_MS, () => memory.look().then(() => false), log),
    new Loop('clock', CLOCK_EVERY_MS, async () => clock.align(await store.clockOffset()) ?? false, log),
  ];
  for (const loop of loops) loop.start();
  lifecycle.onStop('loops', () => Promise.all(loops.map((loop) => loop.close())));
  if (!(await bus.delayIsStored())) return;
  const keeper = new DelayKeeper(store.delays, service.context.ids, log);
  const keeping = await bus.serve(bus.storedQueue, keeper.handle, { prefetch: 50 });
  lifecycle.onStop('delayed messages', () => keeping.close());
}

/** Takes requests and events, last of all, so that nothing is taken that cannot be worked on. */
async function serve({ settings, bus, service, metrics, log, lifecycle }: Stage, dispatcher: Dispatcher): Promise<string> {
  const { rabbit } = settings;
  const events = new EventDispatcher(service, settings.max_redeliveries, metrics, log);
  const listening = await bus.serve(rabbit.subscribe, events.handle, { prefetch: 20, bind: EVENT_SOURCES });
  lifecycle.onStop('events of siblings', () => listening.close());
  const serving = await bus.serve(rabbit.requests, dispatcher.handle, { prefetch: rabbit.prefetch });
  lifecycle.onStop('requests', () => serving.close());
  if (settings.http === undefined) return '';
  // Only a daemon that has this door pays for it: it takes a quarter of a second and 15 MB.
  const { serveGateway } = await import('../../pkg/http/gateway.ts');
  const { gatewayRoutes } = await import('../../pkg/http/routes/index.ts');
  const none = { message_id: '', reply_to: '', correlation_id: '' };
  const { address, ...options } = settings.http;
  await service.push.start();
  lifecycle.onStop('push channel', () => service.push.close());
  const gateway = await serveGateway(parseListenAddress(address, '--http_listen_addr'), {
    ...options,
    routes: gatewayRoutes(service),
    // Envelopes carry no proof of who sends them: only a daemon of one's own takes them over HTTP.
    ...(settings.embedded === undefined ? {} : { rpc: (envelope: string) => dispatcher.respond(envelope, none) }),
    message_bytes: settings.message_bytes,
    capacity: rabbit.prefetch,
    meter: metrics,
    log,
  });
  lifecycle.onStop('gateway', () => gateway.close());
  return `, http at ${gateway.address.host}:${gateway.address.port}`;
}
