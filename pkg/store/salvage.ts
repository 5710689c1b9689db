import { type Activeflow, type ActiveflowState, type Outbox, START } from '../model/activeflow.ts';
import { MAIN_STACK, NIL } from '../model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import { OUTCOMES, TraceLines } from '../model/trace.ts';
import type { ReadActiveflow } from './activeflow-row.ts';
import { outboxText } from './state-text.ts';

/** The key of the list of an activeflow that runs on no flow: it is never looked up. */
const NO_LIST = 'empty';

export interface SalvagedJob {
  readonly name: string;
  readonly participant: NonNullable<ActiveflowState['participant']>;
}

/**
 * A row with what cannot be read of its JSON replaced: where it stood and what it has answered are kept as far as they
 * can be told, its stacks are not. Fit to be ended, not to be walked.
 *
 * @param moved the last number of a trace step that has a row of its own
 * @param job whose state it is that others may wait for; undefined: it is no job
 */
export function salvaged(row: ReadActiveflow, moved: number, job: SalvagedJob | undefined): ReadActiveflow {
  const state = parse(row.state);
  const outbox = outboxOf(parse(row.outbox));
  const variables = parse(row.variables);
  const events = outbox.events.map((event) => event.seq);
  const kept: ActiveflowState = {
    current: positionOf(state.current),
    current_stack_id: row.status === 'ended' ? NIL : MAIN_STACK,
    stacks: [{ id: MAIN_STACK, list: NO_LIST, shared: false, return_stack_id: NIL, return_action_id: NIL }],
    forward: null,
    // Whoever waits for a walk is told the end when it asks again.
    previous: text(isJsonObject(state.run) ? state.run.asked : undefined) ?? text(state.previous) ?? NIL,
    step: count(state.step) ?? 0,
    loops: {},
    run: null,
    wait: null,
    error: null,
    // In either of the forms that state-text.ts reads.
    answers: items(state.answers).filter(isAnswer) as unknown as ActiveflowState['answers'],
    // No commit has more than one event.
    event_seq: Math.max(count(state.event_seq) ?? row.revision, ...events),
    trace_seq: Math.max(count(state.trace_seq) ?? 0, moved, ...outbox.trace.map(({ last }) => last)),
    ...(job ? { job: { name: job.name, depth: 1 }, participant: job.participant } : {}),
  };
  return {
    ...row,
    state: JSON.stringify(kept),
    outbox: outboxText(outbox),
    variables: JSON.stringify(variables),
  };
}

/** An object that is none, or cannot be read, is empty. */
function parse(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

function positionOf(value: Json | undefined): Activeflow['state']['current'] {
  return isJsonObject(value) && typeof value.id === 'string' && typeof value.type === 'string'
    ? (value as unknown as Activeflow['state']['current'])
    : START;
}

/** Events lose what they had to show: they show the row as it is now. */
function outboxOf(value: JsonObject): Outbox {
  const events = list(value.events).filter((event) => count(event.seq) !== undefined && typeof event.type === 'string');
  const steps = TraceLines.ofStored(items(value.trace))?.steps ?? [];
  const lines = TraceLines.of(steps.filter(({ seq, outcome }) => seq >= 0 && OUTCOMES.includes(outcome)));
  return { events: events.map(({ seq, type }) => ({ seq, type })), trace: lines ? [lines] : [] } as unknown as Outbox;
}

function isAnswer(value: Json): boolean {
  if (Array.isArray(value)) return value.length === 2 && text(value[0]) !== undefined && count(value[1]) !== undefined;
  if (!isJsonObject(value)) return false;
  const { key, status_code, error } = value;
  return text(key) !== undefined && count(status_code) !== undefined && (error === undefined || isJsonObject(error));
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function list(value: Json | undefined): JsonObject[] {
  return items(value).filter(isJsonObject);
}

function items(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** Undefined: no whole number from 0 on. */
function count(value: Json | undefined): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}
