import { actionType } from '../action/catalogue.ts';
import { type ActionContext, ActionFailure, type ActionType, type Decision, type EffectAnswer } from '../action/definition.ts';
import { checkOption, coerceOption } from '../action/option.ts';
import { shorten } from '../error/index.ts';
import { NIL } from '../model/id.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { Walk } from './ask.ts';
import { awaitSignal } from './await.ts';
import type { Draft } from './draft.ts';
import { checkedActions, enterStack, pushActions } from './enter.ts';
import { toErrorData } from './error-data.ts';
import { fail } from './failure.ts';
import { AFTER_POSITION, FIRST_POSITION, SUBSTITUTION_POSITION } from './positions.ts';
import { respond } from './respond.ts';
import { attemptOf, tryAgain } from './retry.ts';
import { findStack, findTarget } from './stacks.ts';
import { mentions, REFERENCE_DATA, substituteObject } from './substitute.ts';
import { assignVariables } from './variables.ts';
import { formatTime, type World } from './world.ts';

/** Substitutes the option of the current action; asks for the reference's data first where the option names it. */
export function* prepareOption(draft: Draft, mayAsk: boolean): Walk<void> {
  const { current } = draft;
  if (current.option) {
    let variables = draft.variables;
    if (mayAsk && mentions(current.option, REFERENCE_DATA)) {
      variables = { ...variables, [REFERENCE_DATA]: yield* referenceData(draft) };
    }
    const substituted = { ...substituteObject(current.option, variables), ...later(current.type, current.option) };
    draft.current = { ...current, option: coerceOption(current.type, substituted, current.option) };
  }
  if (draft.run) draft.run = { ...draft.run, stage: 'deciding' };
}

/** The parts of an option that are substituted when the actions in them run: whatever is put in twice would be code. */
function later(type: string, option: JsonObject): JsonObject {
  const keys = actionType(type)?.later ?? [];
  return Object.fromEntries(Object.entries(option).filter(([key]) => keys.includes(key)));
}

/** The call or conversation as its sibling shows it; nothing where there is none or it does not answer. */
function* referenceData(draft: Draft): Walk<Json> {
  const { reference_type, reference_id } = draft.base;
  const source =
    reference_type === 'call' ? ['call', 'calls'] : reference_type === 'conversation' ? ['conversation', 'conversations'] : [];
  const [to, resource] = source;
  if (to === undefined) return null;
  yield { kind: 'checkpoint' };
  const effect = { kind: 'request', to, method: 'GET', uri: `/v1/${resource}/${reference_id}` } as const;
  const answer = yield { kind: 'effect', effect, step: draft.step, position: SUBSTITUTION_POSITION };
  return answer?.ok ? answer.value : null;
}

/** Lets the current action decide, and applies what it decided. False: the walk is over. */
export function* decideCurrent(draft: Draft, type: ActionType, world: World, since: number): Walk<boolean> {
  const asked = { any: false };
  try {
    checkCurrent(draft, type);
    const decision = respond(draft, type.decide ? yield* runDecision(draft, type, world, asked) : handOver, world);
    if (decision.set) draft.variables = assignVariables(draft.variables, decision.set, world.limits, '/variables');
    return yield* apply(draft, decision, world, since);
  } catch (thrown) {
    const error = toErrorData(thrown);
    // What has failed by itself would fail again.
    if (asked.any && tryAgain(draft, error, world, since)) return false;
    return yield* fail(draft, type, error, world, { since, whole: true });
  }
}

const handOver: Decision = { kind: 'hand_over', reason: '' };

function checkCurrent(draft: Draft, type: ActionType): void {
  const { errors } = checkOption(type.type, draft.current.option ?? {}, { templates: false });
  const [first] = errors;
  if (!first) return;
  throw new ActionFailure({
    status: 'INVALID_ARGUMENT',
    reason: 'INVALID_ACTION_OPTION',
    message: `option${first.path}: expected ${first.expected}, got ${shorten(first.value)}`,
    details: errors.map(({ path, expected }) => ({ field: `option${path}`, expected })),
  });
}

/** `asked.any` becomes true once it has asked for something. */
function* runDecision(draft: Draft, type: ActionType, world: World, asked: { any: boolean }): Walk<Decision> {
  const deciding = type.decide?.(contextOf(draft, world));
  if (!deciding) return handOver;
  let position = FIRST_POSITION;
  let result = deciding.next();
  while (!result.done) {
    if (!asked.any) yield { kind: 'checkpoint' };
    asked.any = true;
    const { step } = draft;
    const answer: EffectAnswer | undefined = yield {
      kind: 'effect',
      effect: result.value,
      step,
      position,
      ...attemptOf(draft),
    };
    position += 1;
    result = deciding.next(answer ?? noAnswer);
  }
  return result.value;
}

