import { type Colour, paint, type Terminal } from './terminal.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** May be cut off when the terminal is too narrow. Ids are not: people copy them. */
  readonly shrink?: boolean;
  readonly colour?: (row: Row) => Colour | undefined;
}

const GAP = '  ';
/** A column that is cut off keeps this much. */
const LEAST = 8;
/** Scripts whose characters take two cells: Hangul, kana, Han, full width, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** Lines of a table, header first; the last column is not padded. Empty rows: the header alone. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  terminal: Pick<Terminal, 'columns' | 'colour'>,
): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const natural = columns.map((column, i) => Math.max(cellWidth(column.title), ...cells.map((row) => cellWidth(row[i] ?? ''))));
  const widths = fitWidths(natural, columns, terminal.columns);
  const line = (texts: readonly string[], colours: readonly (Colour | undefined)[]): string =>
    texts
      .map((text, i) => {
        const right = columns[i]?.align === 'right';
        const cut = truncate(text, widths[i] ?? 0);
        const padded = pad(cut, i === columns.length - 1 && !right ? 0 : (widths[i] ?? 0), right);
        const colour = colours[i];
        return colour === undefined ? padded : paint(terminal, colour, padded);
      })
      .join(GAP)
      .trimEnd();
  const header = line(
    columns.map((column) => column.title),
    columns.map(() => 'bold'),
  );
  return [
    header,
    ...rows.map((row, r) =>
      line(
        cells[r] ?? [],
        columns.map((column) => column.colour?.(row)),
      ),
    ),
  ];
}

/** Takes cells away from the widest column that may lose some, until the line fits or nothing more can go. */
function fitWidths(
  natural: readonly number[],
  columns: readonly { readonly shrink?: boolean }[],
  limit: number | undefined,
): number[] {
  const widths = [...natural];
  if (limit === undefined) return widths;
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - limit;
  while (excess > 0) {
    let widest = -1;
    columns.forEach((column, i) => {
      const width = widths[i] ?? 0;
      if (column.shrink === true && width > LEAST && width > (widths[widest] ?? 0)) widest = i;
    });
    if (widest === -1) return widths;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
  return widths;
}

/** Flows are named by customers: a name must not be able to steer the operator's terminal. */
export function printable(text: string): string {
  return text.replace(/\s+/gu, ' ').replace(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, '�');
}

export function cellWidth(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : 1;
  return width;
}

/** At most `width` cells, with `…` where something is missing. */
export function truncate(text: string, width: number): string {
  if (cellWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = used + cellWidth(character);
    if (next > width - 1) break;
    kept += character;
    used = next;
  }
  return `${kept}…`;
}

function pad(text: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - cellWidth(text)));
  return right ? space + text : text + space;
}
