/** The caller of the sample: makes both flows, starts the call, runs what it is handed, and answers the questions. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Case, type Databases, NUMBER } from './databases.ts';

/** Asks flow-manager; throws when it refuses. */
export type Ask = (method: string, uri: string, data?: object) => Promise<unknown>;

export interface Played {
  /** What the caller heard. */
  readonly heard: readonly string[];
  /** The job as it was when the caller hung up, and at its end. */
  readonly atHangup: JobEntry;
  readonly atEnd: JobEntry;
}

interface JobEntry {
  readonly status: string;
  readonly id: string;
  readonly result?: { readonly known: string; readonly name?: string; readonly company?: string };
}

const CUSTOMER = 'a51d0000-0000-4000-8000-0000000000ff';
const START = '00000000-0000-0000-0000-000000000001';
const FINISH = '00000000-0000-0000-0000-000000000002';

export async function play(ask: Ask, name: Case, databases: Databases): Promise<Played> {
  const identify = await flow(ask, 'identify.json', {});
  const ivr = await flow(ask, 'ivr.json', databases.urls);
  const reference_id = randomUUID();
  const call = (await ask('POST', '/v1/activeflows', {
    customer_id: CUSTOMER,
    flow_id: ivr,
    reference_type: 'call',
    reference_id,
    variables: { identify_flow_id: identify, caller_number: NUMBER },
  })) as { id: string };
  const heard: string[] = [];
  for (let current = START; current !== FINISH; ) {
    const action = (await ask('GET', `/v1/activeflows/${call.id}/next`, { current_action_id: current })) as Action;
    current = action.id;
    if (action.type === 'talk') heard.push(String(action.option?.text));
    if (action.type === 'digits_receive') {
      // Who takes a moment to answer gives the job its time; who is quick does not.
      if (name !== 'slow') await finished(ask, reference_id);
      await ask('POST', `/v1/variables/${call.id}/variables`, { variables: { 'voipbin.call.digits': '1' } });
    }
  }
  const atHangup = await entry(ask, reference_id);
  databases.release();
  return { heard, atHangup, atEnd: await finished(ask, reference_id) };
}

interface Action {
  readonly id: string;
  readonly type: string;
  readonly option?: { readonly text?: string };
}

/** A flow of a file, with more inputs for its jobs. */
async function flow(ask: Ask, file: string, inputs: object): Promise<string> {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  const { name, actions } = JSON.parse(text) as { name: string; actions: { type: string; option?: { inputs?: object } }[] };
  for (const { type, option } of actions) {
    if (type === 'job_start' && option) option.inputs = { ...option.inputs, ...inputs };
  }
  return ((await ask('POST', '/v1/flows', { customer_id: CUSTOMER, name, actions })) as { id: string }).id;
}

async function entry(ask: Ask, reference_id: string): Promise<JobEntry> {
  const { entries } = (await ask('GET', `/v1/participants/call/${reference_id}`, { customer_id: CUSTOMER })) as {
    entries: readonly { key: string; value: JobEntry }[];
  };
  const found = entries.find(({ key }) => key === 'job.identify');
  if (!found) throw new Error('there is no job');
  return found.value;
}

async function finished(ask: Ask, reference_id: string): Promise<JobEntry> {
  for (let tries = 0; tries < 300; tries += 1) {
    const found = await entry(ask, reference_id);
    if (found.status !== 'ONGOING') return found;
    await sleep(100);
  }
  throw new Error('the job is still under way after 30 seconds');
}
