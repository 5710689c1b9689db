import { invalid } from '../error/index.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { CallFilter } from '../service/ports.ts';
import type { CallableChange } from '../service/workflow/callable.ts';
import type { CallerIdentity } from '../service/workflow/prepare.ts';
import type { CallRequest } from '../service/workflow/workflow.ts';
import type { Reader } from './read.ts';

/** Only what is given is changed. */
export function readCallable(data: Reader): CallableChange {
  return {
    ...(data.has('enabled') ? { enabled: data.flag('enabled') } : {}),
    ...(data.has('alias') ? { alias: data.text('alias') } : {}),
    ...(data.has('input_schema') ? { input_schema: readSchema(data) } : {}),
    ...(data.has('allowed_users') ? { allowed_users: readTexts(data, 'allowed_users') } : {}),
    ...(data.has('allowed_teams') ? { allowed_teams: readTexts(data, 'allowed_teams') } : {}),
    ...(data.has('response_types') ? { response_types: readTexts(data, 'response_types') } : {}),
    ...(data.has('timeout') ? { timeout: data.count('timeout') } : {}),
    ...(data.has('managed') ? { managed: data.flag('managed') } : {}),
  };
}

export function readCall(workflow: string, data: Reader): CallRequest {
  const [inputs, asyncResponse, clientContext] = [data.raw('inputs'), data.raw('asyncResponse'), data.raw('clientContext')];
  return {
    workflow,
    ...(inputs === undefined ? {} : { inputs }),
    ...(asyncResponse === undefined ? {} : { asyncResponse }),
    ...(clientContext === undefined ? {} : { clientContext }),
  };
}

/** A service of the platform, for a user whose channel gets what is pushed, or for nobody. */
export function readCaller(data: Reader): CallerIdentity {
  const user_id = data.text('user');
  if (user_id.length > 255) throw invalid('BAD_FIELD', '/user', user_id, 'text of at most 255 characters');
  return { customer_id: data.requiredId('customer_id'), user_id, teams: [], internal: true };
}

export function readCallFilter(data: Reader): CallFilter {
  const flow_id = data.filterId('flow_id');
  return {
    customer_id: data.requiredId('customer_id'),
    ...(flow_id === undefined ? {} : { flow_id }),
    undeliverable: data.filterFlag('undeliverable') ?? false,
  };
}

function readSchema(data: Reader): JsonObject | null {
  const value = data.raw('input_schema') ?? null;
  if (value === null || isJsonObject(value)) return value;
  throw invalid('BAD_FIELD', '/input_schema', value, 'a JSON Schema, or null');
}

function readTexts(data: Reader, name: string): readonly string[] {
  const value = data.raw(name) ?? [];
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value;
  throw invalid('BAD_FIELD', `/${name}`, value, 'a list of texts');
}
