import { FlowError, toFlowError } from '../error/index.ts';
import type { Variables } from '../model/action.ts';
import type { Activeflow, ActiveflowStatus, ReferenceType } from '../model/activeflow.ts';
import { traceAfter } from '../model/trace.ts';
import type { ActiveflowCommit, UnreadableActiveflow } from '../service/ports.ts';
import { hashKey } from './answer.ts';
import { type Dialect, rfc3339OrNull, timeOrNull } from './dialect.ts';
import type { ActiveflowRow } from './schema.ts';
import { objectOf, outboxOfText, outboxText, stateOfText, stateText, UnknownForm } from './state-text.ts';

/** What `Activeflow` is made of. Named one by one: a column that a later release adds must not disturb this one. */
export const ACTIVEFLOW_COLUMNS = [
  'id',
  'customer_id',
  'user_id',
  'flow_id',
  'reference_type',
  'reference_id',
  'reference_activeflow_id',
  'on_complete_flow_id',
  'fallback_flow_id',
  'webhook_uri',
  'webhook_method',
  'create_key',
  'revision',
  'status',
  'state',
  'variables',
  'outbox',
  'wake_at',
  'deadline_at',
  'unsettled_at',
  'tm_create',
  'tm_update',
  'tm_delete',
] as const satisfies readonly (keyof ActiveflowRow)[];

export type ReadActiveflow = Pick<ActiveflowRow, (typeof ACTIVEFLOW_COLUMNS)[number]> & {
  /** The last line of its trace that has a row of its own; absent: not asked for. */
  readonly traced?: number | null;
};

/** What a commit writes, in the columns' form. */
export interface CommitRow {
  readonly id: string;
  /** The new one: the row must be at the one before it. */
  readonly revision: number;
  readonly token: string;
  readonly status: string;
  readonly state: string;
  /** null: those of the row stay */
  readonly variables: string | null;
  readonly outbox: string;
  /** 1: there are events to publish, or lines of the trace to tell */
  readonly unsettled: 0 | 1;
  readonly has_run: 0 | 1;
  readonly wake_at: string | null;
  readonly deadline_at: string | null;
  readonly tm_update: string | null;
  readonly tm_delete: string | null;
  /** About what it takes on its way to the server. */
  readonly bytes: number;
}

/** Everything in a statement besides the three texts, generously. */
const FIXED_BYTES = 1024;

/** All that has been moved on by now is left out. */
export function commitToRow(dialect: Dialect, { next, variables_changed, moved }: ActiveflowCommit, token: string): CommitRow {
  const state = stateText(next.state);
  const variables = variables_changed ? JSON.stringify(next.variables) : null;
  const outbox = outboxText(next.outbox, moved?.());
  const deadline_at = timeOrNull(dialect, next.deadline_at);
  return {
    id: next.id,
    revision: next.revision,
    token,
    status: next.status,
    state,
    variables,
    outbox,
    unsettled: next.outbox.events.length + next.outbox.trace.length > 0 ? 1 : 0,
    has_run: isWalked(next) ? 1 : 0,
    wake_at: wakeAt(dialect, next, deadline_at),
    deadline_at,
    tm_update: timeOrNull(dialect, next.tm_update),
    tm_delete: timeOrNull(dialect, next.tm_delete),
    bytes: Buffer.byteLength(state) + Buffer.byteLength(outbox) + Buffer.byteLength(variables ?? '') + FIXED_BYTES,
  };
}

/** A new row, less `unsettled_at`, which is by the database's clock. */
export function activeflowToRow(dialect: Dialect, activeflow: Activeflow, token: string): Omit<ActiveflowRow, 'unsettled_at'> {
  const { create_key } = activeflow;
  const deadline_at = timeOrNull(dialect, activeflow.deadline_at);
  return {
    id: activeflow.id,
    customer_id: activeflow.customer_id,
    user_id: activeflow.user_id ?? null,
    flow_id: activeflow.flow_id,
    reference_type: activeflow.reference_type,
    reference_id: activeflow.reference_id,
    reference_activeflow_id: activeflow.reference_activeflow_id,
    on_complete_flow_id: activeflow.on_complete_flow_id,
    fallback_flow_id: activeflow.fallback_flow_id,
    webhook_uri: activeflow.webhook_uri,
    webhook_method: activeflow.webhook_method,
    create_key: create_key === '' ? null : create_key,
    create_hash: create_key === '' ? null : hashKey(create_key),
    revision: activeflow.revision,
    status: activeflow.status,
    state: stateText(activeflow.state),
    variables: JSON.stringify(activeflow.variables),
    outbox: outboxText(activeflow.outbox),
    tokens: token,
    has_run: isWalked(activeflow) ? 1 : 0,
    wake_at: wakeAt(dialect, activeflow, deadline_at),
    deadline_at,
    tm_create: dialect.time(activeflow.tm_create),
    tm_update: timeOrNull(dialect, activeflow.tm_update),
    tm_delete: timeOrNull(dialect, activeflow.tm_delete),
  };
}

