import type { Medium } from '../model/action.ts';

/** Why an action cannot be for a reference; undefined: it can. A call has audio; no reference has only what fits any; everything else has none. */
export function mediumProblem(medium: Medium, referenceType: string): string | undefined {
  if (medium === 'any') return undefined;
  if (referenceType === 'call') return medium === 'rtc' ? undefined : 'not for a call';
  if (referenceType !== '' && medium === 'non_rtc') return undefined;
  return medium === 'rtc' ? `needs a call’s audio, and this is ${referenceType || 'no reference'}` : 'needs a reference';
}
