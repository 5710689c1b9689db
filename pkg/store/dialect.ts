import { type RawBuilder, sql } from 'kysely';
import { canonicalTime, timeOfMs } from './time.ts';

/** All that differs between the databases in the queries of this folder. */
export interface Dialect {
  readonly name: 'mysql' | 'sqlite';
  /** Several connections write at once: rows must be locked, and locked ones skipped. */
  readonly locks: boolean;
  /** How long work that met another's lock is tried again, beyond a few times. */
  readonly patience_ms: number;
  /** RFC 3339 → the column's form, whose texts compare as the times do. */
  time(rfc3339: string): string;
  /** The column's form → RFC 3339 UTC with microseconds. */
  rfc3339(stored: string): string;
  /** The database's time plus `ms`, in the column's form. */
  now(ms?: number): RawBuilder<string>;
}

/** DATETIME(6), read and written as `2026-11-21 08:45:10.947195`; every session is in UTC. */
export const mysqlDialect: Dialect = {
  name: 'mysql',
  locks: true,
  patience_ms: 0, // the server itself waits for locks
  time(rfc3339) {
    const time = canonicalTime(rfc3339);
    return `${time.slice(0, 10)} ${time.slice(11, 26)}`;
  },
  rfc3339(stored) {
    return `${stored.slice(0, 10)}T${stored.slice(11)}Z`;
  },
  now(ms = 0) {
    return ms === 0
      ? sql<string>`utc_timestamp(6)`
      : sql<string>`(utc_timestamp(6) + interval ${Math.round(ms * 1000)} microsecond)`;
  },
};

/** Text in RFC 3339. The database is a file of this process, so its clock is this process's. */
export const sqliteDialect: Dialect = {
  name: 'sqlite',
  locks: false,
  patience_ms: 10_000,
  time: canonicalTime,
  rfc3339(stored) {
    return stored;
  },
  now(ms = 0) {
    return sql<string>`${timeOfMs(Date.now() + ms)}`;
  },
};

export function timeOrNull(dialect: Dialect, rfc3339: string | null): string | null {
  return rfc3339 === null ? null : dialect.time(rfc3339);
}

export function rfc3339OrNull(dialect: Dialect, stored: string | null): string | null {
  return stored === null ? null : dialect.rfc3339(stored);
}
