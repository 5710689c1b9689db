/** Notifications to endpoints of customers: on real servers and embedded. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_START } from '../../pkg/model/id.ts';
import { action } from '../support/caller.ts';
import { eachStage } from '../support/stage.ts';
import { verify, WebhookReceiver } from '../support/webhook-receiver.ts';

interface Subscribed {
  readonly id: string;
  readonly secret: string;
  readonly enabled: boolean;
  readonly disabled_reason: string;
}

eachStage(
  'subscriptions',
  (get) => {
    let receiver: WebhookReceiver;
    beforeEach(async () => {
      receiver = await WebhookReceiver.start();
    });
    afterEach(() => receiver.stop());

    const subscribe = (customer_id: string, more: object = {}) =>
      get().caller.ok<Subscribed>('POST', '/v1/subscriptions', { customer_id, callback_url: `${receiver.url}/hook`, ...more });

    async function activeflow(customer_id: string, actions: readonly object[], more: object = {}) {
      const { caller } = get();
      const flow = await caller.ok<{ id: string }>('POST', '/v1/flows', { customer_id, name: 'f', persist: true, actions, ...more });
      return caller.ok<{ id: string }>('POST', '/v1/activeflows', {
        customer_id,
        flow_id: flow.id,
        reference_type: 'call',
        reference_id: randomUUID(),
      });
    }

    const next = (id: string, from: string) => get().caller.rpc('GET', `/v1/activeflows/${id}/next`, { current_action_id: from });

    it('tells of a whole transaction, in order, signed', async () => {
      const customer = randomUUID();
      const { secret } = await subscribe(customer, { access_key: 'key of the customer', login_name: 'anna' });
      const talk = action('talk', { text: 'hello' }, { name: 'Blacklist Check' });
      const { id } = await activeflow(customer, [action('variable_set', { key: 'a', value: 'b' }), talk]);
      await next(id, ACTION_START);
      await next(id, talk.id);
      await receiver.until(() => receiver.received.length >= 7);
      const told = receiver.received;
      for (const one of told) verify(one, secret);
      expect(told.map(({ body }) => [body.sequence, body.notificationType])).to.deep.equal([
        [1, 'TRANSACTION_EVENT'],
        [2, 'TRANSACTION_EVENT'],
        [3, 'WORKFLOW_EVENT'],
        [4, 'NODE_EVENT'],
        [5, 'NODE_EVENT'],
        [6, 'WORKFLOW_EVENT'],
        [7, 'TRANSACTION_EVENT'],
      ]);
      expect(told.map(({ body }) => body.payLoad.status ?? body.payLoad.event ?? body.payLoad.name)).to.deep.equal([
        'CREATED',
        'STARTED',
        'EXECUTION_STARTED',
        '1:variable_set',
        '2:Blacklist Check',
        'EXECUTION_ENDED',
        'PASSED',
      ]);
      const [, , , , node] = told;
      expect(node?.headers).to.include({
        'access-key': 'key of the customer',
        'content-type': 'application/json;charset=UTF-8',
      });
      expect(node?.body).to.include({ tenantId: customer, transactionId: id, transId: id });
      expect(node?.body.payLoad).to.deep.include({
        id: 2,
        type: 'talk',
        cacheHit: false,
        input: [{ name: 'text', value: 'hello' }],
      });
      expect(node?.body.node).to.deep.equal(node?.body.payLoad);
    });
  },
  { http_allow_private: '127.0.0.1' },
);
