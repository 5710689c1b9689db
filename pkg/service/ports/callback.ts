import type { Arrival, Callback } from '../../model/callback.ts';
import type { Json } from '../../model/json.ts';

/** What a callback has had so far. */
export interface Standing {
  /** Requests that are kept for its activeflow, by whichever callback. */
  readonly kept: number;
  /** The first one that it took. */
  readonly first?: { readonly id: string; readonly body_hash: string };
  /** The one that it took under the same Idempotency-Key. */
  readonly same_key?: string;
}

/** Callbacks of flows. What comes to one is written by the commit of its activeflow (`ActiveflowCommit.arrivals`). */
export interface CallbackStore {
  /** The same id again: nothing, the first one stands. */
  create(callback: Callback): Promise<void>;
  get(id: string): Promise<Callback | undefined>;
  newest(activeflow_id: string, name: string): Promise<Callback | undefined>;
  /** The newest 100 of both, newest first. */
  ofActiveflow(
    activeflow_id: string,
  ): Promise<{ readonly callbacks: readonly Callback[]; readonly arrivals: readonly Arrival[] }>;
  standing(callback: Callback, key_hash: string | null): Promise<Standing>;
  oldestKept(callback: Callback): Promise<{ readonly id: string; readonly payload: Json } | undefined>;
  /** Keeps a request that was rejected, and forgets older ones. */
  reject(arrival: Arrival): Promise<void>;
}
