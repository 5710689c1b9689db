import type { Json } from '../../model/json.ts';
import type { Participant, ParticipantEntry } from '../../model/participant.ts';

/** One value of a participant, written whole. */
export interface ParticipantWrite {
  readonly participant: Participant;
  readonly key: string;
  readonly value: Json;
  /** Only while the entry is at this revision; 0: only while there is none. Absent: whatever is there. */
  readonly from?: number;
  /** The job whose state it is, from now on. */
  readonly job_id?: string;
  /** The end of this job: only where the entry is its own; elsewhere it is left alone, and that is fine. Who waits is due. */
  readonly of_job?: string;
}

/** Values that activeflows of one reference share, each with a revision of its own. */
export interface ParticipantStore {
  /** All entries, by key. */
  read(participant: Participant): Promise<ParticipantEntry[]>;
  /** Undefined: the entry is not at `from`, nothing was written. */
  write(write: ParticipantWrite): Promise<ParticipantEntry | undefined>;
  /** Ids of the activeflows that wait for the job whose state this entry is, or have until it ended. */
  waiting(participant: Participant, key: string): Promise<string[]>;
  /** Erases a customer's entries, `limit` at most. Returns how many. */
  removeCustomer(customer_id: string, limit: number): Promise<number>;
  /** Erases entries that nobody has written for `age_ms` and nobody waits for, `limit` at most. Returns how many. */
  forget(age_ms: number, limit: number): Promise<number>;
}
