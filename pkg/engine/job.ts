import type { StartDecision } from '../action/definition.ts';
import { exhausted } from '../error/index.ts';
import type { Variables } from '../model/action.ts';
import type { Activeflow } from '../model/activeflow.ts';
import type { Flow } from '../model/flow.ts';
import { ACTION_FINISH } from '../model/id.ts';
import type { Json } from '../model/json.ts';
import { JOB_PREFIX, PARTICIPANT_LIMITS, participantOf } from '../model/participant.ts';
import type { NewActiveflow } from './create.ts';
import type { Draft, Start } from './draft.ts';
import { assignVariables, byteLength } from './variables.ts';
import type { Limits } from './world.ts';

/**
 * Activeflows that run beside the one that has started them. What becomes of a job is an entry of its participant's
 * data, written by the very commits that start and end it: it cannot stay ONGOING when the job is over.
 */
export type JobState =
  | { readonly status: 'ONGOING'; readonly id: string }
  | { readonly status: 'SUCCESS'; readonly id: string; readonly result: Json }
  | {
      readonly status: 'FAILED';
      readonly id: string;
      readonly error: { readonly reason: string; readonly message: string };
      /** What it has answered, if it has. */
      readonly result?: Json;
    };

/** Inputs under the names by which the job reads them. */
export function inputVariables(inputs: Variables): Variables {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`input.${name}`, value]));
}

/** Throws a FlowError when it cannot be started: while the action that wants it can still fail. */
export function checkStart(caller: Activeflow, start: StartDecision, limits: Limits): void {
  const depth = depthOf(caller);
  if (depth > limits.complete_depth) {
    throw exhausted('JOB_DEPTH', `jobs may start each other at most ${limits.complete_depth} deep`);
  }
  assignVariables({}, inputVariables(start.inputs), limits, '/inputs');
}

function depthOf(caller: Activeflow): number {
  return (caller.state.job?.depth ?? 0) + 1;
}

/** What the activeflow of a start is made from. `runs`: its flow, or the key of its list. */
export function newJob(
  caller: Pick<Draft, 'base' | 'variables'>,
  start: Start,
  runs: { readonly flow: Flow } | { readonly list: string },
  options: { readonly lease_ms: number; readonly deadline_ms: number },
): NewActiveflow {
  const { base } = caller;
  const { customer_id: _, ...participant } = participantOf(base);
  const common = {
    id: start.id,
    customer_id: base.customer_id,
    ...(base.user_id === undefined ? {} : { user_id: base.user_id }),
    reference_type: 'api',
    reference_id: participant.reference_id,
    webhook_uri: '',
    webhook_method: '',
    create_key: '',
    participant,
    job: { name: start.name, depth: depthOf(base) },
    runs_ms: options.lease_ms,
    started_by: base.id,
    variables: {},
  } as const;
  if ('list' in runs) {
    const data = Object.fromEntries(Object.entries(caller.variables).filter(([name]) => !name.startsWith('voipbin.activeflow.')));
    return { ...common, list: runs.list, inputs: data, deadline_ms: start.deadline_ms || options.deadline_ms };
  }
  const flow = start.deadline_ms > 0 ? { ...runs.flow, deadline_ms: start.deadline_ms } : runs.flow;
  return { ...common, flow, inputs: inputVariables(start.inputs), deadline_ms: options.deadline_ms };
}

/** The entry of a job that this commit ends; undefined: it ends none that anybody asks for. */
export function endedJob(draft: Draft): { readonly key: string; readonly value: Json } | undefined {
  const { base } = draft;
  const name = base.state.job?.name ?? '';
  if (name === '' || base.status !== 'running' || draft.status !== 'ended') return undefined;
  return { key: JOB_PREFIX + name, value: stateOf(draft) as unknown as Json };
}

function stateOf(draft: Draft): JobState {
  const { base, error, answered } = draft;
  const { id } = base;
  const failed = (reason: string, message: string): JobState => ({
    ...failedJob(id, reason, message),
    ...(answered ? { result: answered.data } : {}),
  });
  if (error) return failed(error.reason, error.message);
  if (draft.current.id !== ACTION_FINISH) return failed('STOPPED', 'stopped before its end, by request');
  if (answered && answered.status >= 400) return failed(answered.code, `it has answered ${answered.status}`);
  if (answered) return { status: 'SUCCESS', id, result: answered.data };
  const result = resultOf(draft.variables);
  const bytes = byteLength(JSON.stringify(result));
  if (bytes <= MOST_RESULT_BYTES) return { status: 'SUCCESS', id, result };
  return failedJob(id, 'RESULT_TOO_LARGE', `its result takes ${bytes} bytes, more than ${MOST_RESULT_BYTES}`);
}

/** With room for what is around it. */
export const MOST_RESULT_BYTES = PARTICIPANT_LIMITS.value_bytes - 1024;

export function failedJob(id: string, reason: string, message: string): JobState {
  return { status: 'FAILED', id, error: { reason, message } };
}

/** Without an answer: the variable `result`, else an object of all whose names begin with `result.`, else null. */
function resultOf(variables: Variables): Json {
  if (Object.hasOwn(variables, RESULT)) return variables[RESULT] ?? null;
  const parts = Object.entries(variables).filter(([name]) => name.startsWith(`${RESULT}.`));
  return parts.length === 0 ? null : Object.fromEntries(parts.map(([name, value]) => [name.slice(RESULT.length + 1), value]));
}

const RESULT = 'result';
