/**
 * Two flows that pass through everything that a crash may hit, walked to their end and looked at there: one by its
 * caller, one that nobody helps. Both ask siblings, loop, and wait.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import { type ActionView, action, type Caller, type FlowView } from './caller.ts';
import type { Oracle } from './oracle.ts';

const CONTACT = { source: { type: 'tel', target: '+12025550100' }, destinations: [{ type: 'tel', target: '+12025550123' }] };

function message(label: string, id: string = randomUUID()): object {
  return { ...action('message_send', { ...CONTACT, text: `\${voipbin.activeflow.id}/${label}` }), id };
}

function attended(): object[] {
  const again = randomUUID();
  return [
    action('talk', { text: 'hello' }),
    message('m1'),
    action('queue_join', { queue_id: randomUUID() }),
    message('m2', again),
    action('goto', { target_id: again, loop_count: 1 }),
    action('call', {
      ...CONTACT,
      destinations: [{ type: 'tel', target: `\${voipbin.activeflow.id}` }],
      actions: [{ type: 'talk', option: { text: 'called' } }],
    }),
    action('talk', { text: 'bye' }),
  ];
}

const ATTENDED_EFFECTS = [
  'message /v1/messages m1',
  'queue /v1/services/type/queuecall',
  'queue /v1/queuecalls/*/status_waiting',
  'message /v1/messages m2',
  'message /v1/messages m2',
  'call /v1/calls',
];
const ATTENDED_ANSWERS = ['hello', 'queued', 'bye', 'finish'];

function unattended(): object[] {
  const again = randomUUID();
  return [
    message('n1', again),
    action('sleep', { duration: 100 }),
    action('email_send', {
      destinations: [{ type: 'email', target: 'sam@example.org' }],
      subject: `\${voipbin.activeflow.id}/e1`,
      content: 'hello',
    }),
    action('goto', { target_id: again, loop_count: 1 }),
    action('variable_set', { key: 'done', value: 'yes' }),
    message('n2'),
  ];
}

const UNATTENDED_EFFECTS = [
  'message /v1/messages n1',
  'email /v1/emails e1',
  'message /v1/messages n1',
  'email /v1/emails e1',
  'message /v1/messages n2',
];

const LOOK_MS = 150;

export class Journeys {
  readonly #caller: Caller;
  readonly #oracle: Oracle;
  #flows: { readonly attended: FlowView; readonly unattended: FlowView } | undefined;
  /** Journeys that came to their end. */
  done = 0;

  constructor(caller: Caller, oracle: Oracle) {
    this.#caller = caller;
    this.#oracle = oracle;
  }

  /** Makes the flows; journeys use them from then on. */
  async prepare(): Promise<void> {
    this.#flows = { attended: await this.#caller.flow(attended()), unattended: await this.#caller.flow(unattended()) };
  }

  async attended(): Promise<string> {
    const { id } = await this.#caller.activeflow(this.#prepared.attended);
    const answers: string[] = [];
    for (let at = ACTION_START; at !== ACTION_FINISH; ) {
      const next: ActionView = await this.#caller.next(id, at, randomUUID());
      answers.push(next.id === ACTION_FINISH ? 'finish' : String(next.option?.text ?? next.type));
      at = next.id;
    }
    expect(answers, `answers of ${id}`).deep.equal(ATTENDED_ANSWERS);
    await this.#check(id, ATTENDED_EFFECTS);
    return id;
  }

  async unattended(within_ms = 30_000): Promise<string> {
    const { id } = await this.#caller.activeflow(this.#prepared.unattended, { reference_type: 'api' });
    await this.#caller.ok('POST', `/v1/activeflows/${id}/execute`);
    const end = performance.now() + within_ms;
    while ((await this.#caller.get(id)).status !== 'ended') {
      if (performance.now() > end) throw new Error(`stuck: ${id} at ${JSON.stringify(await this.#caller.trace(id))}`);
      await sleep(LOOK_MS);
    }
    await this.#check(id, UNATTENDED_EFFECTS);
    return id;
  }

  async both(): Promise<readonly string[]> {
    return Promise.all([this.attended(), this.unattended()]);
  }

  get #prepared() {
    if (!this.#flows) throw new Error('the flows are not made yet');
    return this.#flows;
  }

  async #check(id: string, effects: readonly string[]): Promise<void> {
    const { status } = await this.#caller.get(id);
    expect(status, `status of ${id}`).equal('ended');
    const trace = await this.#caller.trace(id);
    const failed = trace.filter((line) => line.outcome === 'failed');
    expect(failed, `what failed in ${id}`).deep.equal([]);
    expect(
      trace.map((line) => line.seq),
      `trace of ${id}`,
    ).deep.equal(trace.map((_, index) => index + 1));
    expect(this.#oracle.effectsOf(id), `effects of ${id}`).deep.equal(effects);
    this.done += 1;
  }
}
