import { Type } from 'typebox';
import { type Action, RETRY_BOUNDS, type Retry } from '../model/action.ts';
import type { Warning } from '../model/flow.ts';
import { ACTION_FINISH, ACTION_NEXT, ACTION_START, isSet, isUuid } from '../model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts';
import { actionType, actionTypeNames } from './catalogue.ts';
import type { ActionType, OptionChecker } from './definition.ts';
import { Findings } from './findings.ts';
import { nearest } from './nearest.ts';
import { checkOption, checkValue, meant, normaliseOption, type OptionCheck } from './option.ts';
import { deeperThan, pointer } from './pointer.ts';
import { checkTargets } from './target.ts';

export interface CheckOptions {
  /** JSON Pointer of the list in the request, for messages: `/actions`. */
  readonly path: string;
  readonly maxActions: number;
  /** A new UUID at each call. */
  readonly newId: () => string;
  /** `keep`: lists that come from outside while a flow runs; their unknown actions are passed over later. */
  readonly unknownTypes: 'error' | 'keep';
  /** A text with `${` passes for any value without parts; it is checked again after substitution. */
  readonly templates: boolean;
}

/** Deeper options are nobody's work, and what reads them recurses. */
const DEEPEST = 64;
const RESERVED: ReadonlySet<string> = new Set([ACTION_START, ACTION_FINISH, ACTION_NEXT]);
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...['id', 'next_id', 'type', 'option', 'name', 'on_error_target_id', 'retry'],
  // The service sets it; siblings send back whole what they were given.
  'tm_execute',
]);
const RETRY = Type.Object({
  attempts: Type.Integer({ minimum: 1, maximum: RETRY_BOUNDS.attempts }),
  initial_ms: Type.Optional(Type.Integer({ minimum: 0, maximum: RETRY_BOUNDS.ms })),
  max_ms: Type.Optional(Type.Integer({ minimum: 0, maximum: RETRY_BOUNDS.ms })),
  factor: Type.Optional(Type.Number({ minimum: 1, maximum: RETRY_BOUNDS.factor })),
});

/**
 * Checks a list of actions from outside and returns it as it is stored: missing ids filled in, ids in lower case,
 * nil and null left out, keys of an action that nobody knows left out with a warning. null is an empty list, as
 * some siblings write it. Throws FlowError 400 with all that is wrong. Never changes its input.
 */
export function checkActions(input: unknown, options: CheckOptions): { actions: Action[]; warnings: Warning[] } {
  const { path, maxActions } = options;
  const findings = new Findings();
  const list = input ?? (input === null ? [] : undefined);
  if (!Array.isArray(list)) findings.error('INVALID_ACTIONS', path, input, 'a list of actions');
  else if (list.length > maxActions) {
    findings.error('TOO_MANY_ACTIONS', path, list, `at most ${maxActions} actions`);
  } else {
    const actions = list.map((item: unknown, at) => checkAction(item, pointer(path, at), options, findings));
    checkIds(actions, path, findings);
    checkTargets(actions, path, findings);
    const warnings = findings.settle(path);
    return { actions: actions.filter((action) => action !== undefined), warnings };
  }
  return { actions: [], warnings: findings.settle(path) };
}

/** Undefined: so wrong that there is no action; an error says why. */
function checkAction(item: unknown, path: string, options: CheckOptions, findings: Findings): Action | undefined {
  if (!isJsonObject(item)) {
    findings.error('INVALID_ACTION', path, item, 'an action, an object with a type');
    return undefined;
  }
  if (deeperThan(item, DEEPEST)) {
    findings.error('INVALID_ACTION', path, item, `at most ${DEEPEST} levels of lists and objects`);
    return undefined;
  }
  const type = checkType(item.type, `${path}/type`, options, findings);
  const id = checkId(item.id, `${path}/id`, findings);
  const next = checkId(item.next_id, `${path}/next_id`, findings);
  const option = checkOptionOf(type, item.option, `${path}/option`, options, findings);
  const name = checkName(item.name, `${path}/name`, findings);
  const onError = checkId(item.on_error_target_id, `${path}/on_error_target_id`, findings);
  const retry = checkRetry(item.retry, `${path}/retry`, findings);
  for (const key of Object.keys(item)) {
    if (KNOWN_KEYS.has(key)) continue;
    findings.warn(pointer(path, key), `unknown key, left out${meant(nearest(key, KNOWN_KEYS))}`);
  }
  return {
    id: id ?? options.newId(),
    ...(next === undefined ? {} : { next_id: next }),
    type,
    ...(option === undefined ? {} : { option }),
    ...(name === undefined ? {} : { name }),
    ...(onError === undefined ? {} : { on_error_target_id: onError }),
    ...(retry === undefined ? {} : { retry }),
  };
}

