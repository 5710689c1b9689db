import type { Action } from '../model/action.ts';
import { ACTION_FINISH, isSet, isUuid } from '../model/id.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import { actionType } from './catalogue.ts';
import type { Findings } from './findings.ts';
import { pointer } from './pointer.ts';

/**
 * Warns of targets that no action of the list has. It is no error: a list that is pushed may name actions of
 * those it returns to. Every field of an option that names actions ends in `target_id` or `target_ids`.
 */
export function checkTargets(actions: readonly (Action | undefined)[], path: string, findings: Findings): void {
  const ids = new Set(actions.map((action) => action?.id));
  // Where everything ends is a place to go on to.
  ids.add(ACTION_FINISH);
  actions.forEach((action, at) => {
    if (!action) return;
    const base = pointer(path, at);
    for (const [field, id] of targetsOf(action, base)) {
      if (isSet(id) && isUuid(id) && !ids.has(id)) findings.warn(field, `names no action of this list: ${id}`);
    }
  });
}

function targetsOf(action: Action, base: string): [path: string, id: string | undefined][] {
  return [
    [`${base}/next_id`, action.next_id],
    [`${base}/on_error_target_id`, action.on_error_target_id],
    ...(action.option && actionType(action.type) ? optionTargets(action.option, `${base}/option`) : []),
  ];
}

function optionTargets(option: JsonObject, base: string): [path: string, id: string][] {
  return Object.entries(option).flatMap(([key, value]): [string, string][] => {
    const path = pointer(base, key);
    if (key.endsWith('target_id') && typeof value === 'string') return [[path, value]];
    if (!key.endsWith('target_ids') || !isJsonObject(value)) return [];
    return Object.entries(value).flatMap(([name, id]) => (typeof id === 'string' ? [[pointer(path, name), id]] : []));
  });
}
