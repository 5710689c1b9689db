import type { Static, TSchema } from 'typebox';
import type { Action, Medium, Variables } from '../model/action.ts';
import type { ErrorData } from '../model/activeflow.ts';
import type { CallbackAuth } from '../model/callback.ts';
import type { HttpRequest } from '../model/http.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { WorkflowAnswer } from '../model/workflow.ts';

/**
 * What an action asks of the world, as data. The executor performs it and resumes the generator with an
 * answer; a test does the same by hand. Nothing in this folder performs anything.
 */
export type Effect =
  /** A request to a sibling manager. `wait: false`: sent, and no answer is waited for (its value is null). */
  | {
      readonly kind: 'request';
      readonly to: string;
      readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
      readonly uri: string;
      readonly data?: Json;
      /** How long the answer is waited for, in ms; default 3,000. */
      readonly timeout_ms?: number;
      readonly wait?: boolean;
    }
  /** An HTTP request to an address that the flow's author chose. Value: `{status, body}`, body parsed when it is JSON. */
  | (HttpRequest & {
      readonly kind: 'fetch';
      /** With an Idempotency-Key made from the activeflow and the step, unless `headers` have one. */
      readonly keyed?: boolean;
    })
  /** Looks up a flow. Value: `{id, customer_id, list}`; fails with NOT_FOUND when there is none or it is deleted. */
  | { readonly kind: 'flow'; readonly id: string }
  /**
   * Reads the participant's data. Value: `{key: {value, revision}}`. `room_for`: fails with RESOURCE_EXHAUSTED when this
   * entry would be too much. What others write meanwhile makes the commit a lost race, and then it is read again.
   */
  | { readonly kind: 'participant'; readonly room_for?: { readonly key: string; readonly value: Json } }
  /** Makes a temporary flow of the activeflow's customer. Value: `{id}`. */
  | { readonly kind: 'make_flow'; readonly name: string; readonly actions: readonly NewAction[] }
  /** Makes a callback of this activeflow, the same one at the same step. Value: `{url, secret}`. */
  | {
      readonly kind: 'callback';
      readonly name: string;
      readonly methods: readonly string[];
      /** 0: as long as the activeflow runs. */
      readonly ttl_ms: number;
      readonly auth: CallbackAuth;
      readonly multi: boolean;
    }
  /**
   * Looks whether what a signal tells of has come already, before the flow waits for it. Always answered anew: whoever
   * gives the signal commits on the activeflow, so that a walk which looked too early loses its race and looks again.
   * The value is said by who gives that kind of signal (the part before the colon).
   */
  | { readonly kind: 'look'; readonly signal: string };

export type EffectAnswer = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly error: ErrorData };

/** An action that is still to be given an id. */
export type NewAction = Omit<Action, 'id'> & { readonly id?: string };

/** What becomes of the flow after an action has decided. */
export type Decision = {
  /** Why, for the trace, with the values compared. Never a secret. */
  readonly reason: string;
  /** Variables to set with this step. */
  readonly set?: Variables;
  /** An entry of the participant's data to write with this step. */
  readonly participant?: { readonly key: string; readonly value: Json };
  /** An activeflow to start with this step, beside this one. */
  readonly start?: StartDecision;
  /** What whoever called this flow as a workflow is answered. */
  readonly respond?: WorkflowAnswer;
} & (
  | { readonly kind: 'hand_over' }
  | { readonly kind: 'next' }
  /** To an action: looked for in the current stack, then outward. `loops`: the new count of this goto. */
  | { readonly kind: 'jump'; readonly target: string; readonly loops?: number }
  /** A goto that has jumped enough and goes on: its count starts anew. */
  | { readonly kind: 'loop_done' }
  /**
   * Enters a new stack. `actions` come from outside and are checked and given ids by the engine; `list` is a
   * list of the customer's. `stack_id`: its id, else a new one. `after`: sent once the push is stored.
   */
  | {
      readonly kind: 'push';
      readonly actions?: Json | readonly NewAction[];
      readonly list?: string;
      readonly stack_id?: string;
      readonly after?: { readonly to: string; readonly method: string; readonly uri: string; readonly data?: Json };
    }
  /** Stands still until `continue` (block) or for `ms` (timer). */
  | { readonly kind: 'wait'; readonly ms?: number }
  /**
   * Stands still until the signal comes, or until a time (`until`, ms since 1970; absent: no end). A call is played
   * `actions` meanwhile, in a loop; a sleep when there are none. See `Awaited` for the rest. `come`: it has come
   * already, and the flow goes on at once; `id` names what is used up by that.
   */
  | {
      readonly kind: 'await';
      readonly signal: string;
      readonly until?: number;
      readonly timeout_target_id?: string;
      readonly into?: string;
      readonly actions?: Json | readonly NewAction[];
      readonly come?: { readonly id: string; readonly value: Json };
    }
  | { readonly kind: 'finish' }
  /** Runs lists of actions side by side, then goes on: see pkg/engine/parallel.ts. */
  | {
      readonly kind: 'parallel';
      readonly branches: readonly Branch[];
      /** all: until every one has ended; any: until one has ended well. */
      readonly wait: 'all' | 'any';
      readonly timeout_ms: number;
    }
);

