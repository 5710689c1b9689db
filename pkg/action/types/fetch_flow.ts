import { Type } from 'typebox';
import { isSet } from '../../model/id.ts';
import { isJsonObject } from '../../model/json.ts';
import { ask, defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { field } from '../schema.ts';

export const fetchFlowAction = defineAction({
  type: 'fetch_flow',
  aliases: ['patch_flow'],
  medium: 'any',
  by: 'manager',
  in_branch: false,
  option: Type.Object({
    flow_id: field.id('The flow, one of the same customer.'),
  }),
  doc: 'Runs the actions of another flow before it goes on.',
  *decide({ activeflow, option }) {
    const id = option.flow_id;
    if (!isSet(id)) throw failure('INVALID_ARGUMENT', 'NO_FLOW', 'fetch_flow: no flow_id is given');
    const flow = yield* ask({ kind: 'flow', id });
    const { customer_id, list } = isJsonObject(flow) ? flow : {};
    // Another customer's flow reads as none: whether it exists is not this customer's to know.
    if (customer_id !== activeflow.customer_id || typeof list !== 'string') {
      throw failure('NOT_FOUND', 'FLOW_NOT_FOUND', `no flow with id ${id}`);
    }
    return { kind: 'push', list, reason: `the actions of flow ${id}` };
  },
});
