import { createHash } from 'node:crypto';
import type { Limits, World } from '../engine/world.ts';
import { FlowError } from '../error/index.ts';
import type { ActionList } from '../model/action.ts';
import type { Stack } from '../model/activeflow.ts';
import type { HistoryKeep } from '../model/history.ts';
import type { Cache, Clock, HttpClient, Ids, InputSchemas, Log, Meter, Siblings, Store } from './ports.ts';

export interface ServiceOptions {
  /** How long a walk may go without a sign of life before another process takes it over, in ms. */
  readonly lease_ms: number;
  /** How long an activeflow may live unless its flow says otherwise, in ms; 0: for ever. */
  readonly deadline_ms: number;
  /** How long the caller of a call may be silent before it is looked for, in ms; 0: it never is. */
  readonly reap_after_ms: number;
  /** How long a temporary flow lives, in ms. */
  readonly temporary_flow_ms: number;
  /** Persistent flows that one customer may have. */
  readonly flows_per_customer: number;
  /** Activeflows and lists of actions that are kept in memory to save a read. */
  readonly cached_activeflows: number;
  readonly cached_list_bytes: number;
  /** Whose histories are kept; default off. */
  readonly history?: HistoryKeep;
  /** Types of asyncResponse that users may ask for. */
  readonly response_types: readonly string[];
  /** How many workflows may be called after each other by responses. */
  readonly workflow_depth: number;
  /** What the names of pushed events begin with. */
  readonly push_name_prefix: string;
}

export interface CallbackOptions {
  /** Addresses and tokens are derived with it; empty: there are no callbacks. */
  readonly secret: string;
  /** Where others reach the gateway, without a slash at its end; empty: not known. */
  readonly url: string;
  /** The most that the body of a request may have, in bytes. */
  readonly max_body: number;
  /** Requests that are kept for one activeflow until it asks for them. */
  readonly inbox: number;
}

/** What every use case works with. */
export interface Context {
  readonly store: Store;
  readonly siblings: Siblings;
  readonly http: HttpClient;
  readonly cache: Cache;
  readonly schemas: InputSchemas;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: Limits;
  readonly meter: Meter;
  readonly log: Log;
  readonly options: ServiceOptions;
  /** Absent: there are none. */
  readonly callbacks?: CallbackOptions;
}

export function worldOf(context: Context, list: (stack: Stack) => ActionList): World {
  return { now: () => context.clock.now(), newId: () => context.ids.next(), list, limits: context.limits };
}

/** For decisions that walk nothing, such as making an activeflow. */
export function noLists(): never {
  throw new FlowError('INTERNAL', 'NO_LISTS_HERE', 'this decision walks no list');
}

/** Text as a UUID: the same text gives the same id. Used where an id must survive a crash. */
export function hashId(text: string): string {
  return asUuid(createHash('sha256').update(text).digest('hex'));
}

/** A hash in hex, of at least 128 bits, as a UUID of version 8. */
export function asUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * The request_id of what an action asks: made from the activeflow, the step of its cursor and the position in
 * that action, never from the revision, so that a walk that is done again asks with the same one. `attempt` is one
 * more after each answered failure of an action that is tried again.
 */
export function requestId(activeflowId: string, step: number, position: number, attempt: number): string {
  return hashId(`${activeflowId}/${step}/${position}/${attempt}`);
}
