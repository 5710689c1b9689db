import { createActiveflow, type NewActiveflow } from '../../engine/create.ts';
import type { Draft, Start } from '../../engine/draft.ts';
import { endedJob, failedJob, type JobState, newJob } from '../../engine/job.ts';
import type { Activeflow } from '../../model/activeflow.ts';
import { isSet } from '../../model/id.ts';
import type { Json } from '../../model/json.ts';
import { JOB_PREFIX, participantOf } from '../../model/participant.ts';
import { type Context, noLists, worldOf } from '../context.ts';
import { withStart } from '../history/keep.ts';
import { createRecord, Recording } from '../history/recording.ts';
import type { Lists } from '../lists.ts';
import type { ActiveflowCommit, ParticipantWrite } from '../ports.ts';

export interface Beside extends Required<Pick<ActiveflowCommit, 'creates' | 'participants'>> {
  /** The entry of the job that it ends. */
  readonly ended?: string;
}

/** Makes what a commit does beside its own row: activeflows that it starts, and participant data. */
export class Starter {
  readonly #context: Context;
  readonly #lists: Lists;

  constructor(context: Context, lists: Lists) {
    this.#context = context;
    this.#lists = lists;
  }

  /** What of it a draft causes. Throws a FlowError only when the database cannot be asked. */
  async beside(draft: Draft): Promise<Beside> {
    const participant = participantOf(draft.base);
    const participants: ParticipantWrite[] = draft.participants.map((entry) => ({ participant, ...entry }));
    const creates: Activeflow[] = [];
    for (const start of draft.starts) {
      const row = await this.#start(draft, start);
      if (row) creates.push(row);
      if (start.name === '') continue;
      const gone = failedJob(start.id, 'FLOW_NOT_FOUND', `flow ${start.flow_id} was deleted before the job began`);
      const state: JobState = row ? { status: 'ONGOING', id: start.id } : gone;
      const value = state as unknown as Json;
      participants.push({ participant, key: JOB_PREFIX + start.name, value, from: start.from, job_id: start.id });
    }
    const ended = endedJob(draft);
    if (ended) participants.push({ participant, ...ended, of_job: draft.base.id });
    return { creates, participants, ...(ended ? { ended: ended.key } : {}) };
  }

  /** A new activeflow that walks by itself, with the beginning of its history. */
  make(given: NewActiveflow): Activeflow {
    const world = worldOf(this.#context, noLists);
    const keep = this.#context.options.history ?? 'off';
    if (keep === 'off') return createActiveflow(given, world).row;
    const recording = new Recording({ kind: 'create', given: createRecord(given) });
    const { row } = createActiveflow(given, recording.around(world));
    return withStart(row, keep, () => recording.start(row));
  }

  /** Undefined: its flow is gone since it was looked up. */
  async #start(draft: Draft, start: Start): Promise<Activeflow | undefined> {
    const { store, options } = this.#context;
    const { customer_id } = draft.base;
    if (start.actions) {
      // By the hash of its bytes: the same branches are stored once, however often they are started.
      const list = await this.#lists.putShared(customer_id, start.actions);
      return this.make(newJob(draft, start, { list }, options));
    }
    const flow = isSet(start.flow_id) ? await store.flows.get(start.flow_id) : undefined;
    if (!flow || flow.tm_delete !== null || flow.customer_id !== customer_id) return undefined;
    return this.make(newJob(draft, start, { flow }, options));
  }
}
