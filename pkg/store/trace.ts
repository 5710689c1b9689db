import type { TraceStep } from '../model/activeflow.ts';
import type { Session } from './session.ts';

/** Limits of one INSERT. */
const ROWS = 500;
const BYTES = 1 << 20;

type StepRow = { readonly activeflow_id: string; readonly seq: number; readonly step: string };

export async function readTrace(session: Session, id: string): Promise<TraceStep[]> {
  const rows = await session.run((db) =>
    db.selectFrom('trace_steps').select('step').where('activeflow_id', '=', id).orderBy('seq').execute(),
  );
  return rows.map((row) => JSON.parse(row.step) as TraceStep);
}

/** A step that is there already stays: it is the same one. */
export async function addTrace(
  session: Session,
  steps: readonly { readonly id: string; readonly step: TraceStep }[],
): Promise<void> {
  for (const rows of inPieces(steps)) {
    await session.run((db) => {
      const insert = db.insertInto('trace_steps').values(rows);
      // Not INSERT IGNORE, which would also make a warning of a value that is too long.
      return session.dialect.name === 'mysql'
        ? insert.onDuplicateKeyUpdate((eb) => ({ seq: eb.ref('trace_steps.seq') })).execute()
        : insert.onConflict((conflict) => conflict.doNothing()).execute();
    });
  }
}

/** In one order everywhere, so that two movers cannot lock rows crosswise. */
function inPieces(steps: readonly { readonly id: string; readonly step: TraceStep }[]): StepRow[][] {
  const rows = steps.map(({ id, step }) => ({ activeflow_id: id, seq: step.seq, step: JSON.stringify(step) }));
  rows.sort((a, b) => (a.activeflow_id === b.activeflow_id ? a.seq - b.seq : a.activeflow_id < b.activeflow_id ? -1 : 1));
  const pieces: StepRow[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const piece = pieces.at(-1);
    bytes += row.step.length;
    if (piece && piece.length < ROWS && bytes <= BYTES) {
      piece.push(row);
    } else {
      pieces.push([row]);
      bytes = row.step.length;
    }
  }
  return pieces;
}
