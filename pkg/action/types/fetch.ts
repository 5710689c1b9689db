import { Type } from 'typebox';
import { isJsonObject, type Json } from '../../model/json.ts';
import { ask, defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { field } from '../schema.ts';

export const fetchAction = defineAction({
  type: 'fetch',
  aliases: ['patch'],
  medium: 'any',
  by: 'manager',
  in_branch: false,
  option: Type.Object({
    event_url: field.text('Address that is asked; it gets {activeflow_id, reference_id} as JSON.'),
    event_method: field.text('HTTP method; default GET.'),
  }),
  doc: 'Asks a web address for a list of actions and runs them before it goes on.',
  *decide({ activeflow, option }) {
    const url = option.event_url ?? '';
    if (url === '') throw failure('INVALID_ARGUMENT', 'NO_URL', 'fetch: no event_url is given');
    const method = (option.event_method || 'GET').toUpperCase();
    const body = { activeflow_id: activeflow.id, reference_id: activeflow.reference_id };
    const actions = answered(yield* ask({ kind: 'fetch', method, url, body }));
    return { kind: 'push', actions, reason: `${actions.length} actions fetched` };
  },
});

/** The list in the answer. The address is the author's own, so the failure names only what came back. */
function answered(answer: Json): readonly Json[] {
  const { status, body } = isJsonObject(answer) ? answer : {};
  if (typeof status !== 'number' || status < 200 || status > 299) {
    throw failure('UNAVAILABLE', 'FETCH_FAILED', `fetch: answered with status ${status ?? 'nothing'}, expected 2xx`);
  }
  if (Array.isArray(body)) return body;
  const kind = isJsonObject(body) ? 'an object' : body === null || body === undefined ? 'nothing' : `a ${typeof body}`;
  throw failure('UNAVAILABLE', 'FETCH_NO_ACTIONS', `fetch: answered ${status} with ${kind}, expected a list of actions`);
}
