import type { Draft } from '../../engine/draft.ts';
import type { Activeflow } from '../../model/activeflow.ts';
import type { Decided } from '../../model/history.ts';
import type { Json, JsonObject } from '../../model/json.ts';

/** Members of the state that are no decisions: numbers that count, answers of earlier requests, when a caller is looked for. */
export const LEFT_OUT: ReadonlySet<string> = new Set(['trace_seq', 'event_seq', 'answers', 'look_at']);

/** What a commit has changed. `before` undefined: everything is new. A member that is the same object was not changed. */
export function decided(
  before: Activeflow | undefined,
  after: Activeflow,
  caused: Pick<Decided, 'beside' | 'follow_up'> = {},
): Decided {
  const known: Record<string, unknown> = { ...before?.state };
  const state = Object.entries(after.state).filter(([name, value]) => !LEFT_OUT.has(name) && value !== known[name]);
  const gone = Object.keys(known).filter((name) => !LEFT_OUT.has(name) && !(name in after.state));
  const answer = after.state.answers.at(-1);
  const answered = answer !== undefined && answer !== before?.state.answers.at(-1);
  return {
    status: after.status,
    state: Object.fromEntries([...state, ...gone.map((name) => [name, null])]) as unknown as JsonObject,
    ...(after.variables === before?.variables ? {} : { variables: changedVariables(before, after) }),
    trace_seq: after.state.trace_seq,
    deleted: after.tm_delete !== null,
    deadline_at: after.deadline_at,
    ...(answered ? { answer: withoutTimes(answer) } : {}),
    ...caused,
  };
}

/** What the commit of this draft does besides its own row. `followUp`: the activeflow that follows its end. */
export function causedBy(draft: Draft, followUp: Activeflow | undefined): Pick<Decided, 'beside' | 'follow_up'> {
  const { starts, participants, taken, response } = draft;
  const kept = draft.kept.map((arrival) => arrival.id);
  const beside = {
    ...(starts.length > 0 ? { starts } : {}),
    ...(participants.length > 0 ? { participants } : {}),
    ...(kept.length > 0 ? { kept } : {}),
    ...(taken.length > 0 ? { taken } : {}),
    ...(response ? { response } : {}),
  };
  return { beside: beside as unknown as JsonObject, ...(followUp ? { follow_up: followUp.id } : {}) };
}

function changedVariables(before: Activeflow | undefined, { variables }: Activeflow): NonNullable<Decided['variables']> {
  const known = before?.variables ?? {};
  const set = Object.entries(variables).filter(([name, value]) => !Object.hasOwn(known, name) || known[name] !== value);
  const gone = Object.keys(known).filter((name) => !Object.hasOwn(variables, name));
  return { set: Object.fromEntries(set), gone };
}

/** When it was stored is no decision. */
function withoutTimes(answer: Activeflow['state']['answers'][number]): Json {
  const { tm_update: _updated, tm_delete: _deleted, ...rest } = answer;
  return rest as unknown as Json;
}
