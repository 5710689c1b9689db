import { Type } from 'typebox';
import type { Variables } from '../../model/action.ts';
import { isSet } from '../../model/id.ts';
import { isJsonObject, type Json } from '../../model/json.ts';
import { JOB_PREFIX, NAME, NAME_WANTED } from '../../model/participant.ts';
import { ask, defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { isTemplate } from '../rewrite.ts';
import { field, ID_PATTERN } from '../schema.ts';

export const jobStartAction = defineAction({
  type: 'job_start',
  medium: 'any',
  by: 'manager',
  option: Type.Object({
    name: Type.String({
      description: 'What it is called; its state is `${participant.job.<name>.status}`, `.result` and `.error`.',
    }),
    flow_id: Type.String({ pattern: ID_PATTERN, description: 'The flow that it runs.' }),
    inputs: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'What it gets, each as its variable `input.<name>`.' }),
    ),
    deadline: field.count('How long it may take, in ms; absent: as its flow says, else as the service does.'),
  }),
  doc: 'Starts a flow beside this one, and goes on without waiting for it. A name that is running already is left as it is.',
  check(option, { error }) {
    const { name, flow_id } = option;
    if (!isTemplate(name) && !NAME.test(String(name))) error('/name', name, NAME_WANTED);
    if (!isTemplate(flow_id) && !isSet(String(flow_id))) error('/flow_id', flow_id, 'the id of a flow');
    return option;
  },
  *decide({ activeflow, option }) {
    const { name, flow_id } = option;
    if (!NAME.test(name)) throw failure('INVALID_ARGUMENT', 'BAD_JOB_NAME', `job_start: name ${name}: expected ${NAME_WANTED}`);
    const key = JOB_PREFIX + name;
    const entries = yield* ask({ kind: 'participant', room_for: { key, value: '' } });
    const { value, revision } = entryOf(entries, key);
    if (isJsonObject(value) && value.status === 'ONGOING') {
      return { kind: 'next', reason: `job ${name} is running already: activeflow ${String(value.id)}` };
    }
    const flow = isSet(flow_id) ? yield* ask({ kind: 'flow', id: flow_id }) : null;
    if (!isJsonObject(flow) || flow.customer_id !== activeflow.customer_id) {
      throw failure('NOT_FOUND', 'FLOW_NOT_FOUND', `job_start: no flow ${flow_id} of this customer`);
    }
    const inputs = (option.inputs ?? {}) as Variables;
    const start = { name, flow_id, inputs, deadline_ms: option.deadline ?? 0, from: revision };
    return { kind: 'next', start, reason: `starts job ${name} with flow ${flow_id}` };
  },
});

function entryOf(entries: Json, key: string): { value: Json; revision: number } {
  const entry = isJsonObject(entries) && Object.hasOwn(entries, key) ? entries[key] : undefined;
  if (!isJsonObject(entry)) return { value: null, revision: 0 };
  return { value: entry.value ?? null, revision: Number(entry.revision) };
}
