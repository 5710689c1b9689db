import type { Activeflow } from '../model/activeflow.ts';
import type { Flow } from '../model/flow.ts';
import { createFollowUp } from './create.ts';
import type { Draft } from './draft.ts';
import type { World } from './world.ts';

/**
 * The activeflow that follows the end of this one. It never keeps the end from happening: the trace says why not.
 * `flow`: what on_complete_flow_id names; undefined: there is none. `given.world`: as the new activeflow sees it.
 */
export function decideFollowUp(
  draft: Draft,
  flow: Flow | undefined,
  given: { readonly id: string; readonly lease_ms: number; readonly world: World },
  world: World,
): Activeflow | undefined {
  const { base } = draft;
  const why =
    !flow || flow.tm_delete !== null ? 'no such flow' : flow.customer_id === base.customer_id ? '' : 'another customer’s';
  if (why !== '' || !flow) {
    draft.note('failed', `on_complete_flow ${base.on_complete_flow_id} was not started: ${why}`, world);
    return undefined;
  }
  try {
    return createFollowUp({ ...base, variables: draft.variables }, flow, given.id, given.lease_ms, given.world);
  } catch (error) {
    draft.note('failed', `on_complete_flow was not started: ${error instanceof Error ? error.message : String(error)}`, world);
    return undefined;
  }
}
