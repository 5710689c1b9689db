import { isSet } from '../model/id.ts';
import type { Decision } from './definition.ts';

/** What a condition found, and the values it compared. */
export interface Verdict {
  readonly holds: boolean;
  /** `7.5 > 10` */
  readonly shown: string;
}

/** True goes on; false jumps, or goes on where no target is given. */
export function verdict({ holds, shown }: Verdict, falseTarget: string | undefined): Decision {
  const reason = `${shown}: ${holds}`;
  if (holds || !isSet(falseTarget)) return { kind: 'next', reason };
  return { kind: 'jump', target: falseTarget, reason };
}
