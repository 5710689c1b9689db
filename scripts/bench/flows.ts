import { randomUUID } from 'node:crypto';
import type { PoolForm } from './protocol.ts';

/** Long enough to be walked for seconds. A new activeflow shows all of its actions, so longer ones take longer to make. */
const USUAL = 250;
/** The most that a list may hold by default. */
export const LONG = 1_000;
export const BRIEF = 10;
export const CUSTOMERS = 10;

/** A mix of what the call service runs, with one template in three. */
function callAction(at: number): object {
  const id = randomUUID();
  if (at % 3 === 0)
    return {
      id,
      type: 'talk',
      option: { text: `Thank you for calling, \${caller}. This is announcement ${at}`, language: 'en-US' },
    };
  if (at % 3 === 1) return { id, type: 'digits_receive', option: { duration: 5_000, key: '#', length: 1 } };
  return { id, type: 'play', option: { stream_urls: [`https://media.example.com/announcements/${at}.wav`] } };
}

function variableSet(at: number): object {
  return { id: randomUUID(), type: 'variable_set', option: { key: `answer_${at % 5}`, value: `${at}: \${caller}` } };
}

const callActions = (count: number): object[] => Array.from({ length: count }, (_, at) => callAction(at));

/** Only call actions: each `next` is one step. */
export function callFlow(name: string, queue: string, length = USUAL): PoolForm {
  return { name, queue, customers: CUSTOMERS, actions: callActions(length), steps: length };
}

/** Five actions of the manager's own before each call action. */
export function internalFlow(name: string, queue: string): PoolForm {
  const groups = Math.floor(LONG / 6);
  const actions = Array.from({ length: groups }, (_, group) => [
    ...Array.from({ length: 5 }, (_none, at) => variableSet(group * 5 + at)),
    callAction(group),
  ]);
  return { name, queue, customers: CUSTOMERS, actions: actions.flat(), steps: groups };
}
