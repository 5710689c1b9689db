/**
 * Promise 2: an accepted request is answered or can be repeated, and the same request has the same answer, an error
 * included. Connections are reset right before and right after an answer, on the caller's side and on the daemon's.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { AmqpBus } from '../../pkg/bus/index.ts';
import { ACTION_START } from '../../pkg/model/id.ts';
import type { Response } from '../../pkg/rpc/envelope.ts';
import { AmqpProxy, type Verdict } from '../support/amqp-proxy.ts';
import type { Unit } from '../support/amqp-reader.ts';
import { action, type Caller, CUSTOMER } from '../support/caller.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { PatientClient } from '../support/patient-client.ts';
import { QuietLog } from '../support/quiet_log.ts';

interface Request {
  readonly method: string;
  readonly uri: string;
  readonly data?: object;
  readonly status: number;
}

const talk = action('talk', { text: 'hello' });

/** One of each way to be stored: with a flow, with an activeflow's creation, with a walk, with a change; and errors. */
const REQUESTS: { readonly [name: string]: (caller: Caller) => Promise<Request> } = {
  'a flow is made': async () => ({
    method: 'POST',
    uri: '/v1/flows',
    data: { customer_id: CUSTOMER, persist: true, actions: [talk] },
    status: 200,
  }),
  'a flow is changed': async (caller) => {
    const { id } = await caller.flow([talk], { persist: true });
    return { method: 'PUT', uri: `/v1/flows/${id}`, data: { name: 'other', actions: [talk] }, status: 200 };
  },
  'a flow is deleted': async (caller) => {
    const { id } = await caller.flow([talk], { persist: true });
    return { method: 'DELETE', uri: `/v1/flows/${id}`, status: 200 };
  },
  'an activeflow is made': async (caller) => {
    const { id } = await caller.flow([talk]);
    const data = { customer_id: CUSTOMER, flow_id: id, reference_type: 'call', reference_id: randomUUID() };
    return { method: 'POST', uri: '/v1/activeflows', data, status: 200 };
  },
  'the next action is handed over': async (caller) => nextOf(await caller.started([talk]), 200),
  'a sibling is asked on the way': async (caller) => {
    const text = 'to $'.concat('{voipbin.activeflow.id}');
    return nextOf(await caller.started([action('message_send', { text, destinations: [{ type: 'tel' }] }), talk]), 200);
  },
  'a variable grows': async (caller) => {
    const { id } = await caller.started([talk], { variables: { a: '1' } });
    const data = { variables: { a: '$'.concat('{a}1') } };
    return { method: 'POST', uri: `/v1/variables/${id}/variables`, data, status: 200 };
  },
  'actions are pushed': async (caller) => {
    const { id } = await caller.started([talk]);
    return { method: 'POST', uri: `/v1/activeflows/${id}/push_actions`, data: { actions: [{ type: 'beep' }] }, status: 200 };
  },
  'an activeflow is stopped': async (caller) => {
    const { id } = await caller.started([talk]);
    return { method: 'POST', uri: `/v1/activeflows/${id}/stop`, status: 200 };
  },
  'the walk fails': async (caller) => nextOf(await caller.started([action('fetch_flow', { flow_id: randomUUID() })]), 404),
  'the caller is elsewhere': async (caller) => nextOf(await caller.started([talk]), 409, randomUUID()),
  'a field is wrong': async () => ({ method: 'POST', uri: '/v1/flows', data: { actions: 1 }, status: 400 }),
  'there is no such thing': async () => ({ method: 'DELETE', uri: `/v1/activeflows/${randomUUID()}`, status: 404 }),
};

function nextOf({ id }: { readonly id: string }, status: number, current_action_id: string = ACTION_START): Request {
  return { method: 'GET', uri: `/v1/activeflows/${id}/next`, data: { current_action_id }, status };
}

const isAnswerToCaller = ({ from, kind, body }: Unit): boolean =>
  from === 'broker' && kind === 'deliver' && body.includes('"status_code"');
const isAnswer = ({ from, kind, routing_key }: Unit): boolean =>
  from === 'client' && kind === 'publish' && routing_key.startsWith('amq.rabbitmq.reply-to');

onFaultStage('an answer is the same when the connection breaks', (get) => {
  /** Of the caller, and of the daemon: both reach the broker by a proxy of their own. */
  let proxies: { readonly caller: AmqpProxy; readonly daemon: AmqpProxy };
  let bus: AmqpBus;
  let client: PatientClient;

  before(async function () {
    this.timeout(60_000);
    const { servers, requests } = get();
    proxies = { caller: await AmqpProxy.to(servers.amqp), daemon: await AmqpProxy.to(servers.amqp) };
    bus = new AmqpBus({ url: proxies.caller.url, log: new QuietLog() });
    await bus.open();
    // An answer that is lost on its way is noticed by its absence only.
    client = new PatientClient(bus, requests, { try_ms: 800 });
    await get().run(get().load({ rabbit_addr: proxies.daemon.url }));
  });

  after(async () => {
    await bus.close();
    await proxies.caller.close();
    await proxies.daemon.close();
  });

  /** Cuts once, there; returns the answer that was cut off or let through. */
  function cutAt(proxy: AmqpProxy, is: (unit: Unit) => boolean, cut: Verdict): () => Response | undefined {
    let seen: Response | undefined;
    proxy.watch = (unit) => {
      if (seen || !is(unit)) return 'pass';
      seen = JSON.parse(unit.body.toString()) as Response;
      return cut;
    };
    return () => seen;
  }

  async function sameAfter(side: 'caller' | 'daemon', cut: Verdict, make: (caller: Caller) => Promise<Request>): Promise<void> {
    const { status, ...request } = await make(get().caller);
    const text = JSON.stringify({ ...request, data_type: 'application/json', request_id: randomUUID() });
    const seen = cutAt(proxies[side], side === 'caller' ? isAnswerToCaller : isAnswer, cut);
    const first = await client.send(text);
    expect(seen(), 'the answer at which it was cut').deep.equal(first);
    expect(first.status_code, JSON.stringify(first)).equal(status);
    const state = await stateOf(request.uri);
    expect(await client.send(text), 'the answer to a repeat').deep.equal(first);
    expect(await stateOf(request.uri), 'the state after a repeat').deep.equal(state);
  }

  /** What a repeat must not change. */
  async function stateOf(uri: string): Promise<unknown> {
    const id = /[0-9a-f-]{36}/.exec(uri)?.[0];
    if (id === undefined) return undefined;
    const rows = await get().sql('SELECT revision, state, variables FROM activeflows WHERE id = ?', [id]);
    return rows.length > 0 ? rows : get().sql('SELECT revision, list FROM flows WHERE id = ?', [id]);
  }

  for (const side of ['caller', 'daemon'] as const) {
    for (const cut of ['cut before', 'cut after'] as const) {
      it(`the ${side}’s, ${cut} the answer: ${Object.keys(REQUESTS).length} requests`, async function () {
        this.timeout(60_000);
        for (const [name, make] of Object.entries(REQUESTS)) {
          try {
            await sameAfter(side, cut, make);
          } catch (error) {
            throw new Error(`when ${name}: ${error instanceof Error ? error.message : error}`, { cause: error });
          }
        }
      });
    }
  }
});
