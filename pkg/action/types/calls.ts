/** `POST /v1/calls` of the call manager, as connect and call ask it. */
import { isUuid } from '../../model/id.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import { isJsonObject } from '../../model/json.ts';
import type { Effect, EffectAnswer } from '../definition.ts';
import { type AddressOption, addressesJson, addressJson, given, textOrNothing } from './shared.ts';
import { answerInvalid, askObject, listOf, request } from './sibling.ts';

interface NewCalls {
  readonly customer_id: string;
  readonly flow_id: string;
  /** nil: the calls live on when the caller's ends */
  readonly master_call_id: string;
  readonly source: AddressOption | undefined;
  readonly destinations: readonly AddressOption[];
  readonly early_execution: boolean;
  /** The first answer moves the caller on to its next action. */
  readonly connect: boolean;
  readonly anonymous: string | undefined;
}

interface MadeCalls {
  /** Ids of the calls, in the order of the destinations. */
  readonly calls: readonly string[];
  /** How many groups of calls were made for destinations that stand for several. */
  readonly groupcalls: number;
}

export function* makeCalls(calls: NewCalls): Generator<Effect, MadeCalls, EffectAnswer> {
  const effect = request('call', 'POST', '/v1/calls', callsJson(calls));
  const answer = yield* askObject(effect);
  const made = listOf(effect, answer, 'calls').map((call: Json) => {
    if (!isJsonObject(call) || !isUuid(call.id)) throw answerInvalid(effect, 'calls that each have an id (UUID)', answer);
    return call.id;
  });
  return { calls: made, groupcalls: listOf(effect, answer, 'groupcalls').length };
}

/** For the trace: `2 calls, 0 group calls`. */
export function countText({ calls, groupcalls }: MadeCalls): string {
  return `${calls.length} ${calls.length === 1 ? 'call' : 'calls'}, ${groupcalls} group ${groupcalls === 1 ? 'call' : 'calls'}`;
}

function callsJson(calls: NewCalls): JsonObject {
  return given({
    customer_id: calls.customer_id,
    flow_id: calls.flow_id,
    master_call_id: calls.master_call_id,
    source: addressJson(calls.source),
    destinations: addressesJson(calls.destinations),
    early_execution: calls.early_execution,
    connect: calls.connect,
    anonymous: textOrNothing(calls.anonymous),
  });
}
