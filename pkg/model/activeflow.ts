/** What an activeflow is made of, in one file, long as it is: types and constants, no code. */
import type { Action, Variables } from './action.ts';
import type { PendingHistory } from './history.ts';
import { ACTION_FINISH, ACTION_START } from './id.ts';
import type { Json, JsonObject } from './json.ts';
import type { TraceLines } from './trace.ts';
import type { WorkflowAnswer } from './workflow.ts';

export const REFERENCE_TYPES = [
  '',
  'ai',
  'api',
  'call',
  'campaign',
  'conversation',
  'message',
  'transcribe',
  'recording',
  'webchat',
] as const;
export type ReferenceType = (typeof REFERENCE_TYPES)[number];
export type ActiveflowStatus = 'running' | 'ended';

/** One level of the call stack: a list of actions and where to go after its end. */
export interface Stack {
  readonly id: string;
  /** Key of its list: a hash when it is the customer's (`shared`), else an id of this activeflow's own. */
  readonly list: string;
  readonly shared: boolean;
  /** nil for the main stack */
  readonly return_stack_id: string;
  /** The action that the list follows: after the end of this stack comes what comes after that one. */
  readonly return_action_id: string;
  /** True: the return action itself comes next, because it was the target already when this was pushed. */
  readonly return_exact?: boolean;
  /** Its actions play to the caller in a loop, until this comes. */
  readonly awaits?: Awaited;
}

/** What a flow waits for: a signal by its name, or the end of its time. Whichever is committed first decides. */
export interface Awaited {
  /** What kind of thing and which of them, such as `callback:payment`. */
  readonly signal: string;
  /** RFC 3339; null: no end. */
  readonly due: string | null;
  /** The action that waits. */
  readonly at: Position;
  /** Where to go when its time is over; absent: on, as when the signal comes. */
  readonly timeout_target_id?: string;
  /** The variable that is set to what the signal brings, null when it does not come; absent: none. */
  readonly into?: string;
}

/** A place in the stacks. */
export interface Position {
  readonly stack_id: string;
  readonly action_id: string;
}

/** An error as it is stored and answered; `status` is one of the wire's codes, such as `NOT_FOUND`. */
export interface ErrorData {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly details?: readonly Json[];
}

/**
 * What a request was answered, by its key, so that a repeat gets the same.
 * An answered action is not copied: `step` says at which step of the cursor it was handed over.
 */
export interface Answer {
  readonly key: string;
  readonly status_code: number;
  readonly step?: number;
  readonly error?: ErrorData;
  /** Times that the answered activeflow showed: it is otherwise as it ended. */
  readonly tm_update?: string | null;
  readonly tm_delete?: string | null;
}

/**
 * A walk that has begun and has not handed over yet. It is stored before the first request to a sibling
 * and at each checkpoint, so that another process can take it over when its lease is out.
 */
export interface Run {
  /** `next`: a caller waits for the answer; `execute`: nobody does. */
  readonly kind: 'next' | 'execute';
  /** The action it began from: the one that the caller said it had finished. */
  readonly asked: string;
  /** Request key of the caller; empty when there is none. */
  readonly key: string;
  /** Actions walked in it so far: the limit per request counts these. */
  readonly steps: number;
  /**
   * walking: `current` is done with, what comes after it is next; substituting: `current` has been reached and
   * its option is still as its author wrote it; deciding: its option is substituted, it has not decided yet.
   */
  readonly stage: 'walking' | 'substituting' | 'deciding';
  /** A request that must still go out after the push that it follows was stored. */
  readonly after?: AfterRequest;
  /** `current` has failed and is tried again. */
  readonly retry?: Retrying;
  /** `current` has failed, nothing in its list takes that, and the fallback is being looked up. */
  readonly failing?: Failing;
  /** How far the branches of the current action are. */
  readonly parallel?: ParallelRun;
}

/** How far the tries of one action have come. */
export interface Retrying {
  /** Tries that have failed. */
  readonly failed: number;
  /**
   * Part of the request_id: one more with each failure that somebody answered. After silence the same request may have
   * been done, and is asked for under the same id again.
   */
  readonly attempt: number;
  /** RFC 3339, when the next try begins; null: it has begun. */
  readonly due: string | null;
}

export interface Failing {
  readonly error: ErrorData;
  /** True: the action has no line in the trace yet. */
  readonly whole: boolean;
}

/** Branches that run side by side within one action. */
export interface ParallelRun {
  /** Until when they are waited for. RFC 3339 */
  readonly due: string;
  readonly branches: readonly BranchState[];
}

export interface BranchState {
  /** Position of its current action in its list; beyond the last one: it is through. */
  readonly at: number;
  /** Actions that it has left behind. */
  readonly walked: number;
  /** The option of the current action, substituted; absent: the action is not begun. */
  readonly option?: JsonObject;
  /** Variables that it has set, for itself until it is through. */
  readonly set: Variables;
  /** action id → how often that goto has jumped */
  readonly loops: { readonly [id: string]: number };
  /** What it has failed with. */
  readonly error?: ErrorData;
}

export interface AfterRequest {
  /** The stack that was pushed: it goes again when the request fails. */
  readonly stack_id: string;
  readonly to: string;
  readonly method: string;
  readonly uri: string;
  readonly data?: Json;
}

