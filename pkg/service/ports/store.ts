import type { ActiveflowStore, HistoryStore } from './activeflow.ts';
import type { CallbackStore } from './callback.ts';
import type { EventStore, FlowStore, ListStore } from './flow.ts';
import type { DelayStore, RedeliveryStore } from './message.ts';
import type { ParticipantStore } from './participant.ts';
import type { DeliveryStore, SubscriptionStore } from './subscription.ts';
import type { ErasureStore, LeaseStore, RetentionStore, WeakSetting } from './upkeep.ts';
import type { PushStore, WorkflowStore } from './workflow.ts';

export interface Store {
  readonly callbacks: CallbackStore;
  readonly flows: FlowStore;
  readonly lists: ListStore;
  readonly activeflows: ActiveflowStore;
  readonly histories: HistoryStore;
  readonly events: EventStore;
  readonly delays: DelayStore;
  readonly redeliveries: RedeliveryStore;
  readonly retention: RetentionStore;
  readonly leases: LeaseStore;
  readonly erasures: ErasureStore;
  readonly participants: ParticipantStore;
  readonly workflows: WorkflowStore;
  readonly pushes: PushStore;
  readonly subscriptions: SubscriptionStore;
  readonly deliveries: DeliveryStore;
  /** Brings the schema up to date; one replica at a time. Returns the names of what it ran. */
  migrate(): Promise<string[]>;
  /** Throws when the database cannot be reached, or is not migrated. */
  check(): Promise<void>;
  /** The database's time minus this process's, in ms. */
  clockOffset(): Promise<number>;
  /** Settings that make a commit less durable than promised; empty: none. */
  weakSettings(): Promise<WeakSetting[]>;
  close(): Promise<void>;
}
