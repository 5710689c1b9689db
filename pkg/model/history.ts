import type { Variables } from './action.ts';
import type { Json, JsonObject } from './json.ts';

/** Whose histories are kept: nobody's, those of activeflows that end with an error, all. */
export const HISTORY_KEEPS = ['off', 'failed', 'all'] as const;
export type HistoryKeep = (typeof HISTORY_KEEPS)[number];

/**
 * What one decision was given from outside, up to an answer that it asked for, or to its end. `ask` and `answer` are
 * the engine's own (`Ask`, `EffectAnswer`), whatever kinds of them there are.
 */
export interface HistoryTurn {
  /** What the clock said each time it was asked, in ms since 1970. */
  readonly now?: readonly number[];
  readonly ids?: readonly string[];
  readonly asked?: { readonly ask: Json; readonly answer: Json };
}

/** What made a decision necessary. `given` and `change` are the engine's own arguments. */
export type HistoryInput =
  | { readonly kind: 'create'; readonly given: Json }
  /** Started by the end of another activeflow. */
  | { readonly kind: 'follow_up'; readonly given: Json }
  | { readonly kind: 'change'; readonly change: Json; readonly key: string }
  /** A walk from the row as it stands; `begin`: one that a caller asked for just now. */
  | { readonly kind: 'walk'; readonly begin?: { readonly kind: 'next' | 'execute'; readonly key: string } }
  /** The walk of the record before goes on behind its checkpoint. */
  | { readonly kind: 'continue' };

/** What a commit has changed. Its trace lines are kept once, in the trace. */
export interface Decided {
  readonly status: string;
  /** Members of the state that are not what they were; all of them at the start. */
  readonly state: JsonObject;
  readonly variables?: { readonly set: Variables; readonly gone: readonly string[] };
  /** Number of the last line of the trace. */
  readonly trace_seq: number;
  readonly deleted: boolean;
  readonly deadline_at: string | null;
  /** What the request is answered, when its key is kept; times left out. */
  readonly answer?: Json;
  /**
   * What the commit does besides its own row: `starts` jobs, writes entries of the `participants`, has `kept` and `taken` what
   * came for callbacks (ids), and answers a caller of the workflow (`response`). {}: nothing. Absent where the activeflow
   * begins, and in records of releases that did not write it: it is not compared then.
   */
  readonly beside?: JsonObject;
  /** Id of the activeflow that follows this one's end. */
  readonly follow_up?: string;
}

/** One commit of an activeflow: everything that was needed to decide it, and what was decided. */
export interface HistoryRecord {
  /** The revision that it made; the first is 1, and there is no gap. */
  readonly revision: number;
  readonly input: HistoryInput;
  readonly turns: readonly HistoryTurn[];
  /** Limits that are not the default. */
  readonly limits?: { readonly [name: string]: number };
  /** Keys of the customer's lists that it could look into and that no stack had named before. */
  readonly lists?: readonly string[];
  /** The flow that on_complete_flow_id named at the end; null: none. */
  readonly follow_up_flow?: Json;
  readonly decided: Decided;
}

/** So many records, at the latest, move from their row to rows of their own: it is written whole at each commit. */
export const RECORDS_TOGETHER = 8;

/** What of a history is still in its row. */
export interface PendingHistory {
  readonly keep: Exclude<HistoryKeep, 'off'>;
  /** Length of all records so far, as JSON. */
  readonly bytes: number;
  /** Those that have not moved to rows of their own. */
  readonly records: readonly HistoryRecord[];
  /** True: some have. */
  readonly moved: boolean;
  /** full: it grew too long and is not written on; dropped: it ended well, and nobody wants it. */
  readonly state: 'open' | 'full' | 'dropped';
}
