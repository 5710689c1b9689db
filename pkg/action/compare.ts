/** `left <condition> right`; undefined when there is no such condition. Numbers compare as numbers, texts compare by code points. */
export function compare(left: number | string, condition: string, right: number | string): boolean | undefined {
  const order = typeof left === 'number' && typeof right === 'number' ? left - right : textOrder(String(left), String(right));
  switch (condition) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    default:
      return undefined;
  }
}

/** JavaScript's own order is by UTF-16 unit, which puts 😀 before ｡; by code point is the order of UTF-8's bytes. */
function textOrder(left: string, right: string): number {
  const end = Math.min(left.length, right.length);
  let at = 0;
  while (at < end && left[at] === right[at]) at++;
  // A difference in the second half of a pair belongs to the whole character.
  if (at > 0 && isLowSurrogate(left, at) && isLowSurrogate(right, at)) at--;
  return (left.codePointAt(at) ?? -1) - (right.codePointAt(at) ?? -1);
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** The number that a text is, or undefined: `7.5`, `-3`, `1e3`, blanks around it allowed. */
export function numberOf(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed)) return undefined;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : undefined;
}
