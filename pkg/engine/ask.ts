import type { Effect, EffectAnswer } from '../action/definition.ts';

/**
 * What a walk asks of its executor.
 *
 * `effect`: perform it and resume with the answer. Step and position name it: a walk that is done again from
 * the same row asks the same at the same place, so that an answer in hand is used again and a sibling that
 * is asked again sees the same request_id. A failure that was answered makes another attempt of it (absent: 0).
 * `checkpoint`: store the draft now, before anything else happens. Comes before the first effect of every
 * action, so that a walk that is taken over asks for the same thing again and for nothing else.
 */
export type Ask =
  | {
      readonly kind: 'effect';
      readonly effect: Effect;
      readonly step: number;
      readonly position: number;
      readonly attempt?: number;
    }
  | { readonly kind: 'checkpoint' };

/** A walk under way; resumed with the answer to an effect, or with nothing after a checkpoint. */
export type Walk<Result> = Generator<Ask, Result, EffectAnswer | undefined>;