function checkType(value: unknown, path: string, { unknownTypes }: CheckOptions, findings: Findings): string {
  const type = value ?? (unknownTypes === 'keep' ? '' : value);
  if (typeof type === 'string' && (unknownTypes === 'keep' || actionType(type))) return type;
  const close = typeof type === 'string' ? nearest(type, actionTypeNames()) : undefined;
  findings.error('INVALID_ACTION_TYPE', path, value, `a known type of action${meant(close)}`);
  return '';
}

/** Undefined: none is given. */
function checkId(value: unknown, path: string, findings: Findings): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const id = typeof value === 'string' ? value.toLowerCase() : value;
  if (isUuid(id)) return isSet(id) ? id : undefined;
  findings.error('INVALID_ACTION_ID', path, value, 'an id (UUID)');
  return undefined;
}

function checkName(value: unknown, path: string, findings: Findings): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  findings.error('INVALID_ACTION', path, value, 'text');
  return undefined;
}

function checkOptionOf(
  type: string,
  value: unknown,
  path: string,
  options: CheckOptions,
  findings: Findings,
): JsonObject | undefined {
  if (value === undefined || value === null) {
    // A type that cannot do without an option says which parts it misses.
    report(checkOption(type, {}, options), path, findings);
    return undefined;
  }
  if (!isJsonObject(value)) {
    findings.error('INVALID_ACTION_OPTION', path, value, 'an object');
    return undefined;
  }
  const found = checkOption(type, value, options);
  report(found, path, findings);
  const option = normaliseOption(type, value);
  const check = actionType(type)?.check;
  // What does not fit its schema cannot be looked at any closer.
  return check && found.errors.length === 0 ? check(option, checkerOf(path, options, findings)) : option;
}

function checkerOf(path: string, options: CheckOptions, findings: Findings): OptionChecker {
  return {
    error: (place, value, expected) => findings.error('INVALID_ACTION_OPTION', path + place, value, expected),
    actions: (value, place, refuse) => checkInner(value, path + place, refuse, options, findings),
  };
}

function checkInner(
  value: Json | undefined,
  path: string,
  refuse: (type: ActionType) => string | undefined,
  options: CheckOptions,
  findings: Findings,
): readonly Action[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > options.maxActions) {
    findings.error('INVALID_ACTION_OPTION', path, value, `a list of 1 to ${options.maxActions} actions`);
    return [];
  }
  const actions = value.map((item: unknown, at) => checkAction(item, pointer(path, at), options, findings));
  actions.forEach((action, at) => {
    const type = action && actionType(action.type);
    const wanted = type && refuse(type);
    if (wanted !== undefined) findings.error('INVALID_ACTION_TYPE', pointer(pointer(path, at), 'type'), action?.type, wanted);
  });
  checkIds(actions, path, findings);
  checkTargets(actions, path, findings);
  return actions.filter((action) => action !== undefined);
}

function report({ errors, warnings }: OptionCheck, path: string, findings: Findings): void {
  for (const error of errors) findings.error('INVALID_ACTION_OPTION', path + error.path, error.value, error.expected);
  for (const warning of warnings) findings.warn(path + warning.path, warning.message);
}

function checkRetry(value: unknown, path: string, findings: Findings): Retry | undefined {
  if (value === undefined || value === null) return undefined;
  const { errors, warnings } = checkValue(RETRY, value, { templates: false });
  for (const error of errors) findings.error('INVALID_ACTION', path + error.path, error.value, error.expected);
  for (const warning of warnings) findings.warn(path + warning.path, 'unknown key, left out');
  if (errors.length > 0 || !isJsonObject(value)) return undefined;
  const known = Object.entries(value).filter(([key, part]) => Object.hasOwn(RETRY.properties, key) && part !== null);
  return Object.fromEntries(known) as unknown as Retry;
}

function checkIds(actions: readonly (Action | undefined)[], path: string, findings: Findings): void {
  const seen = new Map<string, number>();
  actions.forEach((action, at) => {
    if (!action) return;
    const field = `${pointer(path, at)}/id`;
    const first = seen.get(action.id);
    if (RESERVED.has(action.id)) {
      findings.error('INVALID_ACTION_ID', field, action.id, 'an id that has no meaning of its own on the wire');
    } else if (first !== undefined) {
      findings.error('DUPLICATE_ACTION_ID', field, action.id, `an id of its own: action ${first} of this list has the same`);
    } else {
      seen.set(action.id, at);
    }
  });
}
