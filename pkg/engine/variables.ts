import type { FlowError } from '../error/index.ts';
import { exhausted, invalid } from '../error/index.ts';
import type { Action, Variables } from '../model/action.ts';
import type { Activeflow, ErrorData } from '../model/activeflow.ts';
import { type Json, setOwn } from '../model/json.ts';
import { renderText } from '../model/variable.ts';
import { substitute } from './substitute.ts';
import type { Limits } from './world.ts';

const PREFIX = 'voipbin.activeflow.';
const ERROR_PREFIX = 'voipbin.error.';
/** The names that the service sets itself. Nobody else may set or delete them. */
const OWN_NAMES = ['id', 'reference_type', 'reference_id', 'reference_activeflow_id', 'flow_id', 'complete_count'].map(
  (name) => PREFIX + name,
);
const OWN: ReadonlySet<string> = new Set(OWN_NAMES);
/** What a flow can read of its last failure. They take no room from others: a failure must not fail on a limit. */
const ERROR_NAMES: ReadonlySet<string> = new Set(['action_id', 'type', 'reason', 'message'].map((name) => ERROR_PREFIX + name));

export function isErrorVariable(name: string): boolean {
  return ERROR_NAMES.has(name);
}

export const COMPLETE_COUNT = `${PREFIX}complete_count`;

export function ownVariables(
  activeflow: Pick<Activeflow, 'id' | 'reference_type' | 'reference_id' | 'reference_activeflow_id' | 'flow_id'>,
  completeCount: number,
): Variables {
  return {
    [`${PREFIX}id`]: activeflow.id,
    [`${PREFIX}reference_type`]: activeflow.reference_type,
    [`${PREFIX}reference_id`]: activeflow.reference_id,
    [`${PREFIX}reference_activeflow_id`]: activeflow.reference_activeflow_id,
    [`${PREFIX}flow_id`]: activeflow.flow_id,
    [COMPLETE_COUNT]: String(completeCount),
  };
}

export function completeCount(variables: Variables): number {
  const count = Number(renderText(variables[COMPLETE_COUNT] ?? '0'));
  return Number.isInteger(count) && count >= 0 ? count : 0;
}

/** Adds values to variables, substituting each in the order given, earlier ones visible. Throws a FlowError, whole. */
export function setVariables(variables: Variables, values: Variables, limits: Limits, at: string): Variables {
  return add(variables, values, limits, at, substitute);
}

/** Adds values as they are: what an action computed, or what came from outside, is data. Throws a FlowError, whole. */
export function assignVariables(variables: Variables, values: Variables, limits: Limits, at: string): Variables {
  return add(variables, values, limits, at, (value) => value);
}

function add(
  variables: Variables,
  values: Variables,
  limits: Limits,
  at: string,
  render: (value: Json, known: Variables) => Json,
): Variables {
  const next: Record<string, Json> = { ...variables };
  const names = Object.keys(values);
  for (const name of names) {
    const wrong = nameProblem(name, at);
    if (wrong) throw wrong;
    setOwn(next, name, render(values[name] ?? null, next));
  }
  const problem = valueProblem(next, names, limits, at) ?? sizeProblem(next, limits, at);
  if (problem) throw problem;
  return next;
}

export function deleteVariable(variables: Variables, name: string): Variables {
  if (OWN.has(name)) throw invalid('VARIABLE_RESERVED', 'key', name, 'a name that the service does not set itself');
  if (!Object.hasOwn(variables, name)) return variables;
  return Object.fromEntries(Object.entries(variables).filter(([key]) => key !== name));
}

/**
 * Variables of a new activeflow: its parent's, then the given ones, then the service's own. Given names under
 * `voipbin.` are dropped; when the rest is over a limit, all that was given is dropped. Both with a warning.
 */
export function initialVariables(
  parent: Variables,
  given: Variables,
  own: Variables,
  limits: Limits,
): { variables: Variables; warnings: { path: string; message: string }[] } {
  const warnings: { path: string; message: string }[] = [];
  const allowed: Record<string, Json> = {};
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith('voipbin.'))
      warnings.push({ path: `/variables/${name}`, message: 'dropped: names under voipbin. are the service’s' });
    else setOwn(allowed, name, value);
  }
  const inherited = { ...parent, ...own };
  try {
    return { variables: { ...setVariables(inherited, allowed, limits, '/variables'), ...own }, warnings };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { variables: inherited, warnings: [...warnings, { path: '/variables', message: `dropped whole: ${message}` }] };
  }
}

function nameProblem(name: string, at: string): FlowError | undefined {
  if (name === '') return invalid('VARIABLE_NAME_EMPTY', at, name, 'a name that is not empty');
  if (OWN.has(name)) return invalid('VARIABLE_RESERVED', `${at}/${name}`, name, 'a name that the service does not set itself');
  return undefined;
}

/** Whoever sets a value keeps to its size, under any name. */
function valueProblem(variables: Variables, names: readonly string[], limits: Limits, at: string): FlowError | undefined {
  for (const name of names) {
    const size = byteLength(renderText(variables[name] ?? null));
    if (size <= limits.variable_bytes) continue;
    return invalid('VARIABLE_TOO_LARGE', `${at}/${name}`, `${size} bytes`, `at most ${limits.variable_bytes} bytes a value`);
  }
  return undefined;
}

function sizeProblem(variables: Variables, limits: Limits, at: string): FlowError | undefined {
  let names = 0;
  let characters = 0;
  for (const name in variables) {
    if (OWN.has(name) || ERROR_NAMES.has(name)) continue;
    names += 1;
    characters += name.length + renderText(variables[name] ?? null).length;
  }
  if (names > limits.variables) return invalid('TOO_MANY_VARIABLES', at, names, `at most ${limits.variables} names`);
  // Of a character come three bytes at most: what is far below the limit need not be counted.
  if (characters * 3 <= limits.variables_bytes) return undefined;
  let total = 0;
  for (const name in variables) {
    if (OWN.has(name) || ERROR_NAMES.has(name)) continue;
    total += byteLength(name) + byteLength(renderText(variables[name] ?? null));
  }
  if (total <= limits.variables_bytes) return undefined;
  return invalid('VARIABLES_TOO_LARGE', at, `${total} bytes`, `at most ${limits.variables_bytes} bytes in all`);
}

/** In UTF-8. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** Over it, a chain of on_complete_flow stops. */
export function checkCompleteDepth(count: number, limits: Limits): void {
  if (count > limits.complete_depth) {
    throw exhausted('COMPLETE_DEPTH', `activeflows may follow each other at most ${limits.complete_depth} deep`, [
      { field: COMPLETE_COUNT, value: count, expected: `at most ${limits.complete_depth}` },
    ]);
  }
}

/** Makes a failure known to the flow, in ERROR_NAMES. */
export function withError(variables: Variables, action: Action, error: ErrorData): Variables {
  return {
    ...variables,
    [`${ERROR_PREFIX}action_id`]: action.id,
    [`${ERROR_PREFIX}type`]: action.type,
    [`${ERROR_PREFIX}reason`]: error.reason,
    [`${ERROR_PREFIX}message`]: error.message,
  };
}
