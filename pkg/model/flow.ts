export const FLOW_TYPES = ['flow', 'conference', 'queue', 'campaign', 'transfer'] as const;
export type FlowType = (typeof FLOW_TYPES)[number];

/** What is off about an accepted flow: it runs, but its author should look. */
export interface Warning {
  /** Where, as a JSON Pointer into the request's data, for example `/actions/3/option/texxt`. */
  readonly path: string;
  readonly message: string;
}

/** A flow's head: everything but its actions, which are an immutable list known by its hash. */
export interface Flow {
  readonly id: string;
  readonly customer_id: string;
  /** Older siblings know customers by number; kept and echoed. */
  readonly user_id?: number;
  readonly type: FlowType;
  readonly name: string;
  readonly detail: string;
  /** false: a temporary flow, with an expiry, never listed. */
  readonly persist: boolean;
  readonly webhook_uri: string;
  /** Hash of the list of actions in force: `ListStore.get(customer_id, list)`. */
  readonly list: string;
  /** Counts from 1, one more with each change of the actions. */
  readonly version: number;
  /** One more with each change of anything. */
  readonly revision: number;
  readonly on_complete_flow_id: string;
  readonly fallback_flow_id: string;
  /** How long an activeflow of it may live, in ms; 0: the service's default. */
  readonly deadline_ms: number;
  readonly direct_id: string;
  readonly direct_hash: string;
  readonly warnings: readonly Warning[];
  readonly tm_create: string;
  readonly tm_update: string | null;
  readonly tm_delete: string | null;
  /** When a temporary flow may go; null for a persistent one. */
  readonly tm_expire: string | null;
}

/** One entry of a flow's history: which list it had. */
export interface FlowVersion {
  readonly flow_id: string;
  readonly version: number;
  readonly list: string;
  readonly tm_create: string;
}
