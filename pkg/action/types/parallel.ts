import { Type } from 'typebox';
import type { Action } from '../../model/action.ts';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts';
import { NAME, NAME_WANTED } from '../../model/participant.ts';
import { type ActionType, type Branch, defineAction, type OptionChecker } from '../definition.ts';
import { pointer } from '../pointer.ts';
import { field } from '../schema.ts';
import { InnerAction } from './shared.ts';

const MOST_BRANCHES = 20;
const DEFAULT_TIMEOUT_MS = 60_000;

const OPTION = Type.Object({
  branches: Type.Array(
    Type.Object({
      name: Type.String({ description: 'What it is called; what became of it is the variable `parallel.<name>`.' }),
      actions: Type.Array(InnerAction, { description: 'What it runs, one after another: only what the flow itself runs.' }),
    }),
    { description: `What runs side by side: up to ${MOST_BRANCHES} lists of actions.` },
  ),
  wait: field.oneOf(
    ['all', 'any', 'none'],
    'all (default): for every branch; any: for the first that goes well; none: for none of them, as an activeflow of its own.',
  ),
  timeout: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 900_000, description: 'How long branches are waited for, in ms; default 60,000.' }),
  ),
});

export const parallelAction = defineAction({
  type: 'parallel',
  medium: 'any',
  by: 'manager',
  in_branch: false,
  later: ['branches'],
  option: OPTION,
  doc: 'Runs lists of actions side by side. Fails only when none of them goes well.',
  check: checkBranches,
  mask,
  *decide({ option, action, newId }) {
    const branches = option.branches as unknown as readonly Branch[];
    const wait = option.wait || 'all';
    const timeout_ms = option.timeout ?? DEFAULT_TIMEOUT_MS;
    const names = branches.map(({ name }) => name).join(', ');
    if (wait !== 'none') return { kind: 'parallel', branches, wait, timeout_ms, reason: '' };
    // Somebody else must be responsible for what this walk does not wait for: that is an activeflow.
    const same: Action = { id: newId(), type: 'parallel', option: { ...action.option, wait: 'all' } };
    const start = { name: '', actions: [same], inputs: {}, deadline_ms: 0, from: 0 };
    return { kind: 'next', start, reason: `starts ${names}, and waits for none` };
  },
});

function checkBranches(option: JsonObject, checker: OptionChecker): JsonObject {
  const branches = Array.isArray(option.branches) ? (option.branches as readonly JsonObject[]) : [];
  if (branches.length === 0 || branches.length > MOST_BRANCHES) {
    checker.error('/branches', option.branches, `a list of 1 to ${MOST_BRANCHES} branches`);
    return option;
  }
  const seen = new Set<Json>();
  const checked = branches.map((branch, at) => {
    const path = pointer('/branches', at);
    const name = branch.name ?? null;
    if (!NAME.test(String(name))) checker.error(`${path}/name`, name, NAME_WANTED);
    if (seen.has(name)) checker.error(`${path}/name`, name, 'a name that no other branch has');
    seen.add(name);
    const actions = checker.actions(branch.actions, `${path}/actions`, refuse);
    actions.forEach((action, index) => {
      if (action.retry)
        checker.error(`${path}/actions/${index}/retry`, null, 'none: retry is for the parallel action as a whole');
    });
    return { ...branch, actions: actions as unknown as Json };
  });
  return { ...option, branches: checked };
}

/** Nobody hands a branch's action to the caller, and only one of them could move the flow. */
function refuse(type: ActionType): string | undefined {
  if (type.by === 'caller') return `an action that the flow runs by itself: ${type.type} is the caller’s, and a branch has none`;
  return type.in_branch === false ? `an action that does not move the flow itself: ${type.type} does` : undefined;
}

/** What stands in options may be a secret, and nothing is substituted here yet: the trace shows each branch by its own lines. */
function mask(option: JsonObject): JsonObject {
  if (!Array.isArray(option.branches)) return option;
  return { ...option, branches: (option.branches as readonly Json[]).map(maskBranch) };
}

function maskBranch(branch: Json): Json {
  if (!isJsonObject(branch) || !Array.isArray(branch.actions)) return branch;
  const actions = (branch.actions as readonly Json[]).map((action) => {
    if (!isJsonObject(action)) return action;
    const { option: _, ...shown } = action;
    return shown;
  });
  return { ...branch, actions };
}
