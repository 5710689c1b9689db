import type { FlowError } from '../../error/index.ts';
import type { Activeflow, Moved } from '../../model/activeflow.ts';
import type { TakenArrival } from '../../model/callback.ts';
import type { HistoryRecord } from '../../model/history.ts';
import type { Participant } from '../../model/participant.ts';
import type { TraceLines, TraceStep } from '../../model/trace.ts';
import type { Page } from './page.ts';
import type { ParticipantWrite } from './participant.ts';
import type { CallSettlement } from './workflow.ts';

export interface ActiveflowFilter {
  readonly customer_id?: string;
  readonly deleted?: boolean;
  readonly flow_id?: string;
  readonly status?: string;
  readonly reference_type?: string;
  readonly reference_id?: string;
  readonly reference_activeflow_id?: string;
}

/** One conditional write: succeeds only when the row is still at revision `next.revision - 1`. */
export interface ActiveflowCommit {
  /** The whole new row; its revision is one more than the one it was decided on. */
  readonly next: Activeflow;
  /** False: the variables are those of the row already, and need not be written. */
  readonly variables_changed: boolean;
  /** What of its outbox has been moved on by the time that it is written: that need not be written any more. */
  readonly moved?: () => Moved;
  /** Activeflows that this commit makes: on_complete_flow, jobs. */
  readonly creates?: readonly Activeflow[];
  /** Requests to callbacks that this commit takes in, and ids of those that it uses up. */
  readonly arrivals?: { readonly kept: readonly TakenArrival[]; readonly taken: readonly string[] };
  /** Participant data that it writes; an entry that is not at its `from` makes it a lost race. */
  readonly participants?: readonly ParticipantWrite[];
  /** What it answers the caller of a workflow. */
  readonly settles?: CallSettlement;
  /** Jobs that the activeflow waits for once this is committed, and those that it has waited for until now. */
  readonly jobs?: { readonly waits: readonly JobWait[]; readonly left: readonly JobWait[] };
}

/**
 * An activeflow that waits for a job. The commit of who waits and the commit that ends the job both hold the job's
 * entry: whichever is second sees the other, and makes the one that waits due. `id` is the job's activeflow: an entry
 * that is another one's by now, or is gone, is a job that has ended.
 */
export interface JobWait {
  readonly participant: Participant;
  readonly name: string;
  readonly id: string;
}

/** Lines of the trace of one activeflow that follow each other, at least one. */
export interface TracePiece {
  readonly id: string;
  readonly trace: readonly TraceLines[];
}

/** An activeflow as it was at one of its revisions. */
export interface RowAt {
  readonly id: string;
  readonly revision: number;
}

/** A row that is there and whose JSON this version cannot read: damaged, or of a newer version. Its columns, and why. */
export type UnreadableActiveflow = Omit<Activeflow, 'state' | 'variables' | 'outbox'> & { readonly unreadable: FlowError };

export function isReadable(row: Activeflow | UnreadableActiveflow): row is Activeflow {
  return !('unreadable' in row);
}

export interface ActiveflowStore {
  /** Throws ACTIVEFLOW_UNREADABLE, as all do that give one row. */
  get(id: string): Promise<Activeflow | undefined>;
  /** The activeflow that this request key made within the last hour. */
  byCreateKey(key: string): Promise<Activeflow | undefined>;
  list(filter: ActiveflowFilter, page: Page): Promise<(Activeflow | UnreadableActiveflow)[]>;
  /** False: the id or the create key exists already, or an entry is not at its `from`; nothing was written. */
  create(activeflow: Activeflow, participants?: readonly ParticipantWrite[]): Promise<boolean>;
  /** False: lost the race, nothing was written. An unknown outcome is settled before it answers. */
  commit(change: ActiveflowCommit): Promise<boolean>;
  /** Running activeflows of a reference, for `call_hangup` without an activeflow id. */
  ofReference(reference_type: string, reference_id: string): Promise<string[]>;
  /** Ids of a customer's activeflows that are not deleted. */
  ofCustomer(customer_id: string, limit: number): Promise<string[]>;
  countRunning(): Promise<number>;
  /** Which of these have ended. */
  ended(ids: readonly string[]): Promise<string[]>;
  /**
   * The row with whatever of it cannot be read replaced by the least that a row needs, so that it can be ended and
   * shown. Numbers of events and trace steps go on above all that were given.
   */
  salvage(id: string): Promise<Activeflow | undefined>;
  /** Trace steps that have moved to rows of their own, by seq. */
  trace(id: string): Promise<TraceStep[]>;
  /** Moves trace steps to rows of their own, each piece one row; again the same, or the same and more: each step once. */
  addTrace(pieces: readonly TracePiece[]): Promise<void>;
  /** Says that all events of these rows at these revisions are published, so that no sweep looks at them. */
  settled(rows: readonly RowAt[]): Promise<void>;
  /**
   * Rows with unpublished events older than `age_ms`, `limit` of those that can be read: what cannot is told of, and is
   * in nobody's way.
   */
  unsettled(age_ms: number, limit: number): Promise<(Activeflow | UnreadableActiveflow)[]>;
  /**
   * Takes running rows whose wake_at or deadline_at has come (the store keeps the earlier of both as wake_at): puts
   * wake_at `lease_ms` later so that no other process takes them meanwhile, without counting the revision. By the
   * database's clock. What is due is so at that revision only: a later commit has set a time of its own.
   */
  claimDue(limit: number, lease_ms: number): Promise<RowAt[]>;
  /** Puts wake_at `lease_ms` from now for runs that this process is still at; only where one is stored that does not pause. */
  renew(ids: readonly string[], lease_ms: number): Promise<void>;
  /** Figures for the metrics: rows unsettled and due, and the age in ms of the oldest. */
  backlog(): Promise<{ unsettled: number; unsettled_age_ms: number; due: number; due_age_ms: number }>;
}

/** Records of histories that have moved out of their activeflows' rows. */
export interface HistoryStore {
  /** Again the same: nothing. */
  add(activeflow_id: string, records: readonly HistoryRecord[]): Promise<void>;
  /** By revision. */
  get(activeflow_id: string): Promise<HistoryRecord[]>;
  /** All of these activeflows' records: to be called wherever an activeflow's row is deleted. */
  remove(activeflow_ids: readonly string[]): Promise<void>;
}
