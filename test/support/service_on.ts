import { v7 } from 'uuid';
import { MemoryCache } from '../../pkg/cache/index.ts';
import { DEFAULT_LIMITS } from '../../pkg/engine/world.ts';
import { CompiledSchemas } from '../../pkg/schema/input-schemas.ts';
import { AlignedClock } from '../../pkg/service/clock.ts';
import type { Context } from '../../pkg/service/context.ts';
import { Lists } from '../../pkg/service/lists.ts';
import type { Clock, Log, Meter, Siblings, Store } from '../../pkg/service/ports.ts';
import { Service } from '../../pkg/service/service.ts';
import { QuietLog } from './quiet_log.ts';
import { RecordingMeter } from './recorders.ts';

const nobody = () => Promise.reject(new Error('nobody is asked here'));

interface Parts {
  readonly request?: Siblings['request'];
  readonly clock?: Clock;
  readonly log?: Log;
  readonly meter?: Meter;
}

/** The use cases on a store, as a process of their own; siblings answer as the test says, else nobody is asked. */
export function serviceOn(
  store: Store,
  { request = nobody, clock = new AlignedClock(), log = new QuietLog(), meter = new RecordingMeter() }: Parts = {},
): { service: Service; lists: Lists } {
  const lists = new Lists(store.lists, new MemoryCache({ log: new QuietLog() }), 1e6);
  const context: Context = {
    store,
    siblings: { request, send: nobody },
    http: { request: nobody, close: async () => undefined },
    cache: new MemoryCache({ log: new QuietLog() }),
    schemas: new CompiledSchemas(),
    clock,
    ids: { next: () => v7() },
    limits: DEFAULT_LIMITS,
    meter,
    log,
    options: {
      lease_ms: 30_000,
      deadline_ms: 0,
      reap_after_ms: 0,
      temporary_flow_ms: 1_000,
      flows_per_customer: 10,
      cached_activeflows: 10,
      cached_list_bytes: 1e6,
      response_types: [],
      workflow_depth: 5,
      push_name_prefix: 'kustomer',
    },
  };
  const outbox = { committed: () => undefined, moved: () => ({ event_seq: 0, trace_seq: 0 }), flowEvents: () => undefined };
  return { service: new Service(context, lists, outbox), lists };
}
