/**
 * Positions of what is asked for one action. They are part of the request_id, so they must never change. An action's
 * own requests count up from FIRST_POSITION.
 */
export const SUBSTITUTION_POSITION = 0;
export const FIRST_POSITION = 1;
export const AFTER_POSITION = 1_000;
export const FALLBACK_POSITION = 1_001;
export const PARTICIPANT_POSITION = 2_000;

/** Actions in branches have ranges of their own: the first branch begins at 1e9, each of its actions 1e4 later. */
export function branchOffset(branch: number, walked: number): number {
  return (branch + 1) * 1_000_000_000 + walked * 10_000;
}
