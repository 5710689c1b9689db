import type { Draft } from '../../engine/draft.ts';
import { formatTime } from '../../engine/world.ts';
import type { Context } from '../context.ts';

/** When something must happen to a row with nobody asking: the earliest of its lease, its timer and its deadline. */
export function wakeAt(draft: Draft, context: Pick<Context, 'clock' | 'options'>): string | null {
  if (draft.status === 'ended') return null;
  const lease = draft.run ? formatTime(context.clock.now() + context.options.lease_ms) : null;
  const times = [lease, draft.wait?.due ?? null, draft.base.deadline_at].filter((time) => time !== null);
  // RFC 3339 in UTC with a fixed number of digits sorts as text.
  return times.sort()[0] ?? null;
}