/** A list of actions beside others. */
export interface Branch {
  readonly name: string;
  readonly actions: readonly Action[];
}

export interface StartDecision {
  /** Its state becomes the participant's entry `job.<name>`; empty: nobody asks for it. */
  readonly name: string;
  /** A flow of the same customer that it runs, with `inputs` as its variables `input.*`; or its actions, with all variables of this one. */
  readonly flow_id?: string;
  readonly actions?: readonly Action[];
  readonly inputs: Variables;
  /** How long it may live, in ms; 0: as its flow or the service says. */
  readonly deadline_ms: number;
  /** Revision of its entry when it was looked at; 0: there was none. */
  readonly from: number;
}

/** All that an action may look at. Time and new ids are arguments: the same context gives the same decision. */
export interface ActionContext<Option = JsonObject> {
  readonly activeflow: {
    readonly id: string;
    readonly customer_id: string;
    readonly flow_id: string;
    readonly reference_type: string;
    readonly reference_id: string;
    readonly reference_activeflow_id: string;
  };
  /** Option as substituted. */
  readonly action: Action;
  /** The same option, checked against the schema. */
  readonly option: Option;
  readonly variables: Variables;
  /** How often this action has jumped since it was last reached anew. */
  readonly loops: number;
  /** ms since 1970, UTC */
  readonly now: number;
  readonly newId: () => string;
  /** Id of the action at a position of the current stack, for flows that still name targets by index. */
  readonly actionAt: (index: number) => string | undefined;
}

/** An action in the middle of deciding. */
export type Deciding = Generator<Effect, Decision, EffectAnswer>;

/** One type of action: everything the service knows about it. */
export interface ActionType<Schema extends TSchema = TSchema> {
  readonly type: string;
  /** Older names on the wire. */
  readonly aliases?: readonly string[];
  readonly medium: Medium;
  /** Who runs it: the caller gets it as it is, or `decide` runs here. */
  readonly by: 'caller' | 'manager';
  readonly option: Schema;
  /** Keys of the option that hold actions for later: their texts are substituted when those run, and not before. */
  readonly later?: readonly string[];
  /** One line for the documentation. */
  readonly doc: string;
  /** What a failure does when nothing in the flow takes it; default stop. */
  readonly on_failure?: 'stop' | 'continue';
  /** Its option as it may be shown once variables are in it; absent: as it is. It may not fit the schema. */
  readonly mask?: (option: JsonObject) => JsonObject;
  /** False: it moves the flow itself, so that it cannot stand in a branch of `parallel`. */
  readonly in_branch?: false;
  /** Checks what no schema says when a flow is made, and returns the option as it is stored. */
  readonly check?: (option: JsonObject, checker: OptionChecker) => JsonObject;
  /** Absent: handed over as it is. A generator where it asks for something, else a function: a walk has many such steps. */
  readonly decide?: (context: ActionContext<Static<Schema>>) => Decision | Deciding;
}

/** What an action type's own check may use. Paths are JSON Pointers into its option. */
export interface OptionChecker {
  /** Checks a list of actions inside the option as the flow's own is, and returns it with ids. `refuse` says what is wanted instead of a type that may not stand there. */
  actions(value: Json | undefined, path: string, refuse: (type: ActionType) => string | undefined): readonly Action[];
  error(path: string, value: Json | undefined, expected: string): void;
}

/** Keeps an action type's option typed inside `decide`, and forgets it outside. */
export function defineAction<Schema extends TSchema>(definition: ActionType<Schema>): ActionType {
  return definition as unknown as ActionType;
}

/** Thrown inside `decide` when the action has failed; the engine decides what that does to the flow. */
export class ActionFailure extends Error {
  readonly error: ErrorData;

  constructor(error: ErrorData) {
    super(error.message);
    this.name = 'ActionFailure';
    this.error = error;
  }
}

/** Yields an effect and returns its value, or throws the error it was answered with. */
export function* ask(effect: Effect): Generator<Effect, Json, EffectAnswer> {
  const answer = yield effect;
  if (!answer.ok) throw new ActionFailure(answer.error);
  return answer.value;
}
