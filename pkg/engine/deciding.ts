import {
  type ActionContext,
  ActionFailure,
  type ActionType,
  type Deciding,
  type Decision,
  type EffectAnswer,
} from '../action/definition.ts';
import { optionErrors } from '../action/option.ts';
import { shorten } from '../error/index.ts';
import type { JsonObject } from '../model/json.ts';
import type { Walk } from './ask.ts';
import type { Draft } from './draft.ts';
import { checkStart } from './job.ts';
import { FIRST_POSITION } from './positions.ts';
import { attemptOf } from './retry.ts';
import { findStack } from './stacks.ts';
import type { World } from './world.ts';

/** How one action decides, whether the cursor is at it or it stands in a branch beside others. */

const handOver: Decision = { kind: 'hand_over', reason: '' };

/** Whether an option still fits its type once it is substituted. Throws ActionFailure. */
export function checkOptionOf(type: ActionType, option: JsonObject | undefined): void {
  const errors = optionErrors(type.type, option ?? {});
  const [first] = errors;
  if (!first) return;
  throw new ActionFailure({
    status: 'INVALID_ARGUMENT',
    reason: 'INVALID_ACTION_OPTION',
    message: `option${first.path}: expected ${first.expected}, got ${shorten(first.value)}`,
    details: errors.map(({ path, expected }) => ({ field: `option${path}`, expected })),
  });
}

/** What an action decides at once, or how it goes about it where it has to ask: for `performDeciding`. */
export function decisionOf(type: ActionType, context: () => ActionContext): Decision | Deciding {
  return type.decide ? type.decide(context()) : handOver;
}

/** What an action asks for on its way to a decision. `offset`: where its positions begin. `asked.any` becomes true once it has. */
export function* performDeciding(draft: Draft, deciding: Deciding, offset: number, asked: { any: boolean }): Walk<Decision> {
  let position = offset + FIRST_POSITION;
  let result = deciding.next();
  while (!result.done) {
    if (!asked.any) yield { kind: 'checkpoint' };
    asked.any = true;
    const { step } = draft;
    const ask = { kind: 'effect', effect: result.value, step, position, ...attemptOf(draft) } as const;
    const answer: EffectAnswer | undefined = yield ask;
    position += 1;
    result = deciding.next(answer ?? noAnswer);
  }
  return result.value;
}

const noAnswer: EffectAnswer = {
  ok: false,
  error: { status: 'INTERNAL', reason: 'NO_ANSWER', message: 'an effect was resumed without an answer' },
};

/** What a step does beside moving on: it is committed with it, or not at all. */
export function beside(draft: Draft, { participant, start }: Decision, world: World): void {
  if (participant) draft.participants = [...draft.participants, participant];
  if (!start) return;
  checkStart(draft.base, start, world.limits);
  draft.starts = [...draft.starts, { ...start, id: world.newId() }];
}

/** What the action that the cursor is at may look at. */
export function contextOf(draft: Draft, world: World): ActionContext {
  const { base, current } = draft;
  const stack = findStack(draft.stacks, draft.current_stack_id);
  return {
    activeflow: base,
    action: current,
    option: (current.option ?? {}) as JsonObject,
    variables: draft.variables,
    loops: draft.jumps,
    now: world.now(),
    newId: world.newId,
    actionAt: (index) => stack && world.list(stack).actions[index]?.id,
  };
}
