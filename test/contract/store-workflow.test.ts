import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { v7 } from 'uuid';
import type { Callable, WorkflowCall } from '../../pkg/model/workflow.ts';
import type { CallSettlement, NewCall, Store } from '../../pkg/service/ports.ts';
import { following, sampleActiveflow } from '../support/samples.ts';
import { eachStore } from '../support/stores.ts';

const TM = '2026-11-21T08:45:10.947195Z';
const LATER = '2026-11-21T08:45:11.000001Z';
const DAY_MS = 86_400_000;

function sampleCallable(changes: Partial<Callable> = {}): Callable {
  return {
    flow_id: randomUUID(),
    customer_id: randomUUID(),
    enabled: true,
    alias: '',
    input_schema: { type: 'object', properties: { 'a/b': {} } },
    allowed_users: ['anna '],
    allowed_teams: [],
    response_types: ['KVIEW'],
    timeout: 5_000,
    managed: false,
    revision: 1,
    tm_create: TM,
    tm_update: null,
    ...changes,
  };
}

function sampleCall(changes: Partial<WorkflowCall> = {}, key?: NewCall['key']): NewCall {
  const id = v7();
  const call: WorkflowCall = {
    id,
    customer_id: randomUUID(),
    user_id: 'anna',
    teams: ['blue'],
    internal: false,
    workflow: 'greet',
    flow_id: randomUUID(),
    depth: 0,
    called_with: { inputs: { 'a.b': ['x', 1, null] }, asyncResponse: { type: 'KVIEW' } },
    end: null,
    status: null,
    code: null,
    response: null,
    delivery: null,
    tm_create: TM,
    tm_end: null,
    ...changes,
  };
  const activeflow = sampleActiveflow({ id, customer_id: call.customer_id, reference_type: 'api', reference_id: id });
  return { call, activeflow, ...(key ? { key } : {}) };
}

function settlement({ call }: NewCall, changes: Partial<CallSettlement> = {}): CallSettlement {
  return {
    call_id: call.id,
    end: 'SUCCESS',
    answer: { status: 200, code: 'SUCCESS', data: { shipped: true } },
    delivery: { type: 'KVIEW', state: 'pushed' },
    tm_end: LATER,
    event: { id: `${call.id}-response`, type: 'workflow_response_created', data: { id: call.id } },
    push: { owner: `${call.customer_id}/anna`, workflow_call_id: call.id, name: 'created', data: { id: call.id } },
    ...changes,
  };
}

function answer(store: Store, made: NewCall, settles: CallSettlement = settlement(made)): Promise<boolean> {
  return store.activeflows.commit({ next: following(made.activeflow), variables_changed: false, settles });
}

