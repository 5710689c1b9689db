import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { type Bench, REQUESTS } from '../bench.ts';
import { type Figure, round } from '../statistics.ts';
import { RpcClient } from '../worker/rpc.ts';

const CALLS = 'bin-manager.call-manager.request';
const CUSTOMER = '019aa5c1-7e1b-7a4e-8f2b-2f6f0b1c9d3e';
const ADDRESS = 'callback.bench.url';
const START = '00000000-0000-0000-0000-000000000001';

/**
 * How soon a call goes on: from sending the request to the address of a callback, over the commit and the call service
 * that is told to cut its caller off, to the answer of the `next` that the caller then asks. One call at a time.
 */
export async function callbackCase(bench: Bench): Promise<Figure[]> {
  const flags = { callback_secret: 'only the bench knows it', http_listen_addr: '127.0.0.1:0' };
  const daemon = await bench.startDaemon('callback', { flags });
  try {
    const gateway = `http://${/http at (\S+?),/.exec(daemon.said)?.[1]}`;
    const service = await CallService.open(bench.servers.amqp);
    const rpc = new RpcClient();
    await rpc.connect(bench.servers.amqp);
    const flow = (await rpc.call(REQUESTS, 'POST', '/v1/flows', { customer_id: CUSTOMER, actions: ACTIONS })) as { id: string };
    const times: number[] = [];
    const count = bench.options.form === 'short' ? 50 : 1_000;
    for (let turn = 0; turn < count; turn += 1) times.push(await goOn(rpc, service, flow.id, gateway));
    await service.close();
    const sorted = times.sort((a, b) => a - b);
    return [0.5, 0.99].map((share) => {
      const ms = round(sorted[Math.min(count - 1, Math.floor(count * share))] ?? 0);
      return { figure: `callback to next action, p${share * 100}`, unit: 'ms', median: ms, min: ms, max: ms };
    });
  } finally {
    await bench.stopDaemon('callback');
  }
}

const ACTIONS = [
  { type: 'callback_create', option: { name: 'bench' } },
  {
    type: 'callback_wait',
    option: { name: 'bench', into: 'came', while_waiting: [{ type: 'talk', option: { text: 'please hold' } }] },
  },
  { type: 'talk', option: { text: `\${came.body.text}` } },
];

async function goOn(rpc: RpcClient, service: CallService, flow_id: string, gateway: string): Promise<number> {
  const [id, reference_id] = [randomUUID(), randomUUID()];
  const about = { id, customer_id: CUSTOMER, flow_id, reference_type: 'call', reference_id };
  await rpc.call(REQUESTS, 'POST', '/v1/activeflows', about);
  const next = (current_action_id: string): Promise<unknown> =>
    rpc.call(REQUESTS, 'GET', `/v1/activeflows/${id}/next`, { current_action_id });
  const held = (await next(START)) as { id: string };
  const { variables } = (await rpc.call(REQUESTS, 'GET', `/v1/variables/${id}`, {})) as { variables: Record<string, string> };
  const path = new URL(variables[ADDRESS] ?? '').pathname;
  const since = performance.now();
  const cut = service.cut(reference_id).then(() => next(held.id));
  const answer = await fetch(gateway + path, { method: 'POST', body: '{"text": "thank you"}' });
  if (answer.status !== 200) throw new Error(`the callback was answered ${answer.status} ${await answer.text()}`);
  const action = (await cut) as { option?: { text?: string } };
  if (action.option?.text !== 'thank you') throw new Error(`the call went on with ${JSON.stringify(action)}`);
  const took = performance.now() - since;
  await rpc.call(REQUESTS, 'POST', `/v1/activeflows/${id}/stop`, {});
  return took;
}

/** In the place of call-manager: answers everything, and tells who is to be cut off. */
class CallService {
  readonly #waiting = new Map<string, () => void>();
  #close: () => Promise<void> = async () => undefined;

  static async open(url: string): Promise<CallService> {
    const service = new CallService();
    const model = await connect(url, { noDelay: true });
    const channel = await model.createChannel();
    await channel.assertQueue(CALLS, { durable: true });
    await channel.consume(
      CALLS,
      (message) => {
        if (!message) return;
        const { uri } = JSON.parse(message.content.toString()) as { uri: string };
        const { replyTo, correlationId } = message.properties;
        const answer = JSON.stringify({ status_code: 200, data_type: 'application/json', data: {} });
        if (replyTo) channel.publish('', String(replyTo), Buffer.from(answer), { correlationId: String(correlationId) });
        service.#waiting.get(/calls\/([^/]+)\/action-next/.exec(uri)?.[1] ?? '')?.();
      },
      { noAck: true },
    );
    service.#close = () => model.close();
    return service;
  }

  /** Resolves when this call is to be cut off. */
  cut(call: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(call, () => {
        this.#waiting.delete(call);
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return this.#close();
  }
}
