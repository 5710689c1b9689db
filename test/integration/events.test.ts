/** What others hear of flow-manager, and what it does when it hears of others. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH } from '../../pkg/model/id.ts';
import { isJsonObject, type JsonObject } from '../../pkg/model/json.ts';
import type { Delivery } from '../../pkg/service/ports.ts';
import { type ActiveflowView, action, type FlowView } from '../support/caller.ts';
import type { SeenEvent } from '../support/events.ts';
import { eventually, Inbox } from '../support/inbox.ts';
import { eachStage, type Stage } from '../support/stage.ts';

const talk = action('talk', { text: 'hello' });
const answer = action('answer');

/** A life with everything that changes an activeflow. */
async function live({ caller }: Stage): Promise<ActiveflowView> {
  const made = await caller.started([answer, talk]);
  await caller.next(made.id);
  await caller.ok('POST', `/v1/activeflows/${made.id}/push_actions`, { actions: [action('beep')] });
  const beep = await caller.next(made.id, answer.id);
  await caller.ok('PUT', `/v1/activeflows/${made.id}/forward_action_id`, { forward_action_id: answer.id });
  await caller.next(made.id, beep.id);
  await caller.ok('POST', `/v1/activeflows/${made.id}/stop`);
  await caller.ok('DELETE', `/v1/activeflows/${made.id}`);
  return made;
}

function expectInOrder(events: readonly SeenEvent[]): void {
  expect(events.map(({ sequence }) => sequence)).to.deep.equal(events.map((_, at) => at + 1));
  expect(new Set(events.map(({ message_id }) => message_id)).size).to.equal(events.length);
  for (const { type, routing_key, publisher, data_type, message_id } of events) {
    expect({ publisher, data_type, routing_key }).to.deep.equal({
      publisher: 'flow-manager',
      data_type: 'application/json',
      routing_key: type,
    });
    expect(message_id).not.to.equal('');
  }
}

/** The data of the webhooks that webhook-manager was sent about an activeflow. */
function webhooksOf({ siblings }: Stage, id: string): JsonObject[] {
  return siblings.of('webhook', id).map(({ method, uri, data }) => {
    expect({ method, uri }).to.deep.equal({ method: 'POST', uri: '/v1/webhooks' });
    return data;
  });
}

eachStage('events', (get) => {
  it('tell an activeflow’s life: created and deleted once, numbered without gaps', async () => {
    const stage = get();
    const made = await live(stage);
    const events = await stage.events.until(made.id, 'activeflow_deleted');
    expectInOrder(events);
    const types = events.map(({ type }) => type);
    expect(types[0]).to.equal('activeflow_created');
    expect(types.at(-1)).to.equal('activeflow_deleted');
    expect(types.slice(1, -1)).to.deep.equal(Array(6).fill('activeflow_updated'));
    expect(events[0]?.data).to.deep.equal(made);
    expect(events.at(-1)?.data).to.deep.equal(await stage.caller.get(made.id));
    for (const { type, data } of events.slice(1, -1)) {
      expect(data, type).to.not.have.any.keys('stack_map', 'actions', 'executed_actions');
      expect(data).to.include.all.keys('current_action', 'status', 'execute_count');
    }
    const at = events.map(({ data }) => (isJsonObject(data.current_action) ? data.current_action.type : ''));
    expect(at, 'each as it was then').to.deep.equal(['', 'answer', 'answer', 'beep', 'beep', 'answer', 'answer', 'answer']);
  });

  it('go to the customer as webhooks, with the same data less three members', async () => {
    const stage = get();
    const made = await live(stage);
    const events = await stage.events.until(made.id, 'activeflow_deleted');
    await eventually('all webhooks', () => webhooksOf(stage, made.id).length === events.length);
    const expected = events.map(({ type, data }) => {
      const { current_stack_id: _1, forward_stack_id: _2, execute_count: _3, ...shown } = data;
      return { customer_id: made.customer_id, data_type: 'application/json', data: { type, data: shown } };
    });
    expect(webhooksOf(stage, made.id)).to.deep.equal(expected);
  });

  it('tell of flows, temporary ones too', async () => {
    const { caller, events } = get();
    const flow = await caller.flow([talk], { persist: false });
    const changed = await caller.ok('PUT', `/v1/flows/${flow.id}`, { name: 'x', actions: [talk] });
    const deleted = await caller.ok('DELETE', `/v1/flows/${flow.id}`);
    const seen = await events.until(flow.id, 'flow_deleted');
    expect(seen.map(({ type }) => type)).to.have.members(['flow_created', 'flow_updated', 'flow_deleted']);
    const shown = Object.fromEntries(seen.map(({ type, data }) => [type, data]));
    expect(shown).to.deep.equal({ flow_created: flow, flow_updated: changed, flow_deleted: deleted });
    expect(new Set(seen.map(({ message_id }) => message_id)).size).to.equal(3);
  });

  it('are in order for many activeflows at once', async () => {
    const stage = get();
    const lives = await Promise.all(Array.from({ length: 20 }, () => live(stage)));
    for (const { id } of lives) expectInOrder(await stage.events.until(id, 'activeflow_deleted'));
  });

  it('show each change as it was, however fast they follow each other', async () => {
    const { caller, events } = get();
    const { id } = await caller.started([answer, talk]);
    const forward = (at: number) =>
      caller.ok('PUT', `/v1/activeflows/${id}/forward_action_id`, { forward_action_id: at % 2 ? answer.id : talk.id });
    await Promise.all(Array.from({ length: 30 }, (_, at) => forward(at)));
    await caller.ok('DELETE', `/v1/activeflows/${id}`);
    const seen = await events.until(id, 'activeflow_deleted');
    expectInOrder(seen);
    expect(seen).to.have.length(32);
    const times = seen.map(({ data }) => String(data.tm_update ?? ''));
    expect(new Set(times).size).to.equal(32);
    expect(times).to.deep.equal([...times].sort());
  });
});

