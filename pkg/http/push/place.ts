import { invalid } from '../../error/index.ts';
import type { Json } from '../../model/json.ts';
import type { PushedEvent } from '../../service/ports.ts';

const ID = /^(\d{1,15})(?:-[0-9a-f-]{36})?$/;

/** An event as its receiver gets it. Its id is its place in the channel, and what it is about. */
export function eventText({ seq, workflow_call_id, name, data }: PushedEvent): { readonly id: string; readonly text: string } {
  const id = `${seq}-${workflow_call_id}`;
  const shown: Json = { id, name, data };
  return { id, text: JSON.stringify(shown) };
}

/** The place after which to go on: the id of the last event that was received; `0`: from the oldest that is kept. */
export function readPlace(field: string, id: string): number {
  const match = ID.exec(id);
  if (!match) throw invalid('BAD_FIELD', field, id, 'the id of an event, or 0');
  return Number(match[1]);
}
