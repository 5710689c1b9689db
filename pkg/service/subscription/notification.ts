/** What customers are told: made of a row as it was committed, so that nothing has to be stored for those who do not listen. */
import type { Action } from '../../model/action.ts';
import type { Activeflow, ErrorData } from '../../model/activeflow.ts';
import { isSet, NIL } from '../../model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts';
import type { NotificationType } from '../../model/subscription.ts';
import type { TraceStep } from '../../model/trace.ts';

export interface Notification {
  /** Unique within its transaction: the same for the same thing, however often it is made. */
  readonly key: string;
  /** TEST: asked for by its owner. */
  readonly type: NotificationType | 'TEST';
  /** RFC 3339 */
  readonly tm: string;
  readonly payload: JsonObject;
  /** Fields of the body beside the payload, as the first receivers know them. */
  readonly beside?: JsonObject;
}

/** Whose it is. */
export interface Subject {
  readonly customer_id: string;
  /** nil: none */
  readonly flow_id: string;
  readonly reference_id: string;
  /** The transaction. */
  readonly activeflow_id: string;
}

/** Position of an action in the main list, from 1; undefined: it is in another. */
export type PositionOf = (actionId: string) => number | undefined;

/** All that can be told of a row by what is still in it, in order; most of it was told before. */
export function notificationsOf(row: Activeflow, positionOf: PositionOf): Notification[] {
  const steps = row.outbox.trace.flatMap((lines) => lines.steps);
  return [created(row), ...steps.flatMap((step) => ofStep(row, step, positionOf)), ...ofEnd(row, steps.at(-1))];
}

export function subjectOf({ id, customer_id, flow_id, reference_id }: Activeflow): Subject {
  return { activeflow_id: id, customer_id, flow_id, reference_id };
}

/** The body as it is stored; its sequence and what is missing are told when it is sent. */
export function bodyOf(subject: Subject, { type, payload, tm, beside }: Notification): string {
  return JSON.stringify({
    tenantId: subject.customer_id,
    ...(isSet(subject.reference_id) ? { referenceId: subject.reference_id } : {}),
    transactionId: subject.activeflow_id,
    notificationType: type,
    payLoad: payload,
    timestamp: tm,
    transId: subject.activeflow_id,
    flowId: subject.flow_id,
    ...beside,
  });
}

/** A transaction that was refused before it began. */
export function refused(tm: string, error: ErrorData): Notification {
  return { key: 'invalid', type: 'TRANSACTION_EVENT', tm, payload: { status: 'INVALID', error: errorOf(error) } };
}

/** A case has another status; `key` tells one change from another. */
export function caseChanged(key: string, tm: string, data: JsonObject): Notification {
  return { key, type: 'CASE_EVENT', tm, payload: data };
}

function created({ tm_create, reference_type }: Activeflow): Notification {
  return {
    key: 'created',
    type: 'TRANSACTION_EVENT',
    tm: tm_create,
    payload: { status: 'CREATED', referenceType: reference_type },
  };
}

function ofStep(row: Activeflow, step: TraceStep, positionOf: PositionOf): Notification[] {
  if (step.step === undefined) return [];
  const { tm } = step;
  const began: Notification[] =
    step.step === 1
      ? [
          { key: 'started', type: 'TRANSACTION_EVENT', tm, payload: { status: 'STARTED' } },
          {
            key: 'execution-started',
            type: 'WORKFLOW_EVENT',
            tm,
            payload: { event: 'EXECUTION_STARTED', workflowId: row.flow_id },
          },
        ]
      : [];
  return [...began, nodeEvent(step, positionOf), ...caseMade(step)];
}

function nodeEvent(step: TraceStep, positionOf: PositionOf): Notification {
  const action = step.action as Action;
  // What was pushed at run time has no place in the flow: its step, below 0, is no place of any other.
  const id = positionOf(action.id) ?? -(step.step ?? 0);
  const node: JsonObject = {
    id,
    name: `${id}:${action.name || action.type}`,
    type: action.type,
    startTime: new Date(Date.parse(step.tm) - step.duration_ms).toISOString(),
    endTime: step.tm,
    opTime: step.tm,
    cacheHit: false,
    input: Object.entries(action.option ?? {}).map(([name, value]) => ({ name, value })),
    output: outputOf(step),
  };
  return { key: `node-${step.seq}`, type: 'NODE_EVENT', tm: step.tm, payload: node, beside: { node } };
}

function outputOf({ outcome, reason }: TraceStep): JsonObject {
  const code = outcome === 'failed' ? 'FAILED' : outcome === 'passed_over' ? 'SKIPPED' : 'SUCCESS';
  return { code, message: reason, data: { outcome } };
}

const CASE_MADE = /^case ([0-9a-f-]{36})/;

/** The only trace of a case is the line of its action. */
function caseMade({ action, reason, tm, seq }: TraceStep): Notification[] {
  const id = action.type === 'case_create' ? CASE_MADE.exec(reason)?.[1] : undefined;
  if (id === undefined) return [];
  const { option } = action as Action;
  const name = isJsonObject(option) && typeof option.name === 'string' ? option.name : '';
  return [{ key: `case-${seq}`, type: 'CASE_EVENT', tm, payload: { caseId: id, event: 'CREATED', name } }];
}

function ofEnd(row: Activeflow, last: TraceStep | undefined): Notification[] {
  if (row.status !== 'ended') return [];
  const { error } = row.state;
  const tm = last?.tm ?? row.tm_update ?? row.tm_create;
  const said: JsonObject = error ? { error: errorOf(error) } : {};
  const status = !error ? 'PASSED' : error.reason === 'DEADLINE_EXCEEDED' ? 'EXPIRED' : 'FAILED';
  return [
    {
      key: 'execution-ended',
      type: 'WORKFLOW_EVENT',
      tm,
      payload: { event: 'EXECUTION_ENDED', workflowId: row.flow_id, result: error ? 'FAILURE' : 'SUCCESS', ...said },
    },
    { key: 'ended', type: 'TRANSACTION_EVENT', tm, payload: { status, ...said } },
  ];
}

function errorOf({ status, reason, message, details }: ErrorData): JsonObject {
  return { status, reason, message, ...(details === undefined ? {} : { details: details as Json }) };
}

export const NO_SUBJECT = { flow_id: NIL, reference_id: NIL, activeflow_id: NIL } as const;
