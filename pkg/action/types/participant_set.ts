import { Type } from 'typebox';
import type { Json } from '../../model/json.ts';
import { JOB_PREFIX, PARTICIPANT_KEY, PARTICIPANT_KEY_WANTED } from '../../model/participant.ts';
import { ask, defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { isTemplate } from '../rewrite.ts';
import { field } from '../schema.ts';

export const participantSetAction = defineAction({
  type: 'participant_set',
  medium: 'any',
  by: 'manager',
  option: Type.Object({
    key: Type.String({
      description: 'Name of the entry; read as `${participant.<key>}`. Names under job. are the service’s own.',
    }),
    value: field.any('Its value: a text, or any other JSON. Absent: empty.'),
  }),
  doc: 'Sets an entry of the data that all activeflows of one reference share with each other and with their jobs.',
  check(option, { error }) {
    const { key } = option;
    const wrong = isTemplate(key) ? undefined : problem(String(key));
    if (wrong !== undefined) error('/key', key, wrong);
    return option;
  },
  *decide({ option }) {
    const { key } = option;
    const wrong = problem(key);
    if (wrong !== undefined)
      throw failure('INVALID_ARGUMENT', 'BAD_PARTICIPANT_KEY', `participant_set: key ${key}: expected ${wrong}`);
    const value = (option.value ?? '') as Json;
    yield* ask({ kind: 'participant', room_for: { key, value } });
    // Not the value: it may be a secret.
    return { kind: 'next', participant: { key, value }, reason: `sets ${key} of the participant` };
  },
});

function problem(key: string): string | undefined {
  if (!PARTICIPANT_KEY.test(key)) return PARTICIPANT_KEY_WANTED;
  return key.startsWith(JOB_PREFIX) ? `a key that does not begin with ${JOB_PREFIX}: those are the service’s` : undefined;
}
