/** Of several rounds: the middle one, and how far they are apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A figure that is no rate of calls. */
export interface Figure extends Spread {
  readonly figure: string;
  readonly unit: string;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? 0;
  const high = sorted[Math.floor(middle)] ?? 0;
  return { median: round((low + high) / 2), min: round(sorted[0] ?? 0), max: round(sorted.at(-1) ?? 0) };
}

/** Four digits are more than the noise leaves. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}
