const texts = new WeakMap<object, string>();

/**
 * The members of a JSON list as text, without its brackets: of things that never change, are large, and are written again
 * and again, such as the records of a history. The text of each is made once.
 */
export function jsonMembers(values: readonly object[]): string {
  return values.map(textOf).join(',');
}

function textOf(value: object): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  texts.set(value, text);
  return text;
}
