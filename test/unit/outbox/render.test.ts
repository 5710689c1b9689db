import { expect } from 'chai';
import { snapshotOf } from '../../../pkg/engine/draft.ts';
import type { PendingEvent } from '../../../pkg/model/activeflow.ts';
import { isJsonObject, type JsonObject } from '../../../pkg/model/json.ts';
import { renderEvents, renderFlowEvents, WEBHOOK_QUEUE } from '../../../pkg/outbox/render.ts';
import { Lists } from '../../../pkg/service/lists.ts';
import type { ActiveflowStore, Cache, ListStore } from '../../../pkg/service/ports.ts';
import { sampleActiveflow, sampleState } from '../../support/samples.ts';

const NOTHING_STORED = { trace: async () => [] } as unknown as ActiveflowStore;
const EMPTY = { actions: [], positions: new Map() };
const LISTS = new Lists(
  { get: async () => EMPTY } as unknown as ListStore,
  { get: async () => undefined, set: async () => undefined } as unknown as Cache,
  1_000,
);

const before = sampleActiveflow({ tm_update: '2026-11-21T08:45:11.000000Z' });
const now = sampleActiveflow({
  ...before,
  revision: 2,
  status: 'ended',
  state: sampleState({ current: { id: before.flow_id, type: 'talk' }, step: 3 }),
  tm_update: '2026-11-21T08:45:12.000000Z',
});

async function render(event: PendingEvent, event_full = false): Promise<readonly [JsonObject, JsonObject]> {
  const [message, webhook] = await renderEvents({ exchange: 'events', event_full }, LISTS, NOTHING_STORED)(now, event);
  return [JSON.parse(message?.body ?? ''), JSON.parse(webhook?.body ?? '')] as [JsonObject, JsonObject];
}

describe('an event', () => {
  it('shows the activeflow as it was then, although the row has gone on', async () => {
    const [{ data }] = await render({ seq: 1, type: 'activeflow_updated', snapshot: snapshotOf(before) });
    expect(data).to.include({ status: 'running', execute_count: 0, tm_update: before.tm_update });
  });

  it('shows the stacks as they were then, although others have been pushed since', async () => {
    const snapshot = { ...snapshotOf(before), stacks: [] };
    const [{ data }] = await render({ seq: 1, type: 'activeflow_created', snapshot });
    expect(data).to.have.property('stack_map').that.deep.equals({});
    const [{ data: latest }] = await render({ seq: 1, type: 'activeflow_created', snapshot: snapshotOf(before) });
    expect(latest)
      .to.have.property('stack_map')
      .that.has.all.keys(now.state.stacks.map((stack) => stack.id));
  });

  it('shows the row where nothing has come after it', async () => {
    const [{ data }] = await render({ seq: 2, type: 'activeflow_updated' });
    expect(data).to.include({ status: 'ended', execute_count: 3, tm_update: now.tm_update });
  });

  it('goes to the exchange, and to webhook-manager less three members, each under an id of its own', async () => {
    const event = { seq: 7, type: 'activeflow_deleted' } as const;
    const messages = await renderEvents({ exchange: 'events', event_full: false }, LISTS, NOTHING_STORED)(now, event);
    expect(
      messages.map(({ exchange, routing_key, message_id, headers }) => ({ exchange, routing_key, message_id, headers })),
    ).to.deep.equal([
      { exchange: 'events', routing_key: 'activeflow_deleted', message_id: `${now.id}-7`, headers: { 'x-sequence': 7 } },
      { exchange: '', routing_key: WEBHOOK_QUEUE, message_id: `${now.id}-7-webhook`, headers: undefined },
    ]);
    const [{ data }, webhook] = await render(event);
    const { current_stack_id: _1, forward_stack_id: _2, execute_count: _3, ...shown } = data as JsonObject;
    const { customer_id } = now;
    expect(webhook.data).to.deep.equal({
      customer_id,
      data_type: 'application/json',
      data: { type: 'activeflow_deleted', data: shown },
    });
  });

  it('shows neither keys of a request nor addresses of callbacks, in updates and in the whole', async () => {
    const option = {
      url: 'https://api.example.com/orders?key=hidden-1',
      headers: { authorization: 'hidden-2' },
      body: `call https://calls.example.com/v1/callbacks/${now.id}/hidden-3-hidden-3-hidden-3`,
    };
    const row = sampleActiveflow({
      ...now,
      state: sampleState({ current: { id: now.flow_id, type: 'http_request', option }, step: 3 }),
    });
    for (const event_full of [false, true]) {
      const rendered = await renderEvents(
        { exchange: 'e', event_full },
        LISTS,
        NOTHING_STORED,
      )(row, {
        seq: 1,
        type: 'activeflow_updated',
      });
      expect(rendered.map(({ body }) => /hidden-\d/.exec(body)?.[0])).to.deep.equal([undefined, undefined]);
      expect(rendered[0]?.body).to.contain('api.example.com').and.to.contain(`/v1/callbacks/${now.id}/***`);
    }
  });

  it('has stacks and executed actions when the whole is asked for, or it is no update', async () => {
    const whole = async (type: PendingEvent['type'], full: boolean): Promise<boolean> => {
      const [{ data }] = await render({ seq: 1, type }, full);
      return isJsonObject(data) && 'stack_map' in data && 'executed_actions' in data && 'actions' in data;
    };
    expect(await whole('activeflow_updated', false)).to.equal(false);
    expect(await whole('activeflow_updated', true)).to.equal(true);
    expect(await whole('activeflow_created', false)).to.equal(true);
  });

  it('of a flow keeps the message id that it was stored with', () => {
    const message = renderFlowEvents('events')({ id: 'the-id', type: 'flow_created', data: { id: 'f' } });
    expect(message).to.include({ exchange: 'events', routing_key: 'flow_created', message_id: 'the-id' });
    expect(JSON.parse(message.body)).to.deep.equal({
      type: 'flow_created',
      publisher: 'flow-manager',
      data_type: 'application/json',
      data: { id: 'f' },
    });
  });
});