eachStore('callables', (get) => {
  it('are found by their flow and by their alias, letter by letter, each customer’s own', async () => {
    const { workflows } = get().store;
    const callable = sampleCallable({ alias: 'Greet' });
    expect(await workflows.putCallable(callable)).to.equal(true);
    expect(await workflows.callable(callable.flow_id)).to.deep.equal(callable);
    expect(await workflows.callableByAlias(callable.customer_id, 'Greet')).to.deep.equal(callable);
    expect(await workflows.callableByAlias(callable.customer_id, 'greet')).to.equal(undefined);
    expect(await workflows.callableByAlias(randomUUID(), 'Greet')).to.equal(undefined);
    expect(await workflows.callable(randomUUID())).to.equal(undefined);
    expect(await workflows.putCallable(sampleCallable({ alias: 'Greet' }))).to.equal(true);
  });

  it('have an alias that no other one of the customer has; many have none', async () => {
    const { workflows } = get().store;
    const customer_id = randomUUID();
    const first = sampleCallable({ customer_id, alias: 'a' });
    const second = sampleCallable({ customer_id });
    expect(await workflows.putCallable(first)).to.equal(true);
    expect(await workflows.putCallable(second)).to.equal(true);
    expect(await workflows.putCallable(sampleCallable({ customer_id }))).to.equal(true);
    expect(await workflows.putCallable(sampleCallable({ customer_id, alias: 'a' }))).to.equal('alias_taken');
    expect(await workflows.putCallable({ ...second, alias: 'a', revision: 2 })).to.equal('alias_taken');
    expect(await workflows.putCallable({ ...first, alias: '', revision: 2 })).to.equal(true);
    expect(await workflows.putCallable({ ...second, alias: 'a', revision: 2 })).to.equal(true);
  });

  it('are listed for their customer, newest first, page by page', async () => {
    const { workflows } = get().store;
    const customer_id = randomUUID();
    const made = [TM, TM, TM, LATER].map((tm_create) => sampleCallable({ customer_id, tm_create }));
    for (const callable of made) expect(await workflows.putCallable(callable)).to.equal(true);
    const newest = [...made].sort((a, b) => (`${a.tm_create}${a.flow_id}` < `${b.tm_create}${b.flow_id}` ? 1 : -1));
    const first = await workflows.callables(customer_id, { size: 2 });
    expect(first).to.deep.equal(newest.slice(0, 2));
    const after = { tm_create: TM, id: newest[1]?.flow_id ?? '' };
    expect(await workflows.callables(customer_id, { size: 9, after })).to.deep.equal(newest.slice(2));
    expect(await workflows.callables(customer_id, { size: 9, after: { tm_create: TM } })).to.deep.equal([]);
    expect(await workflows.callables(randomUUID(), { size: 9 })).to.deep.equal([]);
  });

  it('change only from the revision that they were read at', async () => {
    const { workflows } = get().store;
    const callable = sampleCallable({ input_schema: null });
    expect(await workflows.putCallable(callable)).to.equal(true);
    expect(await workflows.putCallable(callable)).to.equal(false);
    const changed = { ...callable, enabled: false, managed: true, revision: 2, tm_update: LATER };
    expect(await workflows.putCallable(changed)).to.equal(true);
    expect(await workflows.putCallable({ ...changed, timeout: 7 })).to.equal(false);
    expect(await workflows.callable(callable.flow_id)).to.deep.equal(changed);
  });
});

