import { isTemplate } from '../action/rewrite.ts';
import type { Variables } from '../model/action.ts';
import { isJsonObject, type Json, type JsonObject, setOwn } from '../model/json.ts';
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

/** The same object where it names nothing: most options are looked through faster than they are copied. */
export function substituteObject(value: JsonObject, variables: Variables): JsonObject {
  if (!someText(value, isTemplate)) return value;
  const next: Record<string, Json> = {};
  for (const key in value) setOwn(next, key, substitute(value[key] ?? null, variables));
  return next;
}

export function substituteText(text: string, variables: Variables): string {
  if (!isTemplate(text)) return text;
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
  return someText(value, (text) => {
    if (!text.includes(name) || !isTemplate(text)) return false;
    for (const match of text.matchAll(PLACE)) {
      const found = (match[1] ?? '').trim();
      if (found === name || found.startsWith(`${name}.`)) return true;
    }
    return false;
  });
}

/** Whether some text in the value, at any depth, is such; keys are none of them. */
export function someText(value: Json | undefined, is: (text: string) => boolean): boolean {
  if (typeof value === 'string') return is(value);
  if (Array.isArray(value)) return value.some((item) => someText(item, is));
  if (isJsonObject(value)) for (const key in value) if (someText(value[key], is)) return true;
  return false;
}
