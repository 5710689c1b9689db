import type { Activeflow } from './activeflow.ts';
import { isSet } from './id.ts';
import type { Json } from './json.ts';

/** Who shares data: all activeflows of one reference of a customer, and the jobs that they have started. */
export interface Participant {
  readonly customer_id: string;
  readonly reference_type: string;
  readonly reference_id: string;
}

/** One value that a participant has. */
export interface ParticipantEntry {
  readonly key: string;
  readonly value: Json;
  /** From 1, one more with each write. */
  readonly revision: number;
  /** RFC 3339 */
  readonly tm_update: string;
}

/** Name of the variables that participant data is read by: `${participant.<key>}`. */
export const PARTICIPANT = 'participant';
/** Keys that begin so hold the state of jobs, which the service writes itself. */
export const JOB_PREFIX = 'job.';

export const PARTICIPANT_KEY = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/;
export const PARTICIPANT_KEY_WANTED = '1 to 128 letters, digits, _, - and ., not beginning with a dot';

/** Names of jobs and of branches. */
export const NAME = /^[A-Za-z0-9_-]{1,64}$/;
export const NAME_WANTED = 'a name of 1 to 64 letters, digits, _ and -';

/** How much one participant may have: as much as the variables of an activeflow. */
export const PARTICIPANT_LIMITS = { keys: 100, value_bytes: 32 * 1024, bytes: 64 * 1024 } as const;

/** That of a job is its caller's; who has no reference shares with nobody but its own jobs. */
export function participantOf(
  activeflow: Pick<Activeflow, 'id' | 'customer_id' | 'reference_type' | 'reference_id' | 'state'>,
): Participant {
  const { customer_id, reference_type, reference_id, state } = activeflow;
  if (state.participant) return { customer_id, ...state.participant };
  if (isSet(reference_id)) return { customer_id, reference_type, reference_id };
  return { customer_id, reference_type: '', reference_id: activeflow.id };
}