eachStore('workflow calls', (get) => {
  it('are stored with their activeflow, or not at all', async () => {
    const { workflows, activeflows } = get().store;
    const made = sampleCall();
    expect(await workflows.createCall(made)).to.equal(true);
    expect(await workflows.call(made.call.id)).to.deep.equal(made.call);
    expect(await activeflows.get(made.call.id)).to.deep.equal(made.activeflow);
    expect(await workflows.createCall(made)).to.equal(false);
    const other = { ...sampleCall(), activeflow: made.activeflow };
    expect(await workflows.createCall(other)).to.equal(false);
    expect(await workflows.call(other.call.id)).to.equal(undefined);
  });

  it('are known by their key for a day', async () => {
    const { store, bench } = get();
    const key = { hash: randomUUID(), body_hash: 'b' };
    const made = sampleCall({ tm_create: new Date().toISOString() }, key);
    expect(await store.workflows.createCall(made)).to.equal(true);
    expect((await store.workflows.callByKey(key.hash))?.call.id).to.equal(made.call.id);
    expect((await store.workflows.callByKey(key.hash))?.body_hash).to.equal('b');
    const again = sampleCall({ tm_create: new Date().toISOString() }, key);
    expect(await store.workflows.createCall(again)).to.equal(false);
    expect(await store.activeflows.get(again.call.id)).to.equal(undefined);
    await bench.sql('UPDATE workflow_calls SET tm_create = ? WHERE id = ?', ['2020-01-01 00:00:00', made.call.id]);
    expect(await store.workflows.callByKey(key.hash)).to.equal(undefined);
    expect(await store.workflows.createCall(again)).to.equal(true);
    expect((await store.workflows.callByKey(key.hash))?.call.id).to.equal(again.call.id);
  });

  it('are answered by a commit, with the event, the push and the next call', async () => {
    const { store, bench } = get();
    const [made, next] = [sampleCall(), sampleCall()];
    await store.workflows.createCall(made);
    expect(await answer(store, made, settlement(made, { next }))).to.equal(true);
    const { end, status, code, response, delivery, tm_end } = (await store.workflows.call(made.call.id)) as WorkflowCall;
    expect({ end, status, code, response, delivery, tm_end }).to.deep.equal({
      end: 'SUCCESS',
      status: 200,
      code: 'SUCCESS',
      response: { shipped: true },
      delivery: { type: 'KVIEW', state: 'pushed' },
      tm_end: LATER,
    });
    expect(await store.workflows.call(next.call.id)).to.deep.equal(next.call);
    expect(await store.activeflows.get(next.call.id)).to.deep.equal(next.activeflow);
    expect(await bench.sql('SELECT type FROM events WHERE id = ?', [`${made.call.id}-response`])).to.have.lengthOf(1);
    const pushed = await store.pushes.read(`${made.call.customer_id}/anna`, 0, 10);
    expect(pushed.map((event) => event.workflow_call_id)).to.deep.equal([made.call.id]);
  });

  it('are answered once: what comes later changes the activeflow and nothing else', async () => {
    const { store, bench } = get();
    const made = sampleCall();
    await store.workflows.createCall(made);
    expect(await answer(store, made)).to.equal(true);
    const late = settlement(made, { end: 'FAILED', answer: { status: 500, code: 'LATE', data: null } });
    const row = following(made.activeflow);
    expect(
      await store.activeflows.commit({ next: following(row, { status: 'ended' }), variables_changed: false, settles: late }),
    ).to.equal(true);
    expect(await store.workflows.call(made.call.id)).to.include({ end: 'SUCCESS', code: 'SUCCESS' });
    expect((await store.activeflows.get(made.call.id))?.status).to.equal('ended');
    expect(await store.pushes.read(`${made.call.customer_id}/anna`, 0, 10)).to.have.lengthOf(1);
    expect(await bench.sql('SELECT type FROM events WHERE id = ?', [`${made.call.id}-response`])).to.have.lengthOf(1);
  });

  it('are not answered by a commit that lost its race', async () => {
    const { store } = get();
    const made = sampleCall();
    await store.workflows.createCall(made);
    await store.activeflows.commit({ next: following(made.activeflow), variables_changed: false });
    expect(await answer(store, made)).to.equal(false);
    expect(await store.workflows.call(made.call.id)).to.deep.equal(made.call);
    expect(await store.pushes.read(`${made.call.customer_id}/anna`, 0, 10)).to.deep.equal([]);
  });

  it('are listed, those with an undeliverable response by themselves', async () => {
    const { store } = get();
    const customer_id = randomUUID();
    const [first, second] = [sampleCall({ customer_id }), sampleCall({ customer_id, tm_create: LATER })];
    for (const made of [first, second]) await store.workflows.createCall(made);
    await answer(store, first, settlement(first, { delivery: { type: 'WORKFLOW', state: 'undeliverable', reason: 'gone' } }));
    const ids = async (filter: object) =>
      (await store.workflows.list({ customer_id, ...filter }, { size: 10 })).map((call) => call.id);
    expect(await ids({})).to.deep.equal([second.call.id, first.call.id]);
    expect(await ids({ undeliverable: true })).to.deep.equal([first.call.id]);
    expect(await ids({ flow_id: second.call.flow_id })).to.deep.equal([second.call.id]);
    const rest = await store.workflows.list({ customer_id }, { size: 10, after: { tm_create: LATER } });
    expect(rest.map((call) => call.id)).to.deep.equal([first.call.id]);
  });

  it('go when they were answered long ago, and with their customer', async () => {
    const { store } = get();
    const customer_id = randomUUID();
    const tm = (age_ms: number) => new Date(Date.now() - age_ms).toISOString().replace('Z', '000Z');
    const old = sampleCall({ customer_id, tm_create: tm(3 * DAY_MS) });
    const slow = sampleCall({ customer_id, tm_create: tm(3 * DAY_MS) });
    const open = sampleCall({ customer_id, tm_create: tm(3 * DAY_MS) });
    for (const made of [old, slow, open]) await store.workflows.createCall(made);
    await answer(store, old, settlement(old, { tm_end: tm(2 * DAY_MS) }));
    await answer(store, slow, settlement(slow, { tm_end: tm(1_000) }));
    let place: string | null = '';
    while (place !== null) place = (await store.workflows.clearCalls(DAY_MS, place, 2)).next;
    const left = await store.workflows.list({ customer_id }, { size: 10 });
    expect(left.map((call) => call.id)).to.have.members([slow.call.id, open.call.id]);
    await store.workflows.putCallable(sampleCallable({ customer_id }));
    const others = sampleCall();
    await store.workflows.createCall(others);
    while ((await store.workflows.erase(customer_id, 2)) > 0);
    expect(await store.workflows.list({ customer_id }, { size: 10 })).to.deep.equal([]);
    expect(await store.pushes.read(`${customer_id}/anna`, 0, 10)).to.deep.equal([]);
    expect(await store.workflows.call(others.call.id)).not.to.equal(undefined);
  });
});

