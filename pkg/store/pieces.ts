/** Limits of one INSERT. */
const ROWS = 500;
const BYTES = 1 << 20;

/** Rows in groups, each of which one INSERT takes. Their order stays. */
export function inPieces<Row>(rows: readonly Row[], lengthOf: (row: Row) => number, most = ROWS): Row[][] {
  const pieces: Row[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const piece = pieces.at(-1);
    bytes += lengthOf(row);
    if (piece && piece.length < most && bytes <= BYTES) {
      piece.push(row);
    } else {
      pieces.push([row]);
      bytes = lengthOf(row);
    }
  }
  return pieces;
}
