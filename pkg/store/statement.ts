/** Statements whose text is prepared on a connection and used again and again. */
export type Value = string | number | null;

export interface Statement {
  readonly sql: string;
  readonly values: Value[];
}

/**
 * The numbers of rows that statements are filled up to, so that a connection keeps a few prepared statements rather than one
 * for each number: the server holds some 15 KiB for every row of each.
 */
const WIDTHS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 200];

/** The most rows that a statement of theirs takes. */
export const WIDEST = Math.max(...WIDTHS);

/** How many rows a statement for so many has; at most WIDEST. */
export function widthOf(rows: number): number {
  return WIDTHS.find((width) => width >= rows) ?? rows;
}

/** A text made once for each width: mysql2 looks prepared statements up by their text, and hashes one that is new. */
export function textOfWidth(make: (width: number) => string): (width: number) => string {
  const texts = new Map<number, string>();
  return (width) => {
    const known = texts.get(width);
    if (known !== undefined) return known;
    const text = make(width);
    if (WIDTHS.includes(width)) texts.set(width, text);
    return text;
  };
}