/** Throws FlowError ACTIVEFLOW_UNREADABLE. */
export function activeflowFromRow(dialect: Dialect, row: ReadActiveflow): Activeflow {
  return { ...columnsOf(dialect, row), ...jsonOf(row) };
}

/** The same for one of many: it must not take the others with it. */
export function listedFromRow(dialect: Dialect, row: ReadActiveflow): Activeflow | UnreadableActiveflow {
  try {
    return activeflowFromRow(dialect, row);
  } catch (error) {
    return { ...columnsOf(dialect, row), unreadable: toFlowError(error) };
  }
}

function jsonOf(row: ReadActiveflow): Pick<Activeflow, 'state' | 'variables' | 'outbox'> {
  const state = read(row, 'state', stateOfText);
  const variables = read(row, 'variables', (text) => objectOf(text) as Variables);
  const outbox = read(row, 'outbox', outboxOfText);
  if (row.unsettled_at !== null) return { state, variables, outbox };
  // Events that are known to be published need not be published again by whoever reads the row, and lines of the trace that
  // have been told and have a row of their own need not be carried along: who commits next may be another than moved them.
  return { state, variables, outbox: { ...outbox, events: [], trace: traceAfter(outbox.trace, row.traced ?? 0) } };
}

/** What it holds is the customer's and in no message; a syntax error would quote it. */
function read<T>(row: ReadActiveflow, column: 'state' | 'variables' | 'outbox', parse: (text: string) => T): T {
  try {
    return parse(row[column]);
  } catch (error) {
    const why = error instanceof UnknownForm ? error.message : 'it is no JSON';
    const message = `activeflow ${row.id} cannot be read: its ${column} is damaged or of a newer version: ${why}`;
    const details = [{ field: column, expected: 'what this version reads. The activeflow can be stopped or deleted as it is' }];
    throw new FlowError('INTERNAL', 'ACTIVEFLOW_UNREADABLE', message, details);
  }
}

type Columns = Omit<Activeflow, 'state' | 'variables' | 'outbox'>;

function columnsOf(dialect: Dialect, row: ReadActiveflow): Columns {
  return {
    id: row.id,
    customer_id: row.customer_id,
    ...(row.user_id !== null && { user_id: row.user_id }),
    flow_id: row.flow_id,
    reference_type: row.reference_type as ReferenceType,
    reference_id: row.reference_id,
    reference_activeflow_id: row.reference_activeflow_id,
    on_complete_flow_id: row.on_complete_flow_id,
    fallback_flow_id: row.fallback_flow_id,
    webhook_uri: row.webhook_uri,
    webhook_method: row.webhook_method,
    create_key: row.create_key ?? '',
    revision: row.revision,
    status: row.status as ActiveflowStatus,
    wake_at: rfc3339OrNull(dialect, row.wake_at),
    deadline_at: rfc3339OrNull(dialect, row.deadline_at),
    tm_create: dialect.rfc3339(row.tm_create),
    tm_update: rfc3339OrNull(dialect, row.tm_update),
    tm_delete: rfc3339OrNull(dialect, row.tm_delete),
  };
}

/** Somebody is at it, and may renew its lease. One that pauses before its next try is nobody's: what it has is that time. */
function isWalked({ state: { run } }: Activeflow): boolean {
  return run !== null && run.retry?.due == null;
}

/**
 * One indexed column says when a row must be looked at: the earlier of its timer or lease and its deadline. An ended
 * one has none, so that the index holds only what is to come.
 */
function wakeAt(dialect: Dialect, activeflow: Activeflow, deadline_at: string | null): string | null {
  if (activeflow.status !== 'running') return null;
  // Most have nothing before their deadline.
  const { wake_at: wake } = activeflow;
  const wake_at = wake === activeflow.deadline_at ? deadline_at : timeOrNull(dialect, wake);
  if (wake_at === null || deadline_at === null) return wake_at ?? deadline_at;
  return wake_at < deadline_at ? wake_at : deadline_at;
}
