import { Type } from 'typebox';
import type { Json } from '../../model/json.ts';
import { ask, defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { field } from '../schema.ts';
import { given, textOrNothing } from './shared.ts';
import { request } from './sibling.ts';

export const webhookSendAction = defineAction({
  type: 'webhook_send',
  medium: 'any',
  by: 'manager',
  on_failure: 'continue',
  option: Type.Object({
    sync: field.flag('Whether the flow waits until the webhook manager has taken it.'),
    uri: field.text('The address.'),
    method: field.text('HTTP method.'),
    data_type: field.text('Content type, as application/json.'),
    data: field.text('A text that holds JSON.'),
  }),
  doc: 'Sends data to an address of the customer; with sync, waits until the webhook manager has taken it.',
  *decide({ activeflow, option }) {
    const wait = option.sync === true;
    const data = given({
      customer_id: activeflow.customer_id,
      uri: option.uri ?? '',
      method: textOrNothing(option.method),
      data_type: textOrNothing(option.data_type),
      data: parse(option.data ?? ''),
    });
    yield* ask(request('webhook', 'POST', '/v1/webhook_destinations', data, { wait }));
    return { kind: 'next', reason: wait ? 'webhook sent' : 'webhook sent, not waited for' };
  },
});

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // Neither the text nor the parser's words are shown: they may hold what the customer keeps to itself.
    const message = `/option/data: expected a text that holds JSON, got ${text.length} characters that do not`;
    throw failure('INVALID_ARGUMENT', 'WEBHOOK_DATA_NOT_JSON', message);
  }
}
