/** Parts that the options of several action types share, and small helpers to build requests from them. */
import { type Static, Type } from 'typebox';
import { isSet, NIL } from '../../model/id.ts';
import type { Json, JsonObject } from '../../model/json.ts';
import { field } from '../schema.ts';

/** One end of a conversation: a telephone number, an agent, an extension, an e-mail address … */
export const Address = Type.Object({
  type: field.text('What kind of address it is: tel, email, agent, extension, sip, conference or line.'),
  target: field.text('The address itself, a number as +821100000001.'),
  target_name: field.text('Name shown to the other end.'),
  name: field.text('Name of this address for its owner.'),
  detail: field.text('Remark on this address for its owner.'),
});
export type AddressOption = Static<typeof Address>;

/** Options of an action that reaches out to somebody. */
export const contact = {
  source: Type.Optional(Address),
  destinations: Type.Optional(Type.Array(Address, { description: 'Whom to reach.' })),
};

/** What an e-mail carries along, by reference. */
export const Attachment = Type.Object({
  reference_type: field.text('What is attached, for example recording.'),
  reference_id: field.id('Id of what is attached.'),
});

/** Whether the callee sees who calls. */
export const anonymous = field.oneOf(['yes', 'no', 'auto'], 'Whether the caller is hidden; auto: as the caller came in.');

/** An action inside the option of another. */
export const InnerAction = Type.Object({
  id: field.id('Its id; given when absent.'),
  next_id: field.id('Where to go afterwards.'),
  type: Type.String({ description: 'Its type.' }),
  option: field.any('Its option.'),
  name: field.text('Its name.'),
  on_error_target_id: field.id('Where to go when it fails.'),
  retry: field.any('`{attempts, initial_ms, max_ms, factor}`: how often and when it is tried again after a failure.'),
  tm_execute: field.any('When it was handed over.'),
});

/** An address as JSON: all that was given, parts unknown here too. */
export function addressJson(address: AddressOption | undefined): JsonObject {
  return given(address ?? {});
}

export function addressesJson(addresses: readonly AddressOption[] | undefined): readonly JsonObject[] {
  return (addresses ?? []).map(addressJson);
}

/** The same object without what is undefined: JSON has no word for it. */
export function given(parts: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(parts).filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

/** An id for the wire: in lower case, nil when there is none. */
export function idOrNil(id: string | undefined): string {
  return isSet(id) ? id.toLowerCase() : NIL;
}

/** A text that is left out of a request when it is empty. */
export function textOrNothing(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