const noAnswer: EffectAnswer = {
  ok: false,
  error: { status: 'INTERNAL', reason: 'NO_ANSWER', message: 'an effect was resumed without an answer' },
};

function contextOf(draft: Draft, world: World): ActionContext {
  const { base, current } = draft;
  const stack = findStack(draft.stacks, draft.current_stack_id);
  return {
    activeflow: base,
    action: current,
    option: (current.option ?? {}) as JsonObject,
    variables: draft.variables,
    loops: draft.loops[draft.place] ?? 0,
    now: world.now(),
    newId: world.newId,
    actionAt: (index) => stack && world.list(stack).actions[index]?.id,
  };
}

function* apply(draft: Draft, decision: Decision, world: World, since: number): Walk<boolean> {
  const whole = { whole: true, since };
  switch (decision.kind) {
    case 'hand_over':
      draft.note('handed_over', decision.reason, world, whole);
      return false;
    case 'next':
      draft.note('run', decision.reason, world, whole);
      return true;
    case 'loop_done':
      draft.setLoops(draft.place, 0);
      draft.note('run', decision.reason, world, whole);
      return true;
    case 'jump':
      jump(draft, decision.target, world);
      if (decision.loops !== undefined) draft.setLoops(draft.place, decision.loops);
      draft.note('jumped', decision.reason, world, whole);
      return true;
    case 'push':
      return yield* push(draft, decision, world, since);
    case 'wait': {
      draft.wait =
        decision.ms === undefined
          ? { kind: 'block', due: null }
          : { kind: 'timer', due: formatTime(Math.ceil(world.now() + decision.ms)) };
      draft.note('waiting', decision.reason, world, whole);
      return false;
    }
    case 'await':
      return awaitSignal(draft, decision, world, since);
    case 'finish':
      draft.note('run', decision.reason, world, whole);
      draft.finish();
      return false;
  }
}

function jump(draft: Draft, target: string, world: World): void {
  const found = findTarget(draft.stacks, draft.current_stack_id, target, world);
  if (!found) {
    throw new ActionFailure({
      status: 'INVALID_ARGUMENT',
      reason: 'TARGET_NOT_FOUND',
      message: `no action ${target} in the current stack or those it returns to`,
    });
  }
  draft.goTo(found);
}

type Push = Extract<Decision, { kind: 'push' }>;

function* push(draft: Draft, decision: Push, world: World, since: number): Walk<boolean> {
  const entered = pushDecided(draft, decision, world);
  draft.note(entered ? 'pushed' : 'run', entered ? decision.reason : `${decision.reason}; nothing to push`, world, {
    whole: true,
    since,
  });
  if (!decision.after || !draft.run) return true;
  const stack_id = entered ? (draft.forward?.stack_id ?? NIL) : NIL;
  draft.run = { ...draft.run, stage: 'walking', after: { ...decision.after, stack_id } };
  yield { kind: 'checkpoint' };
  return yield* performAfter(draft, world);
}

function pushDecided(draft: Draft, decision: Push, world: World): boolean {
  if (decision.list !== undefined) return enterStack(draft, { list: decision.list, shared: true }, decision.stack_id, world);
  return pushActions(draft, checkedActions(decision.actions, world), decision.stack_id, world);
}

/** Sends what had to wait until the push was stored: the sibling may act on it before it has answered. */
export function* performAfter(draft: Draft, world: World): Walk<boolean> {
  const after = draft.run?.after;
  const type = actionType(draft.current.type);
  if (!after || !type) return true;
  const since = world.now();
  const { stack_id, ...request } = after;
  const effect = { kind: 'request', ...request, method: after.method as 'POST' } as const;
  const answer = yield { kind: 'effect', effect, step: draft.step, position: AFTER_POSITION, ...attemptOf(draft) };
  // Only this is tried again: what was pushed stays, and is told of once more.
  if (answer && !answer.ok && tryAgain(draft, answer.error, world, since)) return false;
  if (draft.run) {
    const { after: _, ...run } = draft.run;
    draft.run = run;
  }
  if (!answer || answer.ok) return true;
  const pushed = findStack(draft.stacks, stack_id);
  if (pushed) draft.dropStack(pushed, world);
  return yield* fail(draft, type, answer.error, world, { since, whole: false });
}
