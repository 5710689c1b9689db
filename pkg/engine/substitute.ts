import type { Variables } from '../model/action.ts';
import type { Json, JsonObject } from '../model/json.ts';
import { isJsonObject } from '../model/json.ts';
import { renderText } from '../model/variable.ts';

const PLACE = /\$\{([^{}]*)\}/g;

/** The name whose value is asked of a sibling the moment it is used. */
export const REFERENCE_DATA = 'voipbin.flow.reference_data';

/**
 * Replaces every `${name}` in every text of a value, at every depth. One pass: what a variable holds is data
 * and is never substituted again. Unknown names become empty. Keys stay as they are.
 */
export function substitute(value: Json, variables: Variables): Json {
  if (typeof value === 'string') return substituteText(value, variables);
  if (Array.isArray(value)) return value.map((item) => substitute(item, variables));
  if (isJsonObject(value)) return substituteObject(value, variables);
  return value;
}

/** The same object where it names nothing. */
export function substituteObject(value: JsonObject, variables: Variables): JsonObject {
  return hasPlaces(value)
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, variables)]))
    : value;
}

/** Most options name nothing, and are looked through faster than they are copied. */
function hasPlaces(value: Json | undefined): boolean {
  if (typeof value === 'string') return value.includes('${');
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.some(hasPlaces);
  const object = value as JsonObject;
  for (const key in object) if (hasPlaces(object[key])) return true;
  return false;
}

export function substituteText(text: string, variables: Variables): string {
  if (!text.includes('${')) return text;
  return text.replace(PLACE, (_, name: string) => renderText(lookUp(name.trim(), variables) ?? null));
}

/**
 * The value of a name. A whole name beats a path into a value, and a longer name beats a shorter one:
 * `a.b.0` is the variable `a.b.0`, else item 0 of the variable `a.b`, else a path into the variable `a`.
 */
export function lookUp(name: string, variables: Variables): Json | undefined {
  if (Object.hasOwn(variables, name)) return variables[name];
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const head = name.slice(0, dot);
    if (Object.hasOwn(variables, head)) return dig(variables[head], name.slice(dot + 1).split('.'));
  }
  return undefined;
}

function dig(value: Json | undefined, path: readonly string[]): Json | undefined {
  let at: Json | undefined = value;
  for (const key of path) {
    if (Array.isArray(at)) at = /^\d+$/.test(key) ? (at as readonly Json[])[Number(key)] : undefined;
    else if (isJsonObject(at)) at = Object.hasOwn(at, key) ? at[key] : undefined;
    else return undefined;
  }
  return at;
}

/** True when some text in the value names `name`, so that it must be known before substituting. */
export function mentions(value: Json | undefined, name: string): boolean {
  if (typeof value === 'string') {
    if (!value.includes(name) || !value.includes('${')) return false;
    for (const match of value.matchAll(PLACE)) {
      const found = (match[1] ?? '').trim();
      if (found === name || found.startsWith(`${name}.`)) return true;
    }
    return false;
  }
  if (Array.isArray(value)) return value.some((item) => mentions(item, name));
  if (isJsonObject(value)) for (const key in value) if (mentions(value[key], name)) return true;
  return false;
}
