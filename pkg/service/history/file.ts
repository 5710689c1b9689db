import { FlowError, invalid } from '../../error/index.ts';
import type { Action } from '../../model/action.ts';
import type { HistoryRecord } from '../../model/history.ts';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts';
import type { TraceStep } from '../../model/trace.ts';

const FORMAT = 'flow-manager/history/1';

/** A history by itself: nothing else is needed to replay it. */
export interface HistoryFile {
  readonly format: typeof FORMAT;
  readonly activeflow_id: string;
  /** False: it was too long, and breaks off. */
  readonly complete: boolean;
  readonly records: readonly HistoryRecord[];
  readonly trace: readonly TraceStep[];
  /** The customer's lists that it ran on, by key. Those of the activeflow's own are decided anew. */
  readonly lists: { readonly [key: string]: readonly Action[] };
}

export function historyFile(parts: Omit<HistoryFile, 'format'>): HistoryFile {
  return { format: FORMAT, ...parts };
}

const INPUTS: ReadonlySet<unknown> = new Set(['create', 'follow_up', 'change', 'walk', 'continue']);

/** A history from what a file holds. Throws INVALID_ARGUMENT with the place that is wrong. */
export function parseHistory(content: Json): HistoryFile {
  const file = object(content, 'history');
  if (file.format !== FORMAT) throw invalid('BAD_HISTORY', 'format', file.format ?? null, FORMAT);
  if (typeof file.activeflow_id !== 'string') throw invalid('BAD_HISTORY', 'activeflow_id', file.activeflow_id ?? null, 'an id');
  const records = list(file.records, 'records');
  if (records.length === 0) throw invalid('BAD_HISTORY', 'records', records, 'at least the one that the activeflow began with');
  for (const [at, record] of records.entries()) checkRecord(object(record, `records/${at}`), at);
  for (const [at, line] of list(file.trace, 'trace').entries()) {
    const { seq, action } = object(line, `trace/${at}`);
    if (seq !== at + 1) throw invalid('BAD_HISTORY', `trace/${at}/seq`, seq ?? null, `${at + 1}: a trace without gaps`);
    object(action, `trace/${at}/action`);
  }
  for (const [key, actions] of Object.entries(object(file.lists, 'lists'))) {
    for (const [at, action] of list(actions, `lists/${key}`).entries()) object(action, `lists/${key}/${at}`);
  }
  return file as unknown as HistoryFile;
}

function checkRecord(record: JsonObject, at: number): void {
  const where = `records/${at}`;
  if (record.revision !== at + 1) {
    throw invalid('BAD_HISTORY', `${where}/revision`, record.revision ?? null, `${at + 1}: records without gaps`);
  }
  const { kind } = object(record.input, `${where}/input`);
  if (!INPUTS.has(kind) || (at === 0) !== (kind === 'create' || kind === 'follow_up')) {
    throw invalid(
      'BAD_HISTORY',
      `${where}/input/kind`,
      kind ?? null,
      at === 0 ? 'create or follow_up' : 'change, walk or continue',
    );
  }
  for (const [n, turn] of list(record.turns, `${where}/turns`).entries())
    checkTurn(object(turn, `${where}/turns/${n}`), where, n);
  const decided = object(record.decided, `${where}/decided`);
  object(decided.state, `${where}/decided/state`);
}

function checkTurn({ now = [], ids = [], asked = {} }: JsonObject, where: string, n: number): void {
  if (!list(now, `${where}/turns/${n}/now`).every((time) => typeof time === 'number')) {
    throw invalid('BAD_HISTORY', `${where}/turns/${n}/now`, now, 'times in ms');
  }
  if (!list(ids, `${where}/turns/${n}/ids`).every((id) => typeof id === 'string')) {
    throw invalid('BAD_HISTORY', `${where}/turns/${n}/ids`, ids, 'ids');
  }
  object(asked, `${where}/turns/${n}/asked`);
}

function object(value: Json | undefined, where: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw invalid('BAD_HISTORY', where, value ?? null, 'an object');
}

function list(value: Json | undefined, where: string): readonly Json[] {
  if (Array.isArray(value)) return value;
  throw invalid('BAD_HISTORY', where, value ?? null, 'a list');
}

/** A history that was not kept, or was dropped at a good end. */
export function noHistory(id: string): FlowError {
  return new FlowError('NOT_FOUND', 'HISTORY_NOT_KEPT', `no history is kept of activeflow ${id}: see --history`, [
    { field: 'id', value: id, expected: 'an activeflow that was created while its history was to be kept' },
  ]);
}
