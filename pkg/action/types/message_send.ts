import { Type } from 'typebox';
import { NIL } from '../../model/id.ts';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';
import { addressesJson, addressJson, contact } from './shared.ts';
import { askAnything, idForReason, request } from './sibling.ts';

export const messageSendAction = defineAction({
  type: 'message_send',
  medium: 'any',
  by: 'manager',
  option: Type.Object({
    ...contact,
    text: field.text('The message.'),
  }),
  doc: 'Sends a text message to the destinations.',
  *decide({ activeflow, option }) {
    const answer = yield* askAnything(
      request('message', 'POST', '/v1/messages', {
        id: NIL,
        customer_id: activeflow.customer_id,
        source: addressJson(option.source),
        destinations: addressesJson(option.destinations),
        text: option.text ?? '',
      }),
    );
    return { kind: 'next', reason: `message${idForReason(answer)} to ${option.destinations?.length ?? 0}` };
  },
});
