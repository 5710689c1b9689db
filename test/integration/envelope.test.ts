/** The messages themselves: what is no envelope, the forms that data takes, and the ways that an answer goes. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { deadLetterQueue } from '../../pkg/bus/index.ts';
import type { Response } from '../../pkg/rpc/envelope.ts';
import { action, CUSTOMER, errorOf, type FlowView } from '../support/caller.ts';
import { eventually } from '../support/inbox.ts';
import { eachStage, onServers } from '../support/stage.ts';

const flow = { customer_id: CUSTOMER, name: 'by hand', actions: [action('answer')] };

/** Text that is no envelope, and the part that the 400 must name. */
const NO_ENVELOPES: readonly (readonly [string, string])[] = [
  ['this is not JSON', 'message'],
  ['', 'message'],
  ['{"uri":"/v1/flows"', 'message'],
  ['null', 'message'],
  ['[]', 'message'],
  ['42', 'message'],
  ['"/v1/flows"', 'message'],
  ['{}', 'uri'],
  ['{"uri":7,"method":"GET"}', 'uri'],
  ['{"uri":"v1/flows","method":"GET"}', 'uri'],
  ['{"uri":"/v1/flows"}', 'method'],
  ['{"uri":"/v1/flows","method":"get"}', 'method'],
  ['{"uri":"/v1/flows","method":["GET"]}', 'method'],
  ['{"uri":"/v1/flows","method":"POST","data":7}', 'data'],
  ['{"uri":"/v1/flows","method":"POST","data":[]}', 'data'],
  ['{"uri":"/v1/flows","method":"POST","data":"{broken"}', 'data'],
  ['{"uri":"/v1/flows","method":"POST","data":"[1]"}', 'data'],
];

eachStage('envelope', (get) => {
  for (const [text, field] of NO_ENVELOPES) {
    it(`${text || 'nothing at all'}: 400 that names ${field}`, async () => {
      const error = errorOf(await get().caller.send(text), 400, text);
      expect(error).to.include({ status: 'INVALID_ARGUMENT', domain: 'flow-manager' });
      expect(error.details?.[0]?.field).to.equal(field);
      expect(error.message).to.include(field).and.include('expected').and.include('got');
    });
  }

  it('takes data as an object, as text that holds one, and as nothing', async () => {
    const { caller } = get();
    const asObject = await caller.ok('POST', '/v1/flows', flow);
    const asText = await caller.ok('POST', '/v1/flows', JSON.stringify(flow));
    expect(asText.actions).to.deep.equal(asObject.actions);
    expect(asText.name).to.equal('by hand');
    for (const data of [undefined, null, '', 'null', {}]) {
      expect(await caller.ok<FlowView[]>('GET', '/v1/flows?page_size=1', data)).to.have.length.of.at.most(1);
    }
  });

  it('takes null members for absent ones', async () => {
    const { caller } = get();
    const nulls = { type: null, name: null, detail: null, persist: null, on_complete_flow_id: null, webhook_uri: null };
    const made = await caller.ok('POST', '/v1/flows', { ...flow, ...nulls });
    expect(made).to.include({ type: 'flow', name: '', detail: '', persist: false, webhook_uri: '' });
    const option = { ...flow, actions: [{ type: 'answer', option: null, next_id: null, tm_execute: null, name: null }] };
    expect((await caller.ok('POST', '/v1/flows', option)).actions[0]?.type).to.equal('answer');
    const activeflow = { flow_id: made.id, reference_type: null, variables: null, id: null, webhook_uri: null };
    expect(await caller.ok('POST', '/v1/activeflows', activeflow)).to.include({ reference_type: '', status: 'running' });
  });

  it('answers 200 with data_type application/json, and without data where there is none', async () => {
    const { caller } = get();
    const made = await caller.started([action('answer')]);
    const variables = { variables: { a: '1' } };
    const response = await caller.rpc('POST', `/v1/variables/${made.id}/variables`, variables);
    expect(response).to.deep.equal({ status_code: 200, data_type: 'application/json' });
  });
});

onServers('envelope', (get) => {
  const list = JSON.stringify({
    uri: '/v1/flows?page_size=1',
    method: 'GET',
    data_type: 'application/json',
    data: { customer_id: randomUUID() },
  });

  it('answers with the correlation id, and without one where none was sent', async () => {
    const { amqp } = get();
    const answer = await amqp.exchange(list, { correlationId: 'one of mine' });
    expect(answer.properties.correlationId).to.equal('one of mine');
    const plain = await amqp.exchange(list, {});
    expect(plain.properties.correlationId).to.equal(undefined);
    expect(JSON.parse(plain.content.toString())).to.deep.equal({ status_code: 200, data_type: 'application/json', data: [] });
  });

  it('does the work of a request without reply_to', async () => {
    const { amqp, caller } = get();
    const customer_id = randomUUID();
    amqp.tell(JSON.stringify({ uri: '/v1/flows', method: 'POST', data: { ...flow, customer_id, persist: true } }), {});
    await eventually('the flow is there', async () => {
      return (await caller.ok<FlowView[]>('GET', '/v1/flows', { customer_id })).length === 1;
    });
  });

  it('sets nonsense without reply_to aside, with its reason, and goes on', async () => {
    const { amqp, caller, flags } = get();
    const queue = String(flags.rabbit_queue_listen);
    amqp.tell('!!', { messageId: 'nonsense-1' });
    const dead = await amqp.take(deadLetterQueue(queue));
    expect(dead.content.toString()).to.equal('!!');
    expect(dead.properties.messageId).to.equal('nonsense-1');
    expect(dead.properties.headers).to.include({ 'x-original-queue': queue });
    expect(String(dead.properties.headers?.['x-reason'])).to.include('JSON').and.include('!!');
    await caller.ok('GET', '/v1/flows?page_size=1');
  });

  it('answers a message that is too long with what it may be', async () => {
    const { amqp, caller } = get();
    const long = JSON.stringify({ uri: '/v1/flows', method: 'POST', data: { name: 'x'.repeat(1024 * 1024) } });
    const answer = await amqp.exchange(long, { correlationId: 'long' });
    const error = errorOf(JSON.parse(answer.content.toString()) as Response, 400, 'long');
    expect(error.reason).to.equal('MESSAGE_TOO_LARGE');
    expect(error.message).to.include(String(1024 * 1024));
    await caller.ok('GET', '/v1/flows?page_size=1');
  });

  it('survives bytes that are no text', async () => {
    const { amqp } = get();
    const answer = await amqp.exchange(Buffer.from([0xff, 0xfe, 0x00, 0x80]).toString('latin1'), { correlationId: 'bytes' });
    expect(JSON.parse(answer.content.toString())).to.include({ status_code: 400, data_type: 'voipbin_error' });
  });
});