/** Why a flow stands still with nobody walking it. */
export interface Wait {
  /** block: until `continue`; timer: until `due`; signal: until what it `awaits` comes, or `due`. */
  readonly kind: 'block' | 'timer' | 'signal';
  /** RFC 3339; null: no end. */
  readonly due: string | null;
  /** Of a signal. */
  readonly awaits?: Awaited;
}

/** What an activeflow is between two commits. Everything a decision reads, less the immutable lists. */
export interface ActiveflowState {
  /** The action the cursor is at, option as substituted. */
  readonly current: Action;
  /** nil when ended */
  readonly current_stack_id: string;
  /** The main stack first. */
  readonly stacks: readonly Stack[];
  /** Where to go next, whatever the order says (finish: in the main stack); null: nowhere special. */
  readonly forward: Position | null;
  /** The id that the caller named when it got `current`. */
  readonly previous: string;
  /** Actions left behind so far = the cursor's step = the wire's execute_count. */
  readonly step: number;
  /** `stack id/action id` → how often that goto has jumped since it was last reached anew. */
  readonly loops: { readonly [place: string]: number };
  readonly run: Run | null;
  readonly wait: Wait | null;
  /** True: the caller is to be cut off from `current`, because what it was to bridge is over. */
  readonly cut_off?: boolean;
  /** The error that ended it. */
  readonly error: ErrorData | null;
  /** The error that its fallback flow has taken; absent: it was not needed. There is one fallback in a life. */
  readonly fallback?: ErrorData;
  /** True once it was executed: another request to execute it is a repeat. */
  readonly executed?: boolean;
  /** When its caller has been silent for so long that it is looked for; absent: no caller is to ask. RFC 3339. */
  readonly look_at?: string;
  /** True once whoever called this flow as a workflow is answered. */
  readonly responded?: boolean;
  /** Last numbers given: to a trace step, to an event. */
  readonly trace_seq: number;
  readonly event_seq: number;
  /** The last answers, oldest first. */
  readonly answers: readonly Answer[];
  /** Whose data it shares, where that is not its own reference: a job shares its caller's. Never changes. */
  readonly participant?: { readonly reference_type: string; readonly reference_id: string };
  /** Absent: it is no job. Never changes. */
  readonly job?: Job;
  /** What a job has answered: its result, once it has ended. */
  readonly answered?: WorkflowAnswer;
}

/** What an activeflow that another one has started beside itself is called. */
export interface Job {
  /** Its state is the participant's entry `job.<name>`; empty: nobody asks for it. */
  readonly name: string;
  /** How many jobs led to it, itself counted. */
  readonly depth: number;
}

export type ActiveflowEventType = 'activeflow_created' | 'activeflow_updated' | 'activeflow_deleted';

/** The parts of an activeflow that an event shows and that change. */
export interface ActiveflowSnapshot {
  readonly status: ActiveflowStatus;
  readonly current: Action;
  readonly current_stack_id: string;
  readonly forward: Position | null;
  readonly step: number;
  readonly tm_update: string | null;
  readonly tm_delete: string | null;
  /** Absent: as the row now has them, because no later commit has changed them. */
  readonly stacks?: readonly Stack[];
}

/** An event that a commit caused and that may not have been published yet. */
export interface PendingEvent {
  /** `x-sequence`; message id is `<activeflow id>-<seq>` */
  readonly seq: number;
  readonly type: ActiveflowEventType;
  /** Absent: as the row now shows it, because no later commit has changed it. */
  readonly snapshot?: ActiveflowSnapshot;
}

/** What commits of a row have caused and what has not been moved on yet. */
export interface Outbox {
  readonly events: readonly PendingEvent[];
  readonly trace: readonly TraceLines[];
  /** Absent: none is kept of this activeflow. */
  readonly history?: PendingHistory;
}

/** What of an outbox has been moved on already, by its numbers: the next commit drops it. */
export interface Moved {
  readonly event_seq: number;
  readonly trace_seq: number;
}

/** A running flow. Identity fields never change after creation; the rest changes by commits only. */
export interface Activeflow {
  readonly id: string;
  readonly customer_id: string;
  readonly user_id?: number;
  readonly flow_id: string;
  readonly reference_type: ReferenceType;
  readonly reference_id: string;
  readonly reference_activeflow_id: string;
  readonly on_complete_flow_id: string;
  readonly fallback_flow_id: string;
  readonly webhook_uri: string;
  readonly webhook_method: string;
  /** Key of the request that created it; empty: none, or forgotten. */
  readonly create_key: string;
  readonly tm_create: string;

  readonly revision: number;
  readonly status: ActiveflowStatus;
  readonly state: ActiveflowState;
  readonly variables: Variables;
  readonly outbox: Outbox;
  readonly tm_update: string | null;
  readonly tm_delete: string | null;
  /** When something must happen with nobody asking: a timer, or the lease of a run. RFC 3339. */
  readonly wake_at: string | null;
  /** After this it is ended, whatever it does. RFC 3339; null: none. */
  readonly deadline_at: string | null;
}

export const START: Action = { id: ACTION_START, type: '' };
export const FINISH: Action = { id: ACTION_FINISH, type: '' };
