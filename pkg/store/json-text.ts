const texts = new WeakMap<object, string>();

/**
 * The members of a JSON list as text, without its brackets: of things that never change and are written again and
 * again, such as the steps of a trace. The text of each is made once.
 */
export function jsonMembers<T extends object>(values: readonly T[], make: (value: T) => string = toJson): string {
  return values.map((value) => textOf(value, make)).join(',');
}

function toJson(value: object): string {
  return JSON.stringify(value);
}

function textOf<T extends object>(value: T, make: (value: T) => string): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = make(value);
  texts.set(value, text);
  return text;
}
