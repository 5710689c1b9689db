import { Type } from 'typebox';
import { NIL } from '../../model/id.ts';
import { defineAction, type NewAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { field } from '../schema.ts';
import { joinConfbridge, makeConfbridge, makeFlow } from './bridge.ts';
import { countText, makeCalls } from './calls.ts';
import { anonymous, contact } from './shared.ts';

export const connectAction = defineAction({
  type: 'connect',
  medium: 'rtc',
  by: 'manager',
  in_branch: false,
  option: Type.Object({
    ...contact,
    early_media: field.flag('The caller hears the callee before it answers.'),
    relay_reason: field.flag("The caller's call is hung up for the reason that the first call was."),
    anonymous,
    unchained: field.flag("The calls live on when the caller's ends (old)."),
  }),
  doc: 'Calls the destinations and joins the caller with the one that answers.',
  *decide({ activeflow, option }) {
    const destinations = option.destinations ?? [];
    const confbridge = yield* makeConfbridge(activeflow);
    const join = joinConfbridge(confbridge);
    const flow_id = yield* makeFlow('connect', [join, { type: 'hangup' }]);
    const made = yield* makeCalls({
      customer_id: activeflow.customer_id,
      flow_id,
      master_call_id: option.unchained === true ? NIL : activeflow.reference_id,
      source: option.source,
      destinations,
      early_execution: option.early_media === true,
      connect: option.early_media !== true && destinations.length === 1,
      anonymous: option.anonymous,
    });
    const first = made.calls[0];
    if (first === undefined && made.groupcalls === 0) {
      throw failure('UNAVAILABLE', 'NO_CALLS_MADE', 'call-manager made neither a call nor a group call');
    }
    const relay = option.relay_reason === true && made.groupcalls === 0 && first !== undefined;
    const actions: NewAction[] = relay ? [join, { type: 'hangup', option: { reference_id: first } }] : [join];
    return { kind: 'push', reason: `${countText(made)} to meet in confbridge ${confbridge}`, actions };
  },
});
