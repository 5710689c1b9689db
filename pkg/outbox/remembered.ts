/**
 * Of how many activeflows it is remembered what has been moved on: of more than are read again before the database
 * knows it too. Who is forgotten too early is told the same again.
 */
export const REMEMBERED = 20_000;
