import { Type } from 'typebox';
import { isJsonObject } from '../../model/json.ts';
import { NAME, NAME_WANTED } from '../../model/participant.ts';
import { ask, defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { isTemplate } from '../rewrite.ts';
import { WAITING_LATER, waitFor, waitingFields } from './waiting.ts';

export const jobWaitAction = defineAction({
  type: 'job_wait',
  medium: 'any',
  by: 'manager',
  in_branch: false,
  later: WAITING_LATER,
  option: Type.Object({
    name: Type.String({ description: 'Name of a job that this flow, or another one of the same participant, has started.' }),
    ...waitingFields('until the job has ended'),
  }),
  doc: 'Waits until a job has ended, one way or another; goes on at once when it has. How it ended is `${participant.job.<name>.status}`.',
  check(option, { error }) {
    const { name } = option;
    if (!isTemplate(name) && !NAME.test(String(name))) error('/name', name, NAME_WANTED);
    return option;
  },
  *decide({ activeflow, option, now }) {
    const { name } = option;
    if (!NAME.test(name)) throw failure('INVALID_ARGUMENT', 'BAD_JOB_NAME', `job_wait: name ${name}: expected ${NAME_WANTED}`);
    const seen = yield* ask({ kind: 'look', signal: `job:${name}` });
    const { id, status } = isJsonObject(seen) ? seen : {};
    if (status !== 'ONGOING') return { kind: 'next', reason: `job ${name} has ended: ${String(status)}` };
    if (id === activeflow.id) throw failure('FAILED_PRECONDITION', 'JOB_IS_ITSELF', `job_wait: ${name} is this job itself`);
    return { ...waitFor(jobSignal({ name, id: String(id) }), option, now), reason: `until job ${name} has ended` };
  },
});

/** One run of a job: its name and its activeflow. */
export interface JobRun {
  readonly name: string;
  readonly id: string;
}

/** The signal that the end of a job gives. The name alone would mean whatever was started under it since. */
export function jobSignal({ name, id }: JobRun): string {
  return `job:${name}/${id}`;
}

/** The job whose end gives this signal; undefined: it is another kind of signal. */
export function jobOfSignal(signal: string): JobRun | undefined {
  const [, name, id] = /^job:([^/]+)\/(.+)$/.exec(signal) ?? [];
  return name === undefined || id === undefined ? undefined : { name, id };
}
