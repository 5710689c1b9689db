import { Type } from 'typebox';
import type { Decision, NewAction } from '../definition.ts';
import { field } from '../schema.ts';
import { InnerAction } from './shared.ts';

/** The options of every action that waits for something; `forever` says when its time is over if it names none. */
export function waitingFields(forever: string) {
  return {
    timeout: field.count(`How long it waits, in ms; absent or 0: ${forever}.`),
    timeout_target_id: field.id('Where to go when nothing has come by then; absent: on.'),
    while_waiting: Type.Optional(
      Type.Array(InnerAction, { description: 'What a call plays meanwhile, in a loop; absent: it pauses.' }),
    ),
  };
}

/** The option that holds actions for later. */
export const WAITING_LATER = ['while_waiting'];

export interface WaitingOption {
  readonly timeout?: number;
  readonly timeout_target_id?: string;
  readonly while_waiting?: readonly unknown[];
}

/** Waits for a signal as the option says. `now` and `end` (after which it cannot come any more) in ms since 1970. */
export function waitFor(signal: string, option: WaitingOption, now: number, end = Number.POSITIVE_INFINITY) {
  const until = Math.min(option.timeout ? now + option.timeout : Number.POSITIVE_INFINITY, end);
  return {
    kind: 'await',
    signal,
    ...(until === Number.POSITIVE_INFINITY ? {} : { until }),
    ...(option.timeout_target_id === undefined ? {} : { timeout_target_id: option.timeout_target_id }),
    actions: (option.while_waiting ?? []) as readonly NewAction[],
  } as const satisfies Omit<Extract<Decision, { kind: 'await' }>, 'reason'>;
}
