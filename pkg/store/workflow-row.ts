import type { JsonObject } from '../model/json.ts';
import type { Callable, CallEnd, CalledWith, ResponseDelivery, WorkflowCall } from '../model/workflow.ts';
import type { NewCall } from '../service/ports.ts';
import { type Dialect, rfc3339OrNull, timeOrNull } from './dialect.ts';
import type { CallableRow, WorkflowCallRow } from './schema.ts';

/** Named one by one: a column that a later release adds must not disturb this one. */
export const CALLABLE_COLUMNS = [
  'flow_id',
  'customer_id',
  'enabled',
  'alias',
  'input_schema',
  'allowed_users',
  'allowed_teams',
  'response_types',
  'timeout',
  'managed',
  'revision',
  'tm_create',
  'tm_update',
] as const satisfies readonly (keyof CallableRow)[];

export const CALL_COLUMNS = [
  'id',
  'customer_id',
  'user_id',
  'teams',
  'internal',
  'workflow',
  'flow_id',
  'depth',
  'called_with',
  'state',
  'status',
  'code',
  'response',
  'delivery',
  'tm_create',
  'tm_end',
] as const satisfies readonly (keyof WorkflowCallRow)[];

/** The state of a call that is not answered. */
const OPEN = 'OPEN';

export function callableToRow(dialect: Dialect, callable: Callable): CallableRow {
  return {
    flow_id: callable.flow_id,
    customer_id: callable.customer_id,
    enabled: callable.enabled ? 1 : 0,
    alias: callable.alias === '' ? null : callable.alias,
    input_schema: callable.input_schema === null ? null : JSON.stringify(callable.input_schema),
    allowed_users: JSON.stringify(callable.allowed_users),
    allowed_teams: JSON.stringify(callable.allowed_teams),
    response_types: JSON.stringify(callable.response_types),
    timeout: callable.timeout,
    managed: callable.managed ? 1 : 0,
    revision: callable.revision,
    tm_create: dialect.time(callable.tm_create),
    tm_update: timeOrNull(dialect, callable.tm_update),
  };
}

export function callableFromRow(dialect: Dialect, row: CallableRow): Callable {
  return {
    flow_id: row.flow_id,
    customer_id: row.customer_id,
    enabled: row.enabled === 1,
    alias: row.alias ?? '',
    input_schema: row.input_schema === null ? null : (JSON.parse(row.input_schema) as JsonObject),
    allowed_users: JSON.parse(row.allowed_users) as string[],
    allowed_teams: JSON.parse(row.allowed_teams) as string[],
    response_types: JSON.parse(row.response_types) as string[],
    timeout: row.timeout,
    managed: row.managed === 1,
    revision: row.revision,
    tm_create: dialect.rfc3339(row.tm_create),
    tm_update: rfc3339OrNull(dialect, row.tm_update),
  };
}

export function callToRow(dialect: Dialect, { call, key }: NewCall): WorkflowCallRow {
  return {
    id: call.id,
    customer_id: call.customer_id,
    user_id: call.user_id,
    teams: JSON.stringify(call.teams),
    internal: call.internal ? 1 : 0,
    workflow: call.workflow,
    flow_id: call.flow_id,
    depth: call.depth,
    called_with: JSON.stringify(call.called_with),
    key_hash: key?.hash ?? null,
    body_hash: key?.body_hash ?? null,
    state: OPEN,
    status: null,
    code: null,
    response: null,
    delivery: null,
    tm_create: dialect.time(call.tm_create),
    tm_end: null,
  };
}

export function callFromRow(dialect: Dialect, row: Pick<WorkflowCallRow, (typeof CALL_COLUMNS)[number]>): WorkflowCall {
  return {
    id: row.id,
    customer_id: row.customer_id,
    user_id: row.user_id,
    teams: JSON.parse(row.teams) as string[],
    internal: row.internal === 1,
    workflow: row.workflow,
    flow_id: row.flow_id,
    depth: row.depth,
    called_with: JSON.parse(row.called_with) as CalledWith,
    end: row.state === OPEN ? null : (row.state as CallEnd),
    status: row.status,
    code: row.code,
    response: row.response === null ? null : JSON.parse(row.response),
    delivery: row.delivery === null ? null : (JSON.parse(row.delivery) as ResponseDelivery),
    tm_create: dialect.rfc3339(row.tm_create),
    tm_end: rfc3339OrNull(dialect, row.tm_end),
  };
}
