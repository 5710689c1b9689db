import type { JsonObject } from '../../model/json.ts';
import type { CounterName, GaugeName, HistogramName, LabelsOf } from '../../model/metric.ts';

/** Never a source of truth: every call may find nothing, and none of them throws. */
export interface Cache {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttl_ms: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** To every process, this one included; may be lost. */
  publish(channel: string, message: string): Promise<void>;
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>;
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Checks values against schemas that customers write. */
export interface InputSchemas {
  /** Throws FlowError INVALID_ARGUMENT: it is no JSON Schema, too large, or could take too long. `at`: where it stands. */
  checkSchema(schema: JsonObject, at: string): void;
  /** Throws FlowError INVALID_ARGUMENT with the paths, below `at`, of what does not fit. */
  check(schema: JsonObject, value: JsonObject, at: string): void;
}

/** Time by the database's clock, and new ids. */
export interface Clock {
  /** ms since 1970, UTC */
  now(): number;
}

export interface Ids {
  /** A UUIDv7. */
  next(): string;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counts and times, by the names of pkg/model/metric.ts: an unknown name or label does not compile. */
export interface Meter {
  /** `value` defaults to 1. */
  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, value?: number): void;
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void;
}
