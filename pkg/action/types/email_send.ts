import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';
import { Attachment, addressesJson, contact, idOrNil } from './shared.ts';
import { askAnything, idForReason, request } from './sibling.ts';

export const emailSendAction = defineAction({
  type: 'email_send',
  medium: 'any',
  by: 'manager',
  on_failure: 'continue',
  option: Type.Object({
    destinations: contact.destinations,
    subject: field.text('Subject.'),
    content: field.text('Body.'),
    attachments: Type.Optional(Type.Array(Attachment, { description: 'What is sent along.' })),
  }),
  doc: 'Sends an e-mail to the destinations.',
  *decide({ activeflow, option }) {
    const answer = yield* askAnything(
      request('email', 'POST', '/v1/emails', {
        customer_id: activeflow.customer_id,
        activeflow_id: activeflow.id,
        destinations: addressesJson(option.destinations),
        subject: option.subject ?? '',
        content: option.content ?? '',
        attachments: (option.attachments ?? []).map((attachment) => ({
          reference_type: attachment.reference_type ?? '',
          reference_id: idOrNil(attachment.reference_id),
        })),
      }),
    );
    return { kind: 'next', reason: `e-mail${idForReason(answer)} to ${option.destinations?.length ?? 0}` };
  },
});
