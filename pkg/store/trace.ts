import { CompiledQuery } from 'kysely';
import type { TraceStep } from '../model/activeflow.ts';
import { traceJson } from '../model/trace-line.ts';
import type { TracePiece } from '../service/ports.ts';
import { inPieces } from './pieces.ts';
import type { Session } from './session.ts';

interface PieceRow {
  readonly activeflow_id: string;
  /** Number of its first step. */
  readonly seq: number;
  /** A list of steps as JSON. */
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
  const steps: TraceStep[] = [];
  for (const step of rows.flatMap((row) => JSON.parse(row.step) as TraceStep[])) {
    if (step.seq > (steps.at(-1)?.seq ?? 0)) steps.push(step);
  }
  return steps;
}

/** Two pieces that begin with the same step: the longer one has all that the other has. */
const ON_MYSQL = 'on duplicate key update step = if(length(values(step)) > length(step), values(step), step)';
const ON_SQLITE =
  'on conflict (activeflow_id, seq) do update set step = excluded.step where length(excluded.step) > length(trace_steps.step)';

export async function addTrace(session: Session, pieces: readonly TracePiece[]): Promise<void> {
  const ending = session.dialect.name === 'mysql' ? ON_MYSQL : ON_SQLITE;
  for (const rows of inStatements(pieces)) {
    const places = rows.map(() => '(?,?,?)').join(',');
    const values = rows.flatMap((row) => [row.activeflow_id, row.seq, row.step]);
    // As text with placeholders: kysely would build and compile thousands of nodes for each statement.
    const insert = CompiledQuery.raw(`insert into trace_steps (activeflow_id, seq, step) values ${places} ${ending}`, values);
    await session.run((db) => db.executeQuery(insert));
  }
}

/** In one order everywhere, so that two movers cannot lock rows crosswise. */
function inStatements(pieces: readonly TracePiece[]): PieceRow[][] {
  const rows = pieces.flatMap(({ id, steps }): PieceRow[] => {
    const [first] = steps;
    return first ? [{ activeflow_id: id, seq: first.seq, step: traceJson(steps) }] : [];
  });
  rows.sort((a, b) => (a.activeflow_id === b.activeflow_id ? a.seq - b.seq : a.activeflow_id < b.activeflow_id ? -1 : 1));
  return inPieces(rows, (row) => row.step.length);
}
