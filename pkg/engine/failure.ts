import type { ActionType, EffectAnswer } from '../action/definition.ts';
import type { ErrorData } from '../model/activeflow.ts';
import { isSet } from '../model/id.ts';
import { isJsonObject } from '../model/json.ts';
import type { Walk } from './ask.ts';
import type { Draft } from './draft.ts';
import { enterStack } from './enter.ts';
import { bounded, toErrorData } from './error-data.ts';
import { FALLBACK_POSITION } from './positions.ts';
import { findTarget } from './stacks.ts';
import { withError } from './variables.ts';
import type { World } from './world.ts';

/** Where a failure is written: `whole` when the action has no line of its own in the trace yet. */
export interface FailureLine {
  readonly since: number;
  readonly whole: boolean;
}

/**
 * An action has failed for the last time: its own on_error_target_id takes it, else its type goes on after failures,
 * else the fallback flow is pushed, once in an activeflow's life, else the flow ends with the error. False: it ended.
 * Nothing fails silently: each way writes the trace.
 */
export function* fail(draft: Draft, type: ActionType, given: ErrorData, world: World, line: FailureLine): Walk<boolean> {
  const error = bounded(given);
  draft.variables = withError(draft.variables, draft.current, error);
  const target = draft.current.on_error_target_id;
  const takes = isSet(target) ? findTarget(draft.stacks, draft.current_stack_id, target, world) : undefined;
  const said = `${error.reason}: ${error.message}`;
  if (takes) {
    draft.goTo(takes);
    draft.note('failed', `${said}; goes to on_error_target_id ${takes.action_id}`, world, line);
    return true;
  }
  if (type.on_failure === 'continue') {
    draft.note('failed', `${said}; goes on`, world, line);
    return true;
  }
  if (draft.run && isSet(draft.base.fallback_flow_id) && !draft.fallback) {
    draft.run = { ...draft.run, failing: { error, whole: line.whole } };
    yield { kind: 'checkpoint' };
    return yield* fallBack(draft, world, line.since);
  }
  return endWith(draft, error, draft.fallback ? `${said}; its fallback had taken ${draft.fallback.reason}` : said, world, line);
}

/** Looks the fallback up and pushes it; a fallback that cannot be pushed ends the flow as without one. */
export function* fallBack(draft: Draft, world: World, since: number): Walk<boolean> {
  const { run } = draft;
  if (!run?.failing) return true;
  const { error, whole } = run.failing;
  const id = draft.base.fallback_flow_id;
  const effect = { kind: 'flow', id } as const;
  const answer = yield { kind: 'effect', effect, step: draft.step, position: FALLBACK_POSITION };
  const { failing: _, ...rest } = run;
  draft.run = { ...rest, stage: 'walking' };
  const said = `${error.reason}: ${error.message}`;
  const problem = pushFallback(draft, answer, world);
  if (problem !== undefined) {
    return endWith(draft, error, `${said}; fallback_flow_id ${id} was not pushed: ${problem}`, world, { since, whole });
  }
  draft.fallback = error;
  draft.note('failed', `${said}; goes to fallback_flow_id ${id}`, world, { since, whole });
  return true;
}

/** Undefined: it was pushed; else why it was not. */
function pushFallback(draft: Draft, answer: EffectAnswer | undefined, world: World): string | undefined {
  if (!answer?.ok) return answer?.error.reason ?? 'no answer';
  const flow = answer.value;
  const own = isJsonObject(flow) && flow.customer_id === draft.base.customer_id ? flow.list : undefined;
  if (typeof own !== 'string') return 'no such flow';
  try {
    return enterStack(draft, { list: own, shared: true }, undefined, world) ? undefined : 'it has no actions';
  } catch (thrown) {
    return toErrorData(thrown).message;
  }
}

function endWith(draft: Draft, error: ErrorData, said: string, world: World, line: FailureLine): false {
  draft.note('failed', said, world, line);
  draft.error = error;
  draft.end();
  return false;
}
