import type { Flow, FlowType, Warning } from '../model/flow.ts';
import { type Dialect, rfc3339OrNull, timeOrNull } from './dialect.ts';
import type { FlowRow } from './schema.ts';

export function flowToRow(dialect: Dialect, flow: Flow): FlowRow {
  return {
    id: flow.id,
    customer_id: flow.customer_id,
    user_id: flow.user_id ?? null,
    type: flow.type,
    name: flow.name,
    detail: flow.detail,
    persist: flow.persist ? 1 : 0,
    webhook_uri: flow.webhook_uri,
    list: flow.list,
    version: flow.version,
    revision: flow.revision,
    on_complete_flow_id: flow.on_complete_flow_id,
    fallback_flow_id: flow.fallback_flow_id,
    deadline_ms: flow.deadline_ms,
    direct_id: flow.direct_id,
    direct_hash: flow.direct_hash,
    warnings: JSON.stringify(flow.warnings),
    tm_create: dialect.time(flow.tm_create),
    tm_update: timeOrNull(dialect, flow.tm_update),
    tm_delete: timeOrNull(dialect, flow.tm_delete),
    tm_expire: timeOrNull(dialect, flow.tm_expire),
  };
}

export function flowFromRow(dialect: Dialect, row: FlowRow): Flow {
  return {
    id: row.id,
    customer_id: row.customer_id,
    ...(row.user_id !== null && { user_id: row.user_id }),
    type: row.type as FlowType,
    name: row.name,
    detail: row.detail,
    persist: row.persist === 1,
    webhook_uri: row.webhook_uri,
    list: row.list,
    version: row.version,
    revision: row.revision,
    on_complete_flow_id: row.on_complete_flow_id,
    fallback_flow_id: row.fallback_flow_id,
    deadline_ms: row.deadline_ms,
    direct_id: row.direct_id,
    direct_hash: row.direct_hash,
    warnings: warningsOf(row.warnings),
    tm_create: dialect.rfc3339(row.tm_create),
    tm_update: rfc3339OrNull(dialect, row.tm_update),
    tm_delete: rfc3339OrNull(dialect, row.tm_delete),
    tm_expire: rfc3339OrNull(dialect, row.tm_expire),
  };
}

/** A flow runs without them: those that cannot be read are one that says so. */
function warningsOf(text: string): readonly Warning[] {
  try {
    const warnings: unknown = JSON.parse(text);
    if (Array.isArray(warnings)) return warnings as Warning[];
  } catch {
    // Below.
  }
  return [{ path: '', message: 'the warnings of this flow cannot be read any more' }];
}
