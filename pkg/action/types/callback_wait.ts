import { Type } from 'typebox';
import { isJsonObject } from '../../model/json.ts';
import { ask, defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { field } from '../schema.ts';
import { isOwnVariable, quote } from '../text.ts';
import { WAITING_LATER, waitFor, waitingFields } from './waiting.ts';

export const callbackWaitAction = defineAction({
  type: 'callback_wait',
  medium: 'any',
  by: 'manager',
  in_branch: false,
  later: WAITING_LATER,
  option: Type.Object({
    name: field.text('Name of the callback, as callback_create was given it.'),
    ...waitingFields('as long as the callback is good'),
    into: field.text('Name of the variable for what came: {method, headers, query, body, received_at}; null when nothing came.'),
  }),
  doc: 'Waits until somebody calls the address of a callback; what came before is taken at once.',
  *decide({ option, now }) {
    const name = option.name ?? '';
    if (name === '') throw failure('INVALID_ARGUMENT', 'CALLBACK_NAME_EMPTY', 'callback_wait: name is empty, expected a name');
    const into = option.into ?? '';
    if (isOwnVariable(into)) {
      throw failure('INVALID_ARGUMENT', 'VARIABLE_RESERVED', `callback_wait: ${into} is set by the service itself`);
    }
    const signal = callbackSignal(name);
    const seen = yield* ask({ kind: 'look', signal });
    const { arrival, expires } = isJsonObject(seen) ? seen : {};
    if (isJsonObject(arrival)) {
      const come = { id: String(arrival.id), value: arrival.value ?? null };
      return { kind: 'await', signal, into, come, reason: `callback ${quote(name)} has come already` };
    }
    const end = Number(expires ?? Number.POSITIVE_INFINITY);
    return { ...waitFor(signal, option, now, end), into, reason: `until callback ${quote(name)} comes` };
  },
});

/** The signal that a callback gives. */
export function callbackSignal(name: string): string {
  return `callback:${name}`;
}
