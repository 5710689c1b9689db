import { Type } from 'typebox';
import { NIL } from '../../model/id.ts';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts';
import { type ActionContext, defineAction, type Effect, type EffectAnswer } from '../definition.ts';
import { field } from '../schema.ts';
import { answerInvalid, askObject, idOf, request } from './sibling.ts';

/** Peers that are part of the platform, not a contact to keep a case about; "" is an unknown one. */
const NO_CONTACT = new Set(['', 'agent', 'ai', 'ai_team', 'conference', 'extension', 'sip']);
const VARIABLE = 'contact_case_id';

interface Ends {
  readonly self: JsonObject;
  readonly peer: JsonObject;
  readonly reference_type: 'call' | 'conversation_message';
}

export const caseCreateAction = defineAction({
  type: 'case_create',
  medium: 'any',
  by: 'manager',
  on_failure: 'continue',
  option: Type.Object({
    name: field.text('Name of the case.'),
    detail: field.text('What it is about.'),
    note: field.text('A first note in it.'),
    sync: field.flag('Whether the note is waited for; the case always is.'),
  }),
  doc: 'Opens a case about the contact at the other end and keeps its id in variable contact_case_id.',
  *decide({ activeflow, option, variables }) {
    const ends = yield* endsOf(activeflow);
    if (ends === undefined)
      return { kind: 'next', reason: `no case: reference_type "${activeflow.reference_type}" has no contact` };
    const type = typeof ends.peer.type === 'string' ? ends.peer.type : '';
    if (NO_CONTACT.has(type)) return { kind: 'next', reason: `no case: a peer of type "${type}" is no contact` };
    if (isGiven(variables[VARIABLE])) return { kind: 'next', reason: `no case: ${VARIABLE} is set already` };
    const create = request('contact', 'POST', '/v1/cases', {
      customer_id: activeflow.customer_id,
      ...ends,
      reference_id: activeflow.reference_id,
      name: option.name ?? '',
      detail: option.detail ?? '',
    });
    // Always waited for: the variable and the note need its id.
    const id = idOf(create, yield* askObject(create));
    const noted = yield* addNote(activeflow.customer_id, id, option.note ?? '', option.sync === true);
    return { kind: 'next', reason: `case ${id}${noted}`, set: { [VARIABLE]: id } };
  },
});

function isGiven(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== '' && value !== NIL;
}

/** Who is at the two ends; undefined: the reference is neither a call nor a conversation. */
function* endsOf(activeflow: ActionContext['activeflow']): Generator<Effect, Ends | undefined, EffectAnswer> {
  if (activeflow.reference_type === 'call') {
    const get = request('call', 'GET', `/v1/calls/${activeflow.reference_id}`);
    const { direction, source, destination } = yield* askObject(get);
    if (!isJsonObject(source) || !isJsonObject(destination))
      throw answerInvalid(get, 'a call with source and destination', { source, destination });
    if (direction === 'incoming') return { self: destination, peer: source, reference_type: 'call' };
    if (direction === 'outgoing') return { self: source, peer: destination, reference_type: 'call' };
    return { self: {}, peer: {}, reference_type: 'call' };
  }
  if (activeflow.reference_type !== 'conversation') return undefined;
  const get = request('conversation', 'GET', `/v1/conversations/${activeflow.reference_id}`);
  const { self, peer } = yield* askObject(get);
  if (!isJsonObject(self) || !isJsonObject(peer)) throw answerInvalid(get, 'a conversation with self and peer', { self, peer });
  return { self, peer, reference_type: 'conversation_message' };
}

/** Returns what to say of it. A note that fails does not fail the action: the case is there and must be known. */
function* addNote(customer_id: string, id: string, text: string, wait: boolean): Generator<Effect, string, EffectAnswer> {
  if (text === '') return '';
  const answer = yield request(
    'contact',
    'POST',
    `/v1/cases/${id}/notes`,
    { customer_id, author_type: 'system', text },
    { wait },
  );
  if (!answer.ok) return `; error: its note was not added: ${answer.error.message}`;
  return wait ? ' with a note' : ' with a note, not waited for';
}
