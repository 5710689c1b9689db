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

/** STRAIGHT_JOIN: from the batch to the rows by their primary key, whatever the statistics say. */
const BATCH_HEAD = `UPDATE (SELECT ? AS id, ? AS revision, ? AS token, ? AS status, ? AS state, ? AS variables, ? AS outbox,
  ? AS unsettled, ? AS has_run, ? AS wake_at, ? AS deadline_at, ? AS tm_update, ? AS tm_delete`;
const BATCH_ROW = ' UNION ALL SELECT ?,?,?,?,?,?,?,?,?,?,?,?,?';
const BATCH_TAIL = `) v STRAIGHT_JOIN activeflows a ON a.id = v.id AND a.revision = v.revision - 1 SET
  a.tokens = LEFT(CONCAT(v.token, a.tokens), ${TOKENS_LENGTH}), a.status = v.status, a.state = v.state,
  a.variables = COALESCE(v.variables, a.variables), a.outbox = v.outbox, a.unsettled_at = IF(v.unsettled = 1, ${UNSETTLED_SINCE}, NULL),
  a.has_run = v.has_run, a.wake_at = v.wake_at, a.deadline_at = v.deadline_at, a.tm_update = v.tm_update, a.tm_delete = v.tm_delete,
  a.revision = v.revision`;

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

/** Matches nothing: no activeflow has an empty id. */
const FILLER: readonly Value[] = ['', 0, '', '', '', null, '', 0, 0, null, null, null, null];

export function mysqlBatch(rows: readonly CommitRow[]): Statement {
  const width = widthOf(rows.length);
  const values: Value[] = [];
  for (const row of rows) addValues(values, row);
  for (let filled = rows.length; filled < width; filled += 1) values.push(...FILLER);
  return { sql: batchText(width), values };
}

const batchText = textOfWidth((width) => BATCH_HEAD + BATCH_ROW.repeat(width - 1) + BATCH_TAIL);

function addValues(values: Value[], row: CommitRow): void {
  values.push(
    row.id,
    row.revision,
    row.token,
    row.status,
    row.state,
    row.variables,
    row.outbox,
    row.unsettled,
    row.has_run,
    row.wake_at,
    row.deadline_at,
    row.tm_update,
    row.tm_delete,
  );
}

function oneValues(row: CommitRow, unsettled: Value): Value[] {
  return [
    row.revision,
    row.token,
    row.status,
    row.state,
    row.variables,
    row.outbox,
    unsettled,
    row.has_run,
    row.wake_at,
    row.deadline_at,
    row.tm_update,
    row.tm_delete,
    row.id,
    row.revision - 1,
  ];
}