eachStore('pushes', (get) => {
  /** A call of the same channel. */
  const of = (customer_id: string) => sampleCall({ customer_id });

  it('are read in the order of their commits, from any place', async () => {
    const { store } = get();
    const customer_id = randomUUID();
    const owner = `${customer_id}/anna`;
    expect(await store.pushes.heads([owner])).to.deep.equal(new Map());
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const made = of(customer_id);
      await store.workflows.createCall(made);
      await answer(store, made);
      ids.push(made.call.id);
    }
    const all = await store.pushes.read(owner, 0, 10);
    expect(all.map((event) => event.workflow_call_id)).to.deep.equal(ids);
    expect((await store.pushes.read(owner, all[0]?.seq ?? 0, 1)).map((event) => event.workflow_call_id)).to.deep.equal([ids[1]]);
    expect((await store.pushes.heads([owner, 'nobody'])).get(owner)).to.equal(all[2]?.seq);
  });

  it('are never preceded later by what was committed late: a reader that only goes on misses none', async function () {
    this.timeout(30_000);
    const { store, bench } = get();
    const customer_id = randomUUID();
    const owner = `${customer_id}/anna`;
    const stores = [store, bench.open(), bench.open()];
    const calls = Array.from({ length: 60 }, () => of(customer_id));
    for (const made of calls) await store.workflows.createCall(made);
    const seen: string[] = [];
    let at = 0;
    const read = async (): Promise<void> => {
      for (const event of await store.pushes.read(owner, at, 100)) {
        seen.push(event.workflow_call_id);
        at = event.seq;
      }
    };
    let done = false;
    const reading = (async () => {
      for (; !done; await new Promise(setImmediate)) await read();
    })();
    await Promise.all(calls.map((made, n) => answer(stores[n % stores.length] ?? store, made)));
    done = true;
    await reading;
    await read();
    expect(seen).to.have.members(calls.map((made) => made.call.id));
  });

  it('go after their time; a channel that begins anew goes on above what it had', async () => {
    const { store, bench } = get();
    const customer_id = randomUUID();
    const owner = `${customer_id}/anna`;
    const [first, second] = [of(customer_id), of(customer_id)];
    for (const made of [first, second]) await store.workflows.createCall(made);
    await answer(store, first);
    const before = (await store.pushes.heads([owner])).get(owner) ?? 0;
    await clearAll(store);
    expect(await store.pushes.read(owner, 0, 10)).to.have.lengthOf(1);
    for (const [table, column] of [
      ['push_events', 'tm_create'],
      ['push_heads', 'tm_update'],
    ]) {
      await bench.sql(`UPDATE ${table} SET ${column} = ? WHERE owner = ?`, ['2020-01-01 00:00:00', owner]);
    }
    await clearAll(store);
    expect(await store.pushes.read(owner, 0, 10)).to.deep.equal([]);
    expect(await store.pushes.heads([owner])).to.deep.equal(new Map());
    await answer(store, second);
    expect((await store.pushes.heads([owner])).get(owner)).to.be.greaterThan(before);
  });

  async function clearAll(store: Store): Promise<void> {
    let place: string | null = '';
    while (place !== null) place = (await store.pushes.clear(DAY_MS, place, 3)).next;
  }
});
