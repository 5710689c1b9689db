import type { Effect, EffectAnswer } from '../action/definition.ts';
import type { Json } from '../model/json.ts';

/**
 * What a walk asks of its executor.
 *
 * `effect`: perform it and resume with the answer. Step and position name it: a walk that is done again from
 * the same row asks the same at the same place, so that an answer in hand is used again and a sibling that
 * is asked again sees the same request_id. A failure that was answered makes another attempt of it (absent: 0).
 * `checkpoint`: store the draft now, before anything else happens. Comes before the first effect of every
 * action, so that a walk that is taken over asks for the same thing again and for nothing else.
 */
export type Ask = EffectAsk | FirstAsk | { readonly kind: 'checkpoint' };

export interface EffectAsk {
  readonly kind: 'effect';
  readonly effect: Effect;
  readonly step: number;
  readonly position: number;
  readonly attempt?: number;
}

/**
 * `first`: perform all of these side by side, each once however often it is asked for, and resume with the first that
 * is answered: an `arrival`. Those that are still open are asked for again, or given up.
 */
export interface FirstAsk {
  readonly kind: 'first';
  readonly asks: readonly EffectAsk[];
  /** RFC 3339; from then on it is resumed with nothing. null: there is no end. */
  readonly until: string | null;
}

/** What a `first` is resumed with, as an answer like any other, so that it can be kept; undefined: its time is over. */
export function arrival(ask: EffectAsk | undefined, answer?: EffectAnswer): EffectAnswer {
  return { ok: true, value: ask && answer ? { position: ask.position, answer: answer as unknown as Json } : null };
}

export function arrived(given: EffectAnswer | undefined): { readonly position: number; readonly answer: EffectAnswer } | null {
  return given?.ok ? (given.value as never) : null;
}

/**
 * Whether a walk goes on after one of its actions: known at once, as with most of them, or found out by asking. A generator for
 * each would be one more to be made and resumed at every step.
 */
export type Acted = boolean | Walk<boolean>;

export function* goesOn(acted: Acted): Walk<boolean> {
  return typeof acted === 'boolean' ? acted : yield* acted;
}

/** A walk under way; resumed with the answer to an effect, or with nothing after a checkpoint. */
export type Walk<Result> = Generator<Ask, Result, EffectAnswer | undefined>;
