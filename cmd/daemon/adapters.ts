import { AmqpBus, type DelayingBus, MemoryBus } from '../../pkg/bus/index.ts';
import { MemoryCache, RedisCache } from '../../pkg/cache/index.ts';
import { embeddedDatabase } from '../../pkg/config/embedded.ts';
import type { Settings } from '../../pkg/config/settings.ts';
import type { Cache, Log, Store } from '../../pkg/service/ports.ts';
import { openMysqlStore, openSqliteStore } from '../../pkg/store/index.ts';

/** What differs between a daemon on servers and an embedded one; nothing else does. */
export interface Adapters {
  readonly store: Store;
  readonly cache: Cache;
  readonly bus: DelayingBus;
  /** Resolves when the bus is usable; waits for the broker for ever. */
  readonly openBus: () => Promise<void>;
}

export function serverAdapters(settings: Settings, log: Log): Adapters {
  const { redis, rabbit } = settings;
  const bus = new AmqpBus({ url: rabbit.url, delayExchange: rabbit.delay, drain_ms: settings.drain_ms, log });
  return {
    store: openMysqlStore({
      dsn: settings.dsn,
      connections: settings.db_connections,
      secret_keys: settings.webhooks.secret_keys,
      onReadOnly: (where) =>
        log.warn({ database: where }, 'the database takes no writes any more: new connections are made, to find its successor'),
      onBatchRefused: (where, error) =>
        log.warn(
          { database: where, error },
          'the database does not take commits together: they are written one by one, which is slow',
        ),
    }),
    cache: new RedisCache({ ...redis, log }),
    bus,
    openBus: () => bus.open(),
  };
}

export function embeddedAdapters(settings: Settings, folder: string, log: Log): Adapters {
  return {
    store: openSqliteStore({ file: embeddedDatabase(folder), secret_keys: settings.webhooks.secret_keys }),
    cache: new MemoryCache({ log }),
    bus: new MemoryBus({ delayExchange: settings.rabbit.delay, drain_ms: settings.drain_ms, log }),
    openBus: async () => undefined,
  };
}
