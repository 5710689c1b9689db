import type { Json } from './json.ts';

/** A variable's value as text, as substitution and the wire's map show it: null is empty, what is no text is JSON. */
export function renderText(value: Json): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}
