import { awaitedBy } from '../../engine/await.ts';
import type { Draft } from '../../engine/draft.ts';
import { earliest, formatTime } from '../../engine/world.ts';
import type { ReferenceType } from '../../model/activeflow.ts';
import type { Context } from '../context.ts';

type Timing = Pick<Context, 'clock' | 'options'>;

/**
 * When something must happen to a row with nobody asking: the earliest of its lease or its next try, its timer, the
 * look for its caller, what it waits for and its deadline. A caller who is to be cut off has a lease, too: it is told
 * again when it does not ask by then.
 */
export function wakeAt(draft: Draft, context: Timing): string | null {
  const { status, run, wait, look_at, cut_off, base } = draft;
  if (status === 'ended') return null;
  const lease = run || cut_off ? (run?.retry?.due ?? formatTime(context.clock.now() + context.options.lease_ms)) : null;
  const ends = awaitedBy(draft).map(({ due }) => due);
  return earliest([lease, ...ends, wait?.due ?? null, look_at ?? null, base.deadline_at]);
}

/** When the caller of an activeflow is looked for unless it has asked again by then; undefined: nobody is to ask. */
export function lookAt(draft: Draft, timing: Timing): string | undefined {
  const { base, run, wait } = draft;
  if (draft.status === 'ended' || run || wait) return undefined;
  const walked = draft.step !== base.state.step || base.state.run !== null;
  return (walked ? undefined : draft.look_at) ?? firstLook(base.reference_type, timing);
}

/** Only a call is asked for by somebody who may be gone: all others run by themselves. */
export function firstLook(reference: ReferenceType, { clock, options }: Timing): string | undefined {
  const { reap_after_ms } = options;
  if (reference !== 'call' || reap_after_ms === 0) return undefined;
  // In steps, so that the index of what is due is not rewritten by every commit of a call.
  const grain = Math.max(1, reap_after_ms / 8);
  return formatTime(Math.ceil((clock.now() + reap_after_ms) / grain) * grain);
}
