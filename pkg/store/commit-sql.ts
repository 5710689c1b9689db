import type { CommitRow } from './activeflow-row.ts';
import type { Dialect } from './dialect.ts';
import { type Statement, textOfWidth, type Value, widthOf } from './statement.ts';
import { timeOfMs } from './time.ts';
import { TOKENS_LENGTH } from './token.ts';

/** In steps of five seconds: its index is then left alone by most commits of an activeflow. */
const UNSETTLED_SINCE = 'UTC_TIMESTAMP() - INTERVAL SECOND(UTC_TIMESTAMP()) % 5 SECOND';

/**
 * The statements of the hot path, as text with placeholders: kysely would compile them anew for each commit.
 * The revision is in WHERE and always changes, so affected rows mean the same whether the driver counts the rows
 * that were found or those that were changed.
 */
const MYSQL_ONE = `UPDATE activeflows SET
  revision = ?, tokens = LEFT(CONCAT(?, tokens), ${TOKENS_LENGTH}), status = ?, state = ?, variables = COALESCE(?, variables), outbox = ?,
  unsettled_at = IF(? = 1, ${UNSETTLED_SINCE}, NULL), has_run = ?, wake_at = ?, deadline_at = ?, tm_update = ?, tm_delete = ?
  WHERE id = ? AND revision = ?`;

const SQLITE_ONE = `update activeflows set
  revision = ?, tokens = substr(? || tokens, 1, ${TOKENS_LENGTH}), status = ?, state = ?, variables = coalesce(?, variables), outbox = ?,
  unsettled_at = ?, has_run = ?, wake_at = ?, deadline_at = ?, tm_update = ?, tm_delete = ?
  where id = ? and revision = ?`;

/**
 * MariaDB: every column takes the value at the row's position among the ids. Assignments are made from left to right, each
 * seeing those before it (documented, as long as sql_mode has no SIMULTANEOUS_ASSIGNMENT: openConnection sets the mode), so
 * that `revision` can hold the position until the end. Joined to a table of values, as below, the same takes half as much again:
 * MariaDB writes that table to a file of its own for each statement. FORCE INDEX: by the primary key, whatever the
 * statistics say; what else is looked at on the way would be locked.
 */
function mariadbText(width: number): string {
  const values = `?${',?'.repeat(width - 1)}`;
  const value = `ELT(revision,${values})`;
  return `UPDATE activeflows FORCE INDEX (PRIMARY) SET
  revision = FIELD(id,${values}), tokens = LEFT(CONCAT(${value}, tokens), ${TOKENS_LENGTH}), status = ${value}, state = ${value},
  variables = COALESCE(${value}, variables), outbox = ${value}, unsettled_at = IF(${value} = '1', ${UNSETTLED_SINCE}, NULL),
  has_run = ${value}, wake_at = ${value}, deadline_at = ${value}, tm_update = ${value}, tm_delete = ${value}, revision = ${value}
  WHERE ${Array<string>(width).fill('(id = ? AND revision = ?)').join(' OR ')}`;
}

/** MySQL. STRAIGHT_JOIN: from the batch to the rows by their primary key, whatever the statistics say. */
function mysqlText(width: number): string {
  return `UPDATE (SELECT ? AS id, ? AS revision, ? AS token, ? AS status, ? AS state, ? AS variables, ? AS outbox,
  ? AS unsettled, ? AS has_run, ? AS wake_at, ? AS deadline_at, ? AS tm_update, ? AS tm_delete
  ${' UNION ALL SELECT ?,?,?,?,?,?,?,?,?,?,?,?,?'.repeat(width - 1)}) v STRAIGHT_JOIN activeflows a ON a.id = v.id AND a.revision = v.revision - 1 SET
  a.tokens = LEFT(CONCAT(v.token, a.tokens), ${TOKENS_LENGTH}), a.status = v.status, a.state = v.state,
  a.variables = COALESCE(v.variables, a.variables), a.outbox = v.outbox, a.unsettled_at = IF(v.unsettled = 1, ${UNSETTLED_SINCE}, NULL),
  a.has_run = v.has_run, a.wake_at = v.wake_at, a.deadline_at = v.deadline_at, a.tm_update = v.tm_update, a.tm_delete = v.tm_delete,
  a.revision = v.revision`;
}

export function commitStatement(dialect: Dialect, row: CommitRow): Statement {
  return dialect.name === 'mysql' ? mysqlCommit(row) : sqliteCommit(row, timeOfMs(Date.now()));
}

export function mysqlCommit(row: CommitRow): Statement {
  return { sql: MYSQL_ONE, values: oneValues(row, row.unsettled) };
}

/** `now`: as stored; SQLite's own clock has no microseconds. */
export function sqliteCommit(row: CommitRow, now: string): Statement {
  return { sql: SQLITE_ONE, values: oneValues(row, row.unsettled === 1 ? now : null) };
}

/** The columns of a commit besides its id and revision, in the order of all statements here. */
const COLUMNS = [
  'token',
  'status',
  'state',
  'variables',
  'outbox',
  'unsettled',
  'has_run',
  'wake_at',
  'deadline_at',
  'tm_update',
  'tm_delete',
] as const;
type Column = (typeof COLUMNS)[number];
type Batched = Pick<CommitRow, 'id' | 'revision'> & Partial<Pick<CommitRow, Column>>;

/** Matches nothing: no activeflow has an empty id. */
const FILLER: Batched = { id: '', revision: 1 };

/** Column by column, for a prepared statement. */
export function mariadbBatch(batch: readonly CommitRow[]): Statement {
  const rows = filled(batch);
  const values: Value[] = rows.map((row) => row.id);
  for (const column of COLUMNS) for (const row of rows) values.push(row[column] ?? null);
  for (const row of rows) values.push(row.revision);
  for (const row of rows) values.push(row.id, row.revision - 1);
  return { sql: mariadbBatchText(rows.length), values };
}

/** Row by row, for a statement whose values are text in it. */
export function mysqlBatch(batch: readonly CommitRow[]): Statement {
  const rows = filled(batch);
  const values: Value[] = [];
  for (const row of rows) {
    values.push(row.id, row.revision);
    for (const column of COLUMNS) values.push(row[column] ?? null);
  }
  return { sql: mysqlBatchText(rows.length), values };
}

const mariadbBatchText = textOfWidth(mariadbText);
const mysqlBatchText = textOfWidth(mysqlText);

function filled(batch: readonly CommitRow[]): readonly Batched[] {
  const width = widthOf(batch.length);
  return width === batch.length ? batch : [...batch, ...Array<Batched>(width - batch.length).fill(FILLER)];
}

function oneValues(row: CommitRow, unsettled: Value): Value[] {
  const values = COLUMNS.map((column) => (column === 'unsettled' ? unsettled : row[column]));
  return [row.revision, ...values, row.id, row.revision - 1];
}
