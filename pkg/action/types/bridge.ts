/** Joining the caller's call with calls that are made for it: a confbridge, and a flow for the other side. */

import { shorten } from '../../error/index.ts';
import { isUuid } from '../../model/id.ts';
import { isJsonObject } from '../../model/json.ts';
import { type ActionContext, ask, type Effect, type EffectAnswer, type NewAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { idOrNil } from './shared.ts';
import { askObject, idOf, request } from './sibling.ts';

/** Makes the confbridge that both sides meet in; returns its id. */
export function* makeConfbridge(activeflow: ActionContext['activeflow']): Generator<Effect, string, EffectAnswer> {
  const effect = request('call', 'POST', '/v1/confbridges', {
    customer_id: activeflow.customer_id,
    activeflow_id: activeflow.id,
    reference_type: activeflow.reference_type,
    reference_id: idOrNil(activeflow.reference_id),
    type: 'connect',
  });
  return idOf(effect, yield* askObject(effect));
}

export function joinConfbridge(confbridge_id: string): NewAction {
  return { type: 'confbridge_join', option: { confbridge_id } };
}

/** Makes a temporary flow for calls to run; returns its id. */
export function* makeFlow(name: string, actions: readonly NewAction[]): Generator<Effect, string, EffectAnswer> {
  const made = yield* ask({ kind: 'make_flow', name, actions });
  if (isJsonObject(made) && isUuid(made.id)) return made.id;
  throw failure('INTERNAL', 'FLOW_NOT_MADE', `expected the id of a flow, got ${shorten(made)}`);
}
