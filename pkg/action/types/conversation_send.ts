import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';
import { idOrNil } from './shared.ts';
import { askAnything, idForReason, request } from './sibling.ts';

export const conversationSendAction = defineAction({
  type: 'conversation_send',
  medium: 'any',
  by: 'manager',
  on_failure: 'continue',
  option: Type.Object({
    conversation_id: field.id('The conversation.'),
    text: field.text('The message.'),
    sync: field.flag('Whether the flow waits until the message is sent.'),
  }),
  doc: 'Writes a text into a conversation; with sync, waits until it is sent.',
  *decide({ option }) {
    const wait = option.sync === true;
    const data = { conversation_id: idOrNil(option.conversation_id), text: option.text ?? '', medias: [] };
    const answer = yield* askAnything(request('conversation', 'POST', '/v1/messages', data, { timeout_ms: 30_000, wait }));
    return { kind: 'next', reason: wait ? `message${idForReason(answer)} sent` : 'message sent, not waited for' };
  },
});
