import { createActiveflow, type NewActiveflow } from '../../engine/create.ts';
import { type Context, noLists, worldOf } from '../context.ts';
import { withStart } from '../history/keep.ts';
import { createRecord, Recording } from '../history/recording.ts';

/** A new activeflow, with the beginning of its history, when it is to have one. */
export function makeActiveflow(context: Context, given: NewActiveflow): ReturnType<typeof createActiveflow> {
  const world = worldOf(context, noLists);
  const keep = context.options.history ?? 'off';
  if (keep === 'off') return createActiveflow(given, world);
  const recording = new Recording({ kind: 'create', given: createRecord(given) });
  const { row, warnings } = createActiveflow(given, recording.around(world));
  return { row: withStart(row, keep, () => recording.start(row)), warnings };
}