eachStage(
  'events, full',
  (get) => {
    it('show stacks and executed actions in every update', async () => {
      const { caller, events } = get();
      const { id } = await caller.started([talk]);
      await caller.next(id);
      expect((await caller.next(id, talk.id)).id).to.equal(ACTION_FINISH);
      await eventually('all three', () => events.of(id).length === 3);
      const [, first, last] = events.of(id);
      expect(first?.data).to.include.all.keys('stack_map', 'actions', 'executed_actions');
      expect(first?.data.executed_actions).to.have.length(1);
      expect(last?.data).to.deep.equal(await caller.get(id));
    });
  },
  { event_full: true },
);

eachStage('events of siblings', (get) => {
  async function announce(exchange: string, type: string, data: object): Promise<void> {
    const body = JSON.stringify({ type, publisher: 'test', data_type: 'application/json', data });
    await get().bus.publish([{ exchange, routing_key: type, body }]);
  }

  it('customer_deleted ends, deletes and erases what is the customer’s, and nothing else', async function () {
    this.timeout(60_000); // rows go some seconds after their last change
    const { caller, events } = get();
    const customer_id = randomUUID();
    const flow = await caller.flow([talk], { customer_id, persist: true });
    const temporary = await caller.flow([talk], { customer_id });
    const running = await Promise.all([1, 2, 3].map(() => caller.activeflow(flow)));
    const other = await caller.started([talk]);
    await announce('bin-manager.customer-manager.event', 'customer_deleted', { id: customer_id });
    for (const { id } of [flow, temporary]) await events.until(id, 'flow_deleted');
    for (const { id } of running) {
      const seen = await events.until(id, 'activeflow_deleted');
      expectInOrder(seen);
      expect(seen.at(-1)?.data).to.include({ status: 'ended' });
      expect(seen.at(-1)?.data.tm_delete).to.be.a('string');
    }
    const gone = async (uri: string) => (await caller.rpc('GET', uri)).status_code === 404;
    for (const { id } of running) await eventually('it is erased', () => gone(`/v1/activeflows/${id}`), 20_000);
    for (const { id } of [flow, temporary]) await eventually('it is erased', () => gone(`/v1/flows/${id}`), 20_000);
    expect(await caller.ok<FlowView[]>('GET', '/v1/flows', { customer_id })).to.deep.equal([]);
    expect(await caller.ok<ActiveflowView[]>('GET', '/v1/activeflows', { customer_id })).to.deep.equal([]);
    expect((await caller.get(other.id)).status).to.equal('running');
    await announce('bin-manager.customer-manager.event', 'customer_deleted', { id: customer_id });
  });

  it('call_hangup stops the activeflow that it names, or those of the call', async () => {
    const { caller } = get();
    const hangup = 'bin-manager.call-manager.event';
    const ended = (id: string) => eventually('ended', async () => (await caller.get(id)).status === 'ended');
    const [named, same] = [await caller.started([talk]), await caller.started([talk])];
    await announce(hangup, 'call_hangup', { id: named.reference_id, activeflow_id: same.id });
    await ended(same.id);
    expect((await caller.get(named.id)).status).to.equal('running');
    await announce(hangup, 'call_hangup', { id: named.reference_id, activeflow_id: '00000000-0000-0000-0000-000000000000' });
    await ended(named.id);
    const third = await caller.started([talk]);
    await announce(hangup, 'call_hangup', { id: third.reference_id });
    await ended(third.id);
    expect((await caller.trace(third.id)).at(-1)?.reason).to.include(String(third.reference_id));
  });

  it('that are nonsense, unknown or about nothing are survived', async () => {
    const { caller, bus } = get();
    const exchange = 'bin-manager.call-manager.event';
    for (const body of ['nonsense', '[]', '{}', '{"type":7}', '{"type":"call_hangup"}', '{"type":"constructor","data":{}}']) {
      await bus.publish([{ exchange, routing_key: 'x', body }]);
    }
    await announce(exchange, 'call_ringing', { id: randomUUID() });
    await announce(exchange, 'call_hangup', { id: randomUUID(), activeflow_id: randomUUID() });
    await announce('bin-manager.customer-manager.event', 'customer_deleted', { id: 'nobody' });
    const last = await caller.started([talk]);
    await announce(exchange, 'call_hangup', { id: last.reference_id });
    await eventually('the last one is heard', async () => (await caller.get(last.id)).status === 'ended');
  });
});

eachStage('delayed messages', (get) => {
  it('come not early, and with what was sent', async () => {
    const { bus } = get();
    const arrived = new Inbox<{ delivery: Delivery; at: number }>();
    const queue = `test.delayed.${randomUUID()}`;
    const serving = await bus.serve(
      queue,
      async (delivery) => {
        arrived.push({ delivery, at: performance.now() });
        return { kind: 'done' };
      },
      { prefetch: 10, transient: true },
    );
    const since = performance.now();
    await bus.delay(queue, 'the later one', 900, randomUUID());
    await bus.delay(queue, 'the sooner one', 400, randomUUID());
    const [sooner, later] = await arrived.first(2);
    await serving.close();
    expect(Buffer.from(sooner?.delivery.body ?? []).toString()).to.equal('the sooner one');
    expect(Buffer.from(later?.delivery.body ?? []).toString()).to.equal('the later one');
    expect((sooner?.at ?? 0) - since).to.be.within(400, 2_400);
    expect((later?.at ?? 0) - since).to.be.within(900, 2_900);
  });
});
