import { actionType } from '../action/catalogue.ts';
import { ActionFailure, type Decision } from '../action/definition.ts';
import { type JobRun, jobOfSignal } from '../action/types/job_wait.ts';
import type { Action } from '../model/action.ts';
import type { ActiveflowState, Awaited, Position, Stack } from '../model/activeflow.ts';
import { isSet } from '../model/id.ts';
import type { Json } from '../model/json.ts';
import { begin, walkingOn } from './begin.ts';
import type { Draft } from './draft.ts';
import { checkedActions, pushActions } from './enter.ts';
import { findStack, findTarget, keepReachable, outward } from './stacks.ts';
import { assignVariables } from './variables.ts';
import { formatTime, type World } from './world.ts';

/**
 * Waiting for a signal. Where there is no caller the flow stands still (`wait`). A call asks for one action after
 * another: it walks in a stack of actions that plays in a loop and `awaits`; the signal, or the end of its time,
 * leaves that stack, and then the caller is cut off from what it is playing. A caller who asks by itself meanwhile
 * gets what comes then: the same commit has said so.
 */

type AwaitDecision = Extract<Decision, { kind: 'await' }>;

/** How long a call that has nothing to play pauses at a time, in ms. It is cut off from it. */
const PAUSE_MS = 60_000;

/** Begins to wait. False: the walk is over. Throws ActionFailure and FlowError. */
export function awaitSignal(draft: Draft, decision: AwaitDecision, world: World, since: number): boolean {
  const { signal, until, timeout_target_id: target, into, come } = decision;
  if (come) {
    if (into) draft.variables = setInto(draft, into, come.value, world);
    draft.taken = [...draft.taken, come.id];
    draft.note('run', decision.reason, world, { whole: true, since });
    return true;
  }
  if (isSet(target) && !findTarget(draft.stacks, draft.current_stack_id, target, world)) throw targetNotFound(target);
  const awaits: Awaited = {
    signal,
    due: until === undefined ? null : formatTime(Math.ceil(until)),
    at: { stack_id: draft.current_stack_id, action_id: draft.current.id },
    ...(isSet(target) ? { timeout_target_id: target } : {}),
    ...(into ? { into } : {}),
  };
  const plays = draft.base.reference_type === 'call';
  if (plays) pushActions(draft, loopOf(checkedActions(decision.actions, world), world), undefined, world, awaits);
  else draft.wait = { kind: 'signal', due: awaits.due, awaits };
  draft.note('waiting', decision.reason, world, { whole: true, since });
  return plays;
}

/** A loop in which the caller gets nothing to run would be walked until a limit ends it. */
function loopOf(actions: readonly Action[], world: World): readonly Action[] {
  const audible = actions.some(({ type }) => {
    const known = actionType(type);
    return known?.by === 'caller' && known.medium !== 'non_rtc';
  });
  if (audible) return actions;
  return [...actions, { id: world.newId(), type: 'sleep', option: { duration: PAUSE_MS } }];
}

/** Everything that is waited for now, the outermost first. */
export function awaitedBy({ stacks, wait }: Pick<ActiveflowState, 'stacks' | 'wait'>): readonly Awaited[] {
  if (stacks.length === 1 && !wait?.awaits) return [];
  return [...stacks.map(({ awaits }) => awaits), wait?.awaits].filter((awaits) => awaits !== undefined);
}

export function isAwaited(state: Pick<ActiveflowState, 'stacks' | 'wait'>, signal: string): boolean {
  return awaitedBy(state).some((awaits) => awaits.signal === signal);
}

/** Jobs that are waited for now, each once. */
export function awaitedJobs(state: Pick<ActiveflowState, 'stacks' | 'wait'>): readonly JobRun[] {
  const awaited = awaitedBy(state);
  if (awaited.length === 0) return [];
  const signals = new Set(awaited.map(({ signal }) => signal));
  return [...signals].map(jobOfSignal).filter((job) => job !== undefined);
}

