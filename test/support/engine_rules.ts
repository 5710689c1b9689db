/** What holds of every row that the engine makes, whatever was asked of it. */
import { AssertionError } from 'chai';
import type { Limits } from '../../pkg/engine/world.ts';
import type { Activeflow, Stack } from '../../pkg/model/activeflow.ts';
import { ACTION_FINISH, ACTION_START, MAIN_STACK, NIL } from '../../pkg/model/id.ts';
import type { TraceStep } from '../../pkg/model/trace.ts';

/** Checked some hundred thousand times in a run: chai's own chains take ten times as long. */
function must(holds: boolean, what: string, ...shown: readonly unknown[]): void {
  if (!holds) throw new AssertionError(`${what}: ${shown.map((value) => JSON.stringify(value)).join(', ')}`);
}

/** Checks one commit: the row before it and after it, and the whole trace up to it. */
export function checkCommit(before: Activeflow, after: Activeflow, trace: readonly TraceStep[], limits: Limits): void {
  must(after.revision === before.revision + 1, 'one revision more', before.revision, after.revision);
  checkStacks(before, after, limits);
  checkTrace(before, after, trace);
  checkLimits(before, after, limits);
  if (before.status === 'ended') checkStillEnded(before, after);
  if (after.status === 'ended') checkEnded(after);
}

function checkStacks(before: Activeflow, after: Activeflow, limits: Limits): void {
  const { stacks, current_stack_id, forward, loops } = after.state;
  must(stacks[0]?.id === MAIN_STACK && same(stacks[0], before.state.stacks[0]), 'the main stack comes first, as it was', stacks);
  const ids = new Set(stacks.map((stack) => stack.id));
  must(ids.size === stacks.length, 'stacks have ids of their own', stacks);
  must(stacks.length <= limits.stacks, 'at most so many stacks', stacks.length, limits.stacks);
  if (after.status === 'ended') return;
  const reached = new Set([...pathToMain(stacks, current_stack_id), ...(forward ? pathToMain(stacks, forward.stack_id) : [])]);
  must(reached.size === ids.size, 'a stack that nothing leads to', stacks, current_stack_id, forward);
  const counted = Object.keys(loops).map((place) => place.slice(0, place.indexOf('/')));
  must(
    counted.every((stack) => reached.has(stack)),
    'a loop count of a dropped stack',
    loops,
    stacks,
  );
}

/** Ids from a stack to the main one. It is an error that the path does not end there. */
function pathToMain(stacks: readonly Stack[], from: string): string[] {
  const path = [from];
  for (let at = from; at !== MAIN_STACK; ) {
    const stack = stacks.find((known) => known.id === at);
    if (!stack) throw new AssertionError(`stack ${at} is not there; the path was ${path.join(' ')}`);
    at = stack.return_stack_id;
    must(!path.includes(at), 'stacks return in a circle', path, at);
    path.push(at);
  }
  return path;
}

function checkTrace(before: Activeflow, after: Activeflow, trace: readonly TraceStep[]): void {
  const { trace_seq } = after.state;
  must(trace_seq === trace.length, 'the last number of the trace', trace_seq, trace.length);
  const fresh = trace.slice(before.state.trace_seq);
  must(
    fresh.every((line, at) => line.seq === before.state.trace_seq + 1 + at),
    'trace numbers have no gap',
    fresh,
  );
  const steps = trace.flatMap((line) => (line.step === undefined ? [] : [line.step]));
  must(
    steps.every((step, at) => step === at + 1),
    'each step of the cursor has one whole line',
    steps,
  );
  const { step, current } = after.state;
  // What is left behind has its line; the current action has one once it was acted on; finish has none.
  const lines = current.id === ACTION_FINISH ? [step - 1] : [step - 1, step];
  if (step > 0) must(lines.includes(steps.length), 'as many lines as steps', steps, step);
  must((step === 0) === (current.id === ACTION_START), 'at step 0 is the start and nothing else', step, current);
}

function checkLimits(before: Activeflow, after: Activeflow, limits: Limits): void {
  const { step, run, answers, current } = after.state;
  const finished = current.id === ACTION_FINISH ? 1 : 0;
  must(step - finished <= limits.actions_per_activeflow, 'actions of the activeflow', step, limits);
  must(step >= before.state.step, 'the cursor goes forth only', before.state.step, step);
  must((run?.steps ?? 0) <= limits.actions_per_request, 'actions of the request', run, limits);
  must(answers.length <= limits.answers, 'answers kept', answers.length, limits);
  must(new Set(answers.map((answer) => answer.key)).size === answers.length, 'one answer a key', answers);
}

function checkEnded({ state }: Activeflow): void {
  const { current_stack_id, forward, run, wait, loops, stacks } = state;
  const nothing = forward === null && run === null && wait === null && Object.keys(loops).length === 0;
  must(nothing && current_stack_id === NIL && stacks.length === 1, 'nothing is left to do after the end', state);
}

/** Only answers, the trace and the deletion may still be added. */
function checkStillEnded(before: Activeflow, after: Activeflow): void {
  must(after.status === 'ended' && same(after.variables, before.variables), 'the end is the end', before, after);
  for (const key of ['current', 'previous', 'step', 'error'] as const) {
    must(same(after.state[key], before.state[key]), `${key} after the end`, before.state[key], after.state[key]);
  }
}

/** Between requests nobody is walking: it waits for its caller, for something, or has ended. */
export function checkAtRest(row: Activeflow): void {
  const { run, wait, current, step } = row.state;
  must(run === null, 'a run that nobody is at', run);
  if (wait) must(row.status === 'running' && step > 0, 'waits at an action', wait, current);
}

export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
