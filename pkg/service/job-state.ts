import { jobSignal } from '../action/types/job_wait.ts';
import { awaitedJobs } from '../engine/await.ts';
import { exhausted, FlowError } from '../error/index.ts';
import type { Activeflow } from '../model/activeflow.ts';
import { isJsonObject, type Json } from '../model/json.ts';
import { JOB_PREFIX, participantOf } from '../model/participant.ts';
import type { ParticipantStore } from './ports.ts';

/** Activeflows that may wait for one job. */
const MOST_WAITERS = 100;

/** The effect `look` of `job_wait`: `{id, status}` of the job of that name. Throws NOT_FOUND. */
export async function lookForJob(participants: ParticipantStore, row: Activeflow, name: string): Promise<Json> {
  const state = await stateOf(participants, row, name);
  if (!state) {
    throw new FlowError('NOT_FOUND', 'JOB_NOT_FOUND', `job_wait: no job ${name} was started by this flow or beside it`);
  }
  const waiting = await participants.waiting(participantOf(row), JOB_PREFIX + name);
  if (waiting.length < MOST_WAITERS || waiting.includes(row.id)) return state;
  throw exhausted('TOO_MANY_WAITERS', `${waiting.length} activeflows wait for job ${name} already`);
}

/** Signals of the jobs that this row waits for and that have ended: nothing is known of them, or another has the name. */
export async function endedJobs(participants: ParticipantStore, row: Activeflow): Promise<string[]> {
  const ended: string[] = [];
  for (const job of awaitedJobs(row.state)) {
    const state = await stateOf(participants, row, job.name);
    if (!state || state.id !== job.id || state.status !== 'ONGOING') ended.push(jobSignal(job));
  }
  return ended;
}

async function stateOf(participants: ParticipantStore, row: Activeflow, name: string) {
  const entries = await participants.read(participantOf(row));
  const value = entries.find(({ key }) => key === JOB_PREFIX + name)?.value;
  return isJsonObject(value) ? { id: value.id ?? null, status: value.status ?? null } : undefined;
}
