import { Type } from 'typebox';
import { isJsonObject } from '../../model/json.ts';
import { ask, defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { field } from '../schema.ts';
import { isOwnVariable, quote } from '../text.ts';
import { InnerAction } from './shared.ts';

export const callbackWaitAction = defineAction({
  type: 'callback_wait',
  medium: 'any',
  by: 'manager',
  in_branch: false,
  later: ['while_waiting'],
  option: Type.Object({
    name: field.text('Name of the callback, as callback_create was given it.'),
    timeout: field.count('How long it waits, in ms; absent or 0: as long as the callback is good.'),
    timeout_target_id: field.id('Where to go when nothing has come by then; absent: on.'),
    into: field.text('Name of the variable for what came: {method, headers, query, body, received_at}; null when nothing came.'),
    while_waiting: Type.Optional(
      Type.Array(InnerAction, { description: 'What a call plays meanwhile, in a loop; absent: it pauses.' }),
    ),
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
    const waits = { kind: 'await', signal, into } as const;
    if (isJsonObject(arrival)) {
      const come = { id: String(arrival.id), value: arrival.value ?? null };
      return { ...waits, come, reason: `callback ${quote(name)} has come already` };
    }
    const ends = [option.timeout ? now + option.timeout : Number.POSITIVE_INFINITY, Number(expires ?? Number.POSITIVE_INFINITY)];
    const until = Math.min(...ends);
    return {
      ...waits,
      reason: `until callback ${quote(name)} comes`,
      ...(until === Number.POSITIVE_INFINITY ? {} : { until }),
      ...(option.timeout_target_id === undefined ? {} : { timeout_target_id: option.timeout_target_id }),
      actions: (option.while_waiting ?? []) as never,
    };
  },
});

/** The signal that a callback gives. */
export function callbackSignal(name: string): string {
  return `callback:${name}`;
}
