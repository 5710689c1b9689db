import type { Json, JsonObject } from './json.ts';

/** When a failed action is tried again; times in ms. What is absent is as in DEFAULT_RETRY. */
export interface Retry {
  /** How often it is tried again, besides the first time. */
  readonly attempts: number;
  readonly initial_ms?: number;
  readonly max_ms?: number;
  readonly factor?: number;
}

/** Times in ms; docs/flows.md names these. */
export const RETRY_BOUNDS = { attempts: 20, ms: 3_600_000, factor: 10 } as const;
export const DEFAULT_RETRY = { initial_ms: 500, max_ms: 30_000, factor: 2 } as const;

/** One step of a flow, as its author wrote it. Stored and compared as it is; never mutated. */
export interface Action {
  readonly id: string;
  /** Where to go afterwards; absent or nil: the following action. */
  readonly next_id?: string;
  readonly type: string;
  readonly option?: JsonObject;
  readonly name?: string;
  /** Where to go when this action fails. */
  readonly on_error_target_id?: string;
  readonly retry?: Retry;
  /** RFC 3339; when the caller was handed the action. */
  readonly tm_execute?: string | null;
}

/** An immutable list of actions, in the order of the flow, with its index. */
export interface ActionList {
  readonly actions: readonly Action[];
  /** action id → position in `actions` */
  readonly positions: ReadonlyMap<string, number>;
}

export function indexActions(actions: readonly Action[]): ActionList {
  return { actions, positions: new Map(actions.map((action, position) => [action.id, position])) };
}

/** Which kinds of conversation an action makes sense in: rtc is a call's audio. */
export type Medium = 'rtc' | 'non_rtc' | 'any';

export type Variables = { readonly [name: string]: Json };
