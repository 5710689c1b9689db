import { type DelayingBus, deadLetterQueue } from '../../pkg/bus/index.ts';
import type { Metrics } from '../../pkg/metric/index.ts';
import type { Cache, Store } from '../../pkg/service/ports.ts';
import type { Service } from '../../pkg/service/service.ts';

interface Watched {
  readonly store: Store;
  readonly cache: Cache;
  readonly service: Service;
  readonly bus: DelayingBus;
  /** Name on the bus by the name in the metrics. */
  readonly queues: Readonly<Record<string, string>>;
}

/** Figures that are looked up when somebody asks for the metrics, rather than counted. */
export function addSources(metrics: Metrics, { store, cache, service, bus, queues }: Watched, requests: () => number): void {
  metrics.addSource('database', async () => {
    const [backlog, events, running, erasures, webhooks] = await Promise.all([
      store.activeflows.backlog(),
      store.events.backlog(),
      store.activeflows.countRunning(),
      store.erasures.pending(),
      store.deliveries.backlog(),
    ]);
    metrics.set('webhook_backlog', {}, webhooks.lanes);
    metrics.set('webhook_backlog_age_ms', {}, webhooks.age_ms);
    metrics.set('activeflow_running', {}, running);
    metrics.set('erasures_pending', {}, erasures);
    metrics.set('event_backlog', { of: 'activeflow' }, backlog.unsettled);
    metrics.set('event_backlog_age_ms', { of: 'activeflow' }, backlog.unsettled_age_ms);
    metrics.set('event_backlog', { of: 'flow' }, events.pending);
    metrics.set('event_backlog_age_ms', { of: 'flow' }, events.age_ms);
    metrics.set('due_backlog', {}, backlog.due);
    metrics.set('due_backlog_age_ms', {}, backlog.due_age_ms);
  });
  metrics.addSource('rabbitmq', async () => {
    for (const [queue, name] of Object.entries(queues)) {
      metrics.set('dead_letters', { queue }, await bus.waiting(deadLetterQueue(name)));
    }
  });
  metrics.addSource('redis', async () => {
    const up = await cache.check().then(
      () => 1,
      () => 0,
    );
    metrics.set('server_up', { server: 'redis' }, up);
  });
  metrics.addSource('process', async () => {
    metrics.set('work_under_way', { kind: 'request' }, requests());
    metrics.set('work_under_way', { kind: 'run' }, service.walks);
    metrics.set('push_connections', {}, service.push.connections);
  });
}
