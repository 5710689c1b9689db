import type { Json, JsonObject } from './json.ts';

/** What makes a flow a workflow: who may call it, by what name, with what, and how long it may take. */
export interface Callable {
  readonly flow_id: string;
  readonly customer_id: string;
  readonly enabled: boolean;
  /** Another name for it, unique within the customer; empty: none. */
  readonly alias: string;
  /** JSON Schema of the inputs; null: any. */
  readonly input_schema: JsonObject | null;
  /** Ids of users and teams that may call it; both empty: whoever may call workflows at all. */
  readonly allowed_users: readonly string[];
  readonly allowed_teams: readonly string[];
  /** Types of asyncResponse that the public may ask for; empty: whatever the daemon allows. */
  readonly response_types: readonly string[];
  /** How long a call may take, in ms; 0: as long as its activeflow may live. */
  readonly timeout: number;
  /** Installed by an app: only who may call it can be changed. */
  readonly managed: boolean;
  /** One more with each change. */
  readonly revision: number;
  readonly tm_create: string;
  readonly tm_update: string | null;
}

export const CALL_STATES = ['PENDING', 'RUNNING', 'SUCCESS', 'FAILED', 'TIMEOUT', 'CANCELED'] as const;
export type CallState = (typeof CALL_STATES)[number];
/** A call that is answered has one of these for good. */
export type CallEnd = Exclude<CallState, 'PENDING' | 'RUNNING'>;

/** What a call is answered. */
export interface WorkflowAnswer {
  /** In the manner of HTTP: 200. */
  readonly status: number;
  /** One word in capitals: SUCCESS, or the reason of an error. */
  readonly code: string;
  readonly data: Json;
}

/** What a caller gave, as it was given. */
export interface CalledWith {
  readonly inputs: JsonObject;
  readonly asyncResponse?: JsonObject;
  readonly clientContext?: JsonObject;
}

/** What became of a response after it was stored. */
export interface ResponseDelivery {
  /** Of the asyncResponse; empty: there was none. */
  readonly type: string;
  /** published: an event on the bus, which every response is; pushed: to the user's channel, too; called: the next workflow. */
  readonly state: 'published' | 'pushed' | 'called' | 'undeliverable';
  /** Why it could not be delivered. */
  readonly reason?: string;
  /** The call that it became. */
  readonly workflow_call_id?: string;
}

/** One call of a workflow. Its activeflow has the same id. */
export interface WorkflowCall {
  readonly id: string;
  readonly customer_id: string;
  /** Empty: called by a service for nobody in particular. */
  readonly user_id: string;
  readonly teams: readonly string[];
  /** False: called by a user, whose rights hold for what the response calls, too. */
  readonly internal: boolean;
  /** The id or the alias that it was called by. */
  readonly workflow: string;
  readonly flow_id: string;
  /** How many calls before it led to it by their responses. */
  readonly depth: number;
  readonly called_with: CalledWith;
  /** Null: not answered yet. */
  readonly end: CallEnd | null;
  readonly status: number | null;
  readonly code: string | null;
  readonly response: Json;
  readonly delivery: ResponseDelivery | null;
  readonly tm_create: string;
  readonly tm_end: string | null;
}

/** The activeflow of a workflow call: its reference is itself. What a call's activeflow starts has other ids. */
export function isWorkflowCall({ id, reference_type, reference_id }: CallIdentity): boolean {
  return reference_type === 'api' && reference_id === id;
}

interface CallIdentity {
  readonly id: string;
  readonly reference_type: string;
  readonly reference_id: string;
}

/** Types of asyncResponse that are pushed to the browser of the user who called: one by two names. */
export const PUSHED_TYPES: ReadonlySet<string> = new Set(['KVIEW', 'EMBEDDED']);
/** The type that calls another workflow with the response. */
export const WORKFLOW_TYPE = 'WORKFLOW';
