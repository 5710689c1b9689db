import { stepsOfText, type TraceStep, traceJson } from '../model/trace.ts';
import type { TracePiece } from '../service/ports.ts';
import { inPieces } from './pieces.ts';
import type { Session } from './session.ts';
import { type Statement, textOfWidth, type Value, WIDEST, widthOf } from './statement.ts';

interface PieceRow {
  readonly activeflow_id: string;
  /** Number of its last line, so that a look at the index tells how far a trace has moved. (Of its first in rows of before.) */
  readonly seq: number;
  /** A list of lines (model/trace.ts) as JSON. */
  readonly step: string;
}

/**
 * A row holds a piece of several steps: a row each took four times the time of the server. Pieces may overlap, when a
 * process died between moving one and saying so; the steps are the same then.
 */
export async function readTrace(session: Session, id: string): Promise<TraceStep[]> {
  const rows = await session.run((db) =>
    db.selectFrom('trace_steps').select('step').where('activeflow_id', '=', id).orderBy('seq').execute(),
  );
  const steps = new Map<number, TraceStep>();
  for (const step of rows.flatMap((row) => stepsOfText(row.step))) steps.set(step.seq, step);
  return [...steps.values()].sort((a, b) => a.seq - b.seq);
}

/** Two pieces that end with the same line: the longer one has all that the other has. */
const ON_MYSQL = 'on duplicate key update step = if(length(values(step)) > length(step), values(step), step)';
const ON_SQLITE =
  'on conflict (activeflow_id, seq) do update set step = excluded.step where length(excluded.step) > length(trace_steps.step)';

const HEAD = 'insert into trace_steps (activeflow_id, seq, step) values ';
const onMysql = textOfWidth((width) => `${HEAD}${places(width)} ${ON_MYSQL}`);
const onSqlite = textOfWidth((width) => `${HEAD}${places(width)} ${ON_SQLITE}`);

function places(rows: number): string {
  return Array<string>(rows).fill('(?,?,?)').join(',');
}

export async function addTrace(session: Session, pieces: readonly TracePiece[]): Promise<void> {
  const text = session.dialect.name === 'mysql' ? onMysql : onSqlite;
  for (const rows of inStatements(pieces)) await session.write(insertOf(rows, text));
}

/** Filled up with the shortest piece: again the same changes nothing. */
function insertOf(rows: readonly PieceRow[], text: (width: number) => string): Statement {
  const width = widthOf(rows.length);
  const shortest = rows.reduce((least, row) => (row.step.length < least.step.length ? row : least));
  const values: Value[] = [];
  for (let at = 0; at < width; at += 1) {
    const { activeflow_id, seq, step } = rows[at] ?? shortest;
    values.push(activeflow_id, seq, step);
  }
  return { sql: text(width), values };
}

/** In one order everywhere, so that two movers cannot lock rows crosswise. */
function inStatements(pieces: readonly TracePiece[]): PieceRow[][] {
  const rows = pieces.flatMap(({ id, trace }): PieceRow[] => {
    const last = trace.at(-1);
    return last ? [{ activeflow_id: id, seq: last.last, step: traceJson(trace) }] : [];
  });
  rows.sort((a, b) => (a.activeflow_id === b.activeflow_id ? a.seq - b.seq : a.activeflow_id < b.activeflow_id ? -1 : 1));
  return inPieces(rows, (row) => row.step.length, WIDEST);
}
