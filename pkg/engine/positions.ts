/**
 * Positions of the requests that are made for one action. They are part of the request_id, so they must never change.
 * An action's own requests count up from FIRST_POSITION.
 */
export const SUBSTITUTION_POSITION = 0;
export const FIRST_POSITION = 1;
export const AFTER_POSITION = 1_000;
export const FALLBACK_POSITION = 1_001;
