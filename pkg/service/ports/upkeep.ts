/** One step of clearing away. */
export interface Cleared {
  /** What was deleted. */
  readonly count: number;
  /** Where the next step goes on; null: everything was looked at. */
  readonly next: string | null;
}

/**
 * Deletes what is no longer needed, step by step: each looks at `limit` rows behind the place `after` (empty: from the
 * start). Safe to run in several processes at once, and to break off anywhere. Ages by the database's clock.
 */
export interface RetentionStore {
  /** Activeflows that ended `age_ms` ago and have published everything, with their traces and lists. */
  endedActiveflows(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Temporary flows that expired `age_ms` ago and that no activeflow names. */
  temporaryFlows(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Lists that nothing names and that were last used `age_ms` ago. */
  unusedLists(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Answers by request key whose time is over. */
  flowAnswers(limit: number): Promise<Cleared>;
  redeliveries(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Deliveries that are over. */
  deliveries(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Lanes in which nothing waits and of which no delivery is left. */
  deliveryLanes(age_ms: number, after: string, limit: number): Promise<Cleared>;
  /** Subscriptions that were last needed as a `webhook_uri` `age_ms` ago, have no lane left, and were not changed by their owner. */
  webhookUris(age_ms: number, after: string, limit: number): Promise<Cleared>;
}

/** Who does what only one process should do at a time. It saves work; nothing may rely on it to be right. */
export interface LeaseStore {
  /** True: it is the holder's for `ms` from now, anew or still. */
  take(name: string, holder: string, ms: number): Promise<boolean>;
}

export interface Erasure {
  readonly customer_id: string;
  /** Since it was asked for. */
  readonly age_ms: number;
}

/** Customers who are gone and whose things are to be erased, as long as that lasts. */
export interface ErasureStore {
  add(customer_id: string): Promise<void>;
  claim(lease_ms: number): Promise<Erasure | undefined>;
  /** It is to be looked at again in `in_ms`. */
  again(customer_id: string, in_ms: number): Promise<void>;
  done(customer_id: string): Promise<void>;
  pending(): Promise<number>;
  /** Erases activeflows that have ended and published everything. left: there are more, of whatever state. */
  activeflows(customer_id: string, limit: number): Promise<{ readonly erased: number; readonly left: boolean }>;
  /** Erases deleted flows with their versions; how many. */
  flows(customer_id: string, limit: number): Promise<number>;
  /** Erases lists; their keys. */
  lists(customer_id: string, limit: number): Promise<string[]>;
}

/** A setting of the server with which a commit is answered before it is on the disk. */
export interface WeakSetting {
  readonly setting: string;
  readonly value: string;
  readonly expected: string;
}