/** Jobs that are waited for after this change, and those that no longer are; undefined: none was or is. */
export function jobWaits(draft: Draft): { readonly waits: readonly JobRun[]; readonly left: readonly JobRun[] } | undefined {
  const [before, waits] = [awaitedJobs(draft.base.state), awaitedJobs(draft)];
  if (before.length + waits.length === 0) return undefined;
  return { waits, left: before.filter((job) => !waits.some(({ id }) => id === job.id)) };
}

/**
 * Gives a signal and what it brings. False: it is not waited for, and nothing is changed. Throws a FlowError when what
 * it brings has no room; then it goes on waiting.
 */
export function giveSignal(draft: Draft, signal: string, value: Json, world: World): boolean {
  const awaits = awaitedBy(draft).findLast((known) => known.signal === signal);
  if (!awaits) return false;
  if (awaits.into !== undefined) draft.variables = setInto(draft, awaits.into, value, world);
  goOn(draft, awaits, `${signal} has come`, world);
  return true;
}

/** The time of what it waits for is over: of the outermost, when several are. */
export function giveUp(draft: Draft, world: World): void {
  const now = formatTime(world.now());
  const awaits = awaitedBy(draft).find(({ due }) => due !== null && due <= now);
  if (!awaits) return;
  const next = goOn(draft, awaits, `${awaits.signal} has not come by ${awaits.due}`, world);
  // Its last value would pass for this one.
  if (awaits.into !== undefined) draft.variables = setInto(draft, awaits.into, null, world);
  const { timeout_target_id: id, at } = awaits;
  const target = isSet(id) ? findTarget(draft.stacks, at.stack_id, id, world) : undefined;
  if (target && !isForwarded(draft, next)) draft.goTo(target);
}

/** True when a request has said where to go next: that was accepted before. */
function isForwarded({ forward, stacks, current_stack_id }: Draft, next: Position | undefined): boolean {
  if (!forward || forward === next) return false;
  return outward(stacks, current_stack_id).some((stack) => stack.id === forward.stack_id);
}

/** What comes next by the order, where a loop was left. */
function goOn(draft: Draft, awaits: Awaited, reason: string, world: World): Position | undefined {
  // What is being decided inside is left, whatever its sibling answers.
  const left = draft.run !== null && draft.run.stage !== 'walking';
  draft.note('resumed', reason, world, { whole: left });
  const loop = draft.stacks.find((stack) => stack.awaits === awaits);
  if (loop) return leaveLoop(draft, loop, world);
  begin(draft, 'execute', '');
  return undefined;
}

/** Leaves a loop and all that was entered from it. What others have asked for meanwhile comes first, as ever. */
function leaveLoop(draft: Draft, loop: Stack, world: World): Position | undefined {
  const inside = outward(draft.stacks, draft.current_stack_id);
  let next: Position | undefined;
  for (const { id } of inside.slice(0, inside.indexOf(loop) + 1)) {
    // As it is now: dropping the one inside of it may have led it elsewhere.
    const stack = findStack(draft.stacks, id);
    if (stack) next = draft.dropStack(stack, world);
  }
  draft.current_stack_id = loop.return_stack_id;
  if (next) draft.forward ??= next;
  draft.stacks = keepReachable(draft.stacks, draft.current_stack_id, draft.forward?.stack_id ?? draft.current_stack_id);
  cutOff(draft);
  return next;
}

/** A walk that is under way goes on by itself, and its caller waits for the answer; else the caller must be told. */
function cutOff(draft: Draft): void {
  if (draft.wait) begin(draft, 'execute', '');
  else if (!draft.run) draft.cut_off = true;
  else {
    // What was to be sent after a push goes with what was pushed.
    const { after: _, ...run } = draft.run;
    draft.run = walkingOn(run);
  }
}

/** What comes from outside has a limit of its own, which may be above that of one variable. */
function setInto(draft: Draft, name: string, value: Json, world: World) {
  const limits = { ...world.limits, variable_bytes: Math.max(world.limits.variable_bytes, world.limits.variables_bytes) };
  return assignVariables(draft.variables, { [name]: value }, limits, '/into');
}

function targetNotFound(target: string): ActionFailure {
  const message = `no action ${target} in the current stack or those it returns to`;
  return new ActionFailure({ status: 'INVALID_ARGUMENT', reason: 'TARGET_NOT_FOUND', message });
}
