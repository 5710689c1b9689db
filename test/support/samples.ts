/** Flows and activeflows as a test needs them: whole, with new ids, and with what the test says. */

import { v7 as uuidv7 } from 'uuid';
import type { Activeflow, ActiveflowState } from '../../pkg/model/activeflow.ts';
import { START } from '../../pkg/model/activeflow.ts';
import type { Flow } from '../../pkg/model/flow.ts';
import type { HistoryRecord } from '../../pkg/model/history.ts';
import { MAIN_STACK, NIL } from '../../pkg/model/id.ts';
import { TraceLines, type TraceStep } from '../../pkg/model/trace.ts';

export function sampleFlow(changes: Partial<Flow> = {}): Flow {
  return {
    id: uuidv7(),
    customer_id: uuidv7(),
    type: 'flow',
    name: 'welcome',
    detail: 'greets and asks',
    persist: true,
    webhook_uri: '',
    list: 'a-hash',
    version: 1,
    revision: 1,
    on_complete_flow_id: NIL,
    fallback_flow_id: NIL,
    deadline_ms: 0,
    direct_id: NIL,
    direct_hash: '',
    warnings: [],
    tm_create: '2026-11-21T08:45:10.947195Z',
    tm_update: null,
    tm_delete: null,
    tm_expire: null,
    ...changes,
  };
}

export function sampleState(changes: Partial<ActiveflowState> = {}): ActiveflowState {
  return {
    current: START,
    current_stack_id: MAIN_STACK,
    stacks: [{ id: MAIN_STACK, list: 'a-hash', shared: true, return_stack_id: NIL, return_action_id: NIL }],
    forward: null,
    previous: NIL,
    step: 0,
    loops: {},
    run: null,
    wait: null,
    error: null,
    trace_seq: 0,
    event_seq: 0,
    answers: [],
    ...changes,
  };
}

export function sampleActiveflow(changes: Partial<Activeflow> = {}): Activeflow {
  return {
    id: uuidv7(),
    customer_id: uuidv7(),
    flow_id: uuidv7(),
    reference_type: 'call',
    reference_id: uuidv7(),
    reference_activeflow_id: NIL,
    on_complete_flow_id: NIL,
    fallback_flow_id: NIL,
    webhook_uri: 'https://example.com/hook',
    webhook_method: 'POST',
    create_key: '',
    tm_create: new Date().toISOString().replace('Z', '000Z'),
    revision: 1,
    status: 'running',
    state: sampleState(),
    variables: { 'voipbin.activeflow.complete_count': '0' },
    outbox: { events: [], trace: [] },
    tm_update: null,
    tm_delete: null,
    wake_at: null,
    deadline_at: null,
    ...changes,
  };
}

/** The row that the next commit makes of it. */
export function following(activeflow: Activeflow, changes: Partial<Activeflow> = {}): Activeflow {
  return { ...activeflow, revision: activeflow.revision + 1, ...changes };
}

export function sampleTraceStep(seq: number, reason = 'in order'): TraceStep {
  return {
    seq,
    action: { id: uuidv7(), type: 'goto' },
    outcome: 'jumped',
    reason,
    duration_ms: 1,
    tm: '2026-11-21T08:45:10.947195Z',
  };
}

/** As the outbox of a row has them. */
export function linesOf(...steps: readonly TraceStep[]): TraceLines[] {
  const lines = TraceLines.of(steps);
  return lines ? [lines] : [];
}

export function sampleHistoryRecord(revision: number, said: string = 'next'): HistoryRecord {
  return {
    revision,
    input: { kind: 'walk', begin: { kind: 'next', key: said } },
    turns: [
      { now: [1767323045000.125, 1767323045000.126], ids: [uuidv7()], asked: { ask: { kind: 'effect' }, answer: { ok: true } } },
    ],
    decided: { status: 'running', state: { step: revision }, trace_seq: revision, deleted: false, deadline_at: null },
  };
}
