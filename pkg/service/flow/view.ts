import type { Action } from '../../model/action.ts';
import type { Flow, FlowVersion } from '../../model/flow.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import { viewActions } from '../activeflow/view.ts';

/** What is known of a flow when its actions cannot be read. */
export function viewHead({ id, customer_id, type, name, detail, persist, version, ...flow }: Flow) {
  const { tm_create, tm_update, tm_delete } = flow;
  return { id, customer_id, type, name, detail, persist, version, tm_create, tm_update, tm_delete };
}

/** A flow as siblings see it. */
export function viewFlow(flow: Flow, actions: readonly Action[]): JsonObject {
  return {
    id: flow.id,
    customer_id: flow.customer_id,
    ...(flow.user_id === undefined ? {} : { user_id: flow.user_id }),
    type: flow.type,
    name: flow.name,
    detail: flow.detail,
    persist: flow.persist,
    webhook_uri: flow.webhook_uri,
    actions: viewActions(actions),
    version: flow.version,
    direct_id: flow.direct_id,
    direct_hash: flow.direct_hash,
    on_complete_flow_id: flow.on_complete_flow_id,
    fallback_flow_id: flow.fallback_flow_id,
    ...(flow.deadline_ms > 0 ? { deadline_ms: flow.deadline_ms } : {}),
    ...(flow.warnings.length > 0 ? { warnings: flow.warnings as unknown as readonly Json[] } : {}),
    tm_create: flow.tm_create,
    tm_update: flow.tm_update,
    tm_delete: flow.tm_delete,
    ...(flow.tm_expire === null ? {} : { tm_expire: flow.tm_expire }),
  };
}

export function viewVersion(version: FlowVersion, actions: readonly Action[]): JsonObject {
  return { flow_id: version.flow_id, version: version.version, actions: viewActions(actions), tm_create: version.tm_create };
}
