import { v7 } from 'uuid';
import type { Settings } from '../../pkg/config/settings.ts';
import { CustomerLimits } from '../../pkg/http/customer-limits.ts';
import type { Metrics } from '../../pkg/metric/index.ts';
import { Mover } from '../../pkg/outbox/mover.ts';
import { renderEvents, renderFlowEvents } from '../../pkg/outbox/render.ts';
import { CompiledSchemas } from '../../pkg/schema/input-schemas.ts';
import { AlignedClock } from '../../pkg/service/clock.ts';
import type { Context } from '../../pkg/service/context.ts';
import { Lists } from '../../pkg/service/lists.ts';
import type { Bus, Cache, Log, Store } from '../../pkg/service/ports.ts';
import { Service } from '../../pkg/service/service.ts';
import { Deliveries } from '../../pkg/service/subscription/deliveries.ts';
import { FanOut } from '../../pkg/service/subscription/fan-out.ts';
import { Health } from '../../pkg/service/subscription/health.ts';
import { BusSiblings } from '../../pkg/sibling/index.ts';
import { LazyHttpClient } from './lazy-http-client.ts';

/** What is in memory of rows whose events wait; beyond it the database keeps them and the sweep brings them back. */
const MOVER = { waiting: 20_000, trace_steps: 6, sweep_age_ms: 15_000 } as const;

export interface Wired {
  readonly service: Service;
  readonly mover: Mover;
  readonly clock: AlignedClock;
  readonly http: LazyHttpClient;
  readonly deliveries: Deliveries;
  /** For notifications: their connections are bounded by host, not by customer. */
  readonly webhookHttp: LazyHttpClient;
}

/** Joins the use cases with what they need of the world. */
export function wire(
  settings: Settings,
  adapters: { readonly store: Store; readonly bus: Bus; readonly cache: Cache },
  meter: Metrics,
  log: Log,
): Wired {
  const { store, bus, cache } = adapters;
  const clock = new AlignedClock();
  const http = new LazyHttpClient(async () => {
    const { SafeHttpClient } = await import('../../pkg/http/safe-client.ts');
    const limits = new CustomerLimits(settings.customer_requests);
    return new SafeHttpClient({ allowPrivate: settings.allow_private, limits, meter });
  });
  const { webhooks, allow_private: allowPrivate } = settings;
  const webhookHttp = new LazyHttpClient(async () => {
    const { SafeHttpClient } = await import('../../pkg/http/safe-client.ts');
    return new SafeHttpClient({ allowPrivate, connections: webhooks.host_connections, meter });
  });
  const lists = new Lists(store.lists, cache, settings.service.cached_list_bytes);
  const context: Context = {
    store,
    siblings: new BusSiblings({ bus, meter, log }),
    http,
    cache,
    schemas: new CompiledSchemas(),
    clock,
    ids: { next: () => v7() },
    limits: settings.limits,
    meter,
    log,
    options: settings.service,
    callbacks: settings.callbacks,
  };
  const { events: exchange } = settings.rabbit;
  const fanOut = new FanOut({ ...context, lists, options: webhooks });
  const mover = new Mover({
    bus,
    activeflows: store.activeflows,
    events: store.events,
    histories: store.histories,
    meter,
    log,
    render: renderEvents({ exchange, event_full: settings.event_full }, lists, store.activeflows),
    renderFlowEvent: renderFlowEvents(exchange),
    notifier: fanOut,
    options: MOVER,
  });
  const service = new Service(context, lists, mover, { ...webhooks, fanOut });
  const delivering = { ...context, http: webhookHttp };
  const deliveries = new Deliveries(delivering, new Health(context, webhooks.disable_after_ms), webhooks);
  return { service, mover, clock, http, deliveries, webhookHttp };
}
