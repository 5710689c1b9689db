const texts = new WeakMap<object, string>();

/** The JSON of something that never changes and is written again and again, such as a step of a trace: made once. */
export function jsonText(value: object): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  texts.set(value, text);
  return text;
}
