/** Flows written by letters: the action `a` has an id made from the letter, and an id reads as its letter again. */
import type { Action, Retry } from '../../pkg/model/action.ts';
import { ACTION_FINISH, ACTION_START, MAIN_STACK, NIL } from '../../pkg/model/id.ts';
import type { Json, JsonObject } from '../../pkg/model/json.ts';

const PREFIX = 'a0000000-0000-4000-8000-';
const KNOWN = new Map([
  ['start', ACTION_START],
  ['finish', ACTION_FINISH],
  ['none', NIL],
]);

/** A label of at most six characters as an id. */
export function id(label: string): string {
  const known = KNOWN.get(label);
  if (known !== undefined) return known;
  if (label.length === 0 || label.length > 6) throw new Error(`a label has one to six characters, not ${label}`);
  return PREFIX + Buffer.from(label).toString('hex').padStart(12, '0');
}

const labels = new Map<string, string>();

/** The label that an id was made from; an id that no label made shows as #. */
export function labelOf(given: string): string {
  const known = labels.get(given);
  if (known !== undefined) return known;
  const label = readLabel(given);
  labels.set(given, label);
  return label;
}

function readLabel(given: string): string {
  for (const [label, known] of KNOWN) if (known === given) return label;
  if (given.startsWith(PREFIX)) return Buffer.from(given.slice(PREFIX.length).replace(/^(00)+/, ''), 'hex').toString();
  return '#';
}

/** The main stack shows as `main`. */
export function stackLabel(given: string): string {
  return given === MAIN_STACK ? 'main' : labelOf(given);
}

interface Extra {
  readonly next?: string;
  readonly error?: string;
  readonly retry?: Retry;
}

export function act(label: string, type: string, option?: JsonObject, { next, error, retry }: Extra = {}): Action {
  return {
    id: id(label),
    type,
    ...(option === undefined ? {} : { option }),
    ...(next === undefined ? {} : { next_id: id(next) }),
    ...(error === undefined ? {} : { on_error_target_id: id(error) }),
    ...(retry === undefined ? {} : { retry }),
  };
}

/** Handed to the caller. */
export const talk = (label: string, extra?: Extra, text = label) => act(label, 'talk', { text }, extra);
/** Run by the engine, does nothing. */
export const empty = (label: string, extra?: Extra) => act(label, 'empty', undefined, extra);
export const jump = (label: string, target: string, times: number, extra?: Extra) =>
  act(label, 'goto', { target_id: id(target), loop_count: times }, extra);
export const set = (label: string, key: string, value: Json, extra?: Extra) => act(label, 'variable_set', { key, value }, extra);
/** Asks the address `https://flows/<path>` for actions. */
export const fetch = (label: string, path: string, extra?: Extra) =>
  act(label, 'fetch', { event_url: `https://flows/${path}` }, extra);
export const queueJoin = (label: string, queue: string, extra?: Extra) =>
  act(label, 'queue_join', { queue_id: id(queue) }, extra);
export const fetchFlow = (label: string, flow: string, extra?: Extra) => act(label, 'fetch_flow', { flow_id: id(flow) }, extra);
/** Goes on while the number that `text` shows is above `limit`, else jumps. */
export const above = (label: string, text: string, limit: number, target: string) =>
  act(label, 'condition_variable', {
    condition: '>',
    variable: text,
    value_type: 'number',
    value_number: limit,
    false_target_id: id(target),
  });
/** Chooses by the value of a variable. */
export const branch = (label: string, variable: string, targets: { readonly [value: string]: string }, other?: string) =>
  act(label, 'branch', {
    variable,
    target_ids: Object.fromEntries(Object.entries(targets).map(([value, target]) => [value, id(target)])),
    ...(other === undefined ? {} : { default_target_id: id(other) }),
  });
/** Asks the call for its digits; false unless `key` was pressed. */
export const pressed = (label: string, key: string, target: string, extra?: Extra) =>
  act(label, 'condition_call_digits', { key, false_target_id: id(target) }, extra);
/** Run by the engine with one request, goes on when that fails. */
export const webhook = (label: string, data: string, extra?: Extra) =>
  act(label, 'webhook_send', { sync: true, uri: 'https://hook', data }, extra);
