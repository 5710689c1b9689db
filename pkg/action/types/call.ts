import { Type } from 'typebox';
import { isSet, NIL } from '../../model/id.ts';
import { defineAction, type NewAction } from '../definition.ts';
import { field } from '../schema.ts';
import { makeFlow } from './bridge.ts';
import { countText, makeCalls } from './calls.ts';
import { anonymous, contact, InnerAction, idOrNil } from './shared.ts';

export const callAction = defineAction({
  type: 'call',
  medium: 'any',
  by: 'manager',
  option: Type.Object({
    ...contact,
    flow_id: field.id('The flow that the calls run; goes before actions.'),
    actions: Type.Optional(Type.Array(InnerAction, { description: 'What the calls run when there is no flow_id.' })),
    chained: field.flag("The calls end with the caller's call."),
    early_execution: field.flag('The flow starts before the callee answers.'),
    anonymous,
  }),
  doc: 'Makes calls that run a flow of their own; this flow goes on without waiting for them.',
  *decide({ activeflow, option }) {
    const flow_id = isSet(option.flow_id)
      ? idOrNil(option.flow_id)
      : yield* makeFlow('call', (option.actions ?? []) as unknown as readonly NewAction[]);
    const chained = option.chained === true && activeflow.reference_type === 'call';
    const made = yield* makeCalls({
      customer_id: activeflow.customer_id,
      flow_id,
      master_call_id: chained ? activeflow.reference_id : NIL,
      source: option.source,
      destinations: option.destinations ?? [],
      early_execution: option.early_execution === true,
      connect: false,
      anonymous: option.anonymous,
    });
    return { kind: 'next', reason: `${countText(made)} with flow ${flow_id}` };
  },
});
