import { Value } from 'typebox/value';
import {
  type ActionContext,
  ActionFailure,
  type ActionType,
  type Decision,
  type Effect,
  type EffectAnswer,
} from '../../pkg/action/definition.ts';
import type { Variables } from '../../pkg/model/action.ts';
import type { ErrorData } from '../../pkg/model/activeflow.ts';
import { NIL } from '../../pkg/model/id.ts';
import type { Json, JsonObject } from '../../pkg/model/json.ts';

/** Ids that the driven activeflow has. */
export const ACTIVEFLOW = 'a0000000-0000-4000-8000-000000000001';
export const CUSTOMER = 'a0000000-0000-4000-8000-000000000002';
export const FLOW = 'a0000000-0000-4000-8000-000000000003';
export const REFERENCE = 'a0000000-0000-4000-8000-000000000004';
export const ACTION = 'a0000000-0000-4000-8000-000000000005';

/** What is different from an ordinary call's activeflow. */
export interface Setting {
  readonly activeflow?: Partial<ActionContext['activeflow']>;
  readonly variables?: Variables;
  readonly loops?: number;
  readonly now?: number;
  readonly actionAt?: ActionContext['actionAt'];
}

/** What became of an action that was driven by hand. */
interface Driven {
  /** All that it asked, in order. */
  readonly effects: readonly Effect[];
  readonly decision?: Decision;
  readonly failure?: ErrorData;
}

/** Answers in the order of the questions, or one function that answers each of them. */
type Answers = readonly EffectAnswer[] | ((effect: Effect, position: number) => EffectAnswer);

export function ok(value: Json): EffectAnswer {
  return { ok: true, value };
}

export function refused(reason: string, status = 'UNAVAILABLE'): EffectAnswer {
  return { ok: false, error: { status, reason, message: `refused: ${reason}` } };
}

/** Drives one action through its questions, with no broker and no engine. The option must fit its schema. */
export function drive(type: ActionType, option: JsonObject, answers: Answers = [], setting: Setting = {}): Driven {
  if (!Value.Check(type.option, option)) {
    throw new Error(`${type.type}: the option does not fit its schema: ${JSON.stringify(Value.Errors(type.option, option))}`);
  }
  if (type.decide === undefined) throw new Error(`${type.type} decides nothing`);
  const effects: Effect[] = [];
  try {
    const running = type.decide(contextOf(type, option, setting));
    if ('kind' in running) return { effects, decision: running };
    let step = running.next();
    while (!step.done) {
      effects.push(step.value);
      step = running.next(answerTo(answers, step.value, effects.length - 1));
    }
    return { effects, decision: step.value };
  } catch (error) {
    if (error instanceof ActionFailure) return { effects, failure: error.error };
    throw error;
  }
}

function answerTo(answers: Answers, effect: Effect, position: number): EffectAnswer {
  const answer = typeof answers === 'function' ? answers(effect, position) : answers[position];
  if (answer === undefined) throw new Error(`no answer is left for effect ${position}: ${JSON.stringify(effect)}`);
  return answer;
}

function contextOf(type: ActionType, option: JsonObject, setting: Setting): ActionContext<never> {
  let made = 0;
  const context: ActionContext = {
    activeflow: {
      id: ACTIVEFLOW,
      customer_id: CUSTOMER,
      flow_id: FLOW,
      reference_type: 'call',
      reference_id: REFERENCE,
      reference_activeflow_id: NIL,
      ...setting.activeflow,
    },
    action: { id: ACTION, type: type.type, option },
    option,
    variables: setting.variables ?? {},
    loops: setting.loops ?? 0,
    now: setting.now ?? Date.parse('2026-01-02T03:04:05Z'),
    newId: () => `b0000000-0000-4000-8000-${String(++made).padStart(12, '0')}`,
    actionAt: setting.actionAt ?? (() => undefined),
  };
  return context as ActionContext<never>;
}
