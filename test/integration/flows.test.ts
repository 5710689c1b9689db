/** Lists by page and filter, versions, warnings, temporary flows, and the direct that a flow may have. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_START, NIL } from '../../pkg/model/id.ts';
import { type ActiveflowView, action, type Caller, CUSTOMER, type FlowView } from '../support/caller.ts';
import { eachStage, onServers } from '../support/stage.ts';

type Item = Pick<FlowView, 'id' | 'tm_create'>;

/** All pages of a list, by the token that the wire knows: the time of the last item. */
async function pages(caller: Caller, resource: string, size: number, filter: object): Promise<Item[][]> {
  const found: Item[][] = [];
  for (let token = ''; ; ) {
    const page = await caller.ok<Item[]>('GET', `/v1/${resource}?page_size=${size}&page_token=${token}`, filter);
    if (page.length === 0) return found;
    found.push(page);
    token = page.at(-1)?.tm_create ?? '';
    if (found.length > 50) throw new Error('it does not end');
  }
}

const idsOf = (items: readonly Item[]): string[] => items.map((item) => item.id);

eachStage('lists', (get) => {
  it('show everything once, newest first, page by page', async () => {
    const { caller } = get();
    const customer_id = randomUUID();
    const flows: FlowView[] = [];
    for (let i = 0; i < 7; i++) flows.push(await caller.flow([], { customer_id, persist: true, type: 'queue' }));
    const newestFirst = idsOf(flows).reverse();
    for (const size of [1, 3, 7, 100]) {
      const found = await pages(caller, 'flows', size, { customer_id });
      expect(idsOf(found.flat()), `${size} a page`).to.deep.equal(newestFirst);
      expect(found[0]).to.have.length(Math.min(size, 7));
    }
    const made: ActiveflowView[] = [];
    for (let i = 0; i < 5; i++) made.push(await caller.activeflow({ id: NIL, customer_id }));
    expect(idsOf((await pages(caller, 'activeflows', 2, { customer_id })).flat())).to.deep.equal(idsOf(made).reverse());
  });

  it('take up to 1,000 a page, 100 unless told', async () => {
    const { caller } = get();
    const customer_id = randomUUID();
    for (let i = 0; i < 3; i++) await Promise.all(Array.from({ length: 34 }, () => caller.activeflow({ id: NIL, customer_id })));
    const size = async (query: string): Promise<number> =>
      (await caller.ok<Item[]>('GET', `/v1/activeflows${query}`, { customer_id })).length;
    expect(await size('')).to.equal(100);
    expect(await size('?page_size=101')).to.equal(101);
    expect(await size('?page_size=1000')).to.equal(102);
    expect(await size('?page_size=99999')).to.equal(102);
  });

  it('are filtered by what is asked for', async () => {
    const { caller } = get();
    const customer_id = randomUUID();
    const kept = await caller.flow([], { customer_id, persist: true, type: 'conference' });
    const gone = await caller.flow([], { customer_id, persist: true, type: 'campaign' });
    await caller.ok('DELETE', `/v1/flows/${gone.id}`);
    const flows = async (filter: object): Promise<string[]> =>
      idsOf(await caller.ok<Item[]>('GET', '/v1/flows', { customer_id, ...filter }));
    expect(await flows({})).to.deep.equal([kept.id]);
    expect(await flows({ deleted: false })).to.deep.equal([kept.id]);
    expect(await flows({ deleted: 'true' })).to.deep.equal([gone.id]);
    expect(await flows({ type: 'campaign' })).to.deep.equal([]);
    expect(await flows({ type: 'conference' })).to.deep.equal([kept.id]);
    const call = randomUUID();
    const ended = await caller.activeflow(kept, { reference_id: call });
    const running = await caller.activeflow(kept, { reference_type: 'conversation' });
    await caller.ok('POST', `/v1/activeflows/${ended.id}/stop`);
    const list = async (filter: object): Promise<string[]> =>
      idsOf(await caller.ok<Item[]>('GET', '/v1/activeflows', { customer_id, ...filter }));
    expect(await list({})).to.deep.equal([running.id, ended.id]);
    expect(await list({ status: 'ended' })).to.deep.equal([ended.id]);
    expect(await list({ reference_type: 'conversation' })).to.deep.equal([running.id]);
    expect(await list({ reference_id: call })).to.deep.equal([ended.id]);
    expect(await list({ flow_id: randomUUID() })).to.deep.equal([]);
    expect(await list({ flow_id: kept.id, status: 'running', deleted: false })).to.deep.equal([running.id]);
  });
});

onServers('lists', (get) => {
  it('skip and repeat nothing when times tie', async () => {
    const { caller, database } = get();
    const customer_id = randomUUID();
    for (let i = 0; i < 7; i++) await caller.flow([], { customer_id, persist: true, type: 'queue' });
    for (let i = 0; i < 7; i++) await caller.activeflow({ id: NIL, customer_id });
    for (const resource of ['flows', 'activeflows']) {
      const one = `SELECT tm_create FROM (SELECT tm_create FROM ${resource} WHERE customer_id = ? ORDER BY tm_create LIMIT 1 OFFSET 1) AS t`;
      await database.admin.query(`UPDATE ${resource} SET tm_create = (${one}) WHERE customer_id = ? LIMIT 5`, [
        customer_id,
        customer_id,
      ]);
      for (const size of [1, 2, 3, 6]) {
        const found = idsOf((await pages(caller, resource, size, { customer_id })).flat());
        expect(new Set(found).size, `${resource}, ${size} a page, nothing skipped`).to.equal(7);
        expect(found, `${resource}, ${size} a page, nothing repeated`).to.have.length(7);
      }
    }
  });
});

eachStage('flows', (get) => {
  const first = action('talk', { text: 'one' });
  const second = action('talk', { text: 'two' });

  it('keep every version of their actions, and bring an old one back as a new one', async () => {
    const { caller } = get();
    const flow = await caller.flow([first]);
    const pinned = await caller.activeflow(flow);
    await caller.ok('PUT', `/v1/flows/${flow.id}/actions`, { actions: [second] });
    await caller.ok('PUT', `/v1/flows/${flow.id}`, { name: 'renamed', actions: [second, first] });
    const restored = await caller.ok('POST', `/v1/flows/${flow.id}/versions/1/restore`);
    expect(restored).to.include({ name: 'renamed', version: 4 });
    expect(restored.actions).to.deep.equal(flow.actions);
    const versions = await caller.ok<{ version: number; actions: { id: string }[] }[]>('GET', `/v1/flows/${flow.id}/versions`);
    const shown = versions.map(({ version, actions }) => [version, actions.map(({ id }) => id)]);
    expect(shown).to.deep.equal([
      [1, [first.id]],
      [2, [second.id]],
      [3, [second.id, first.id]],
      [4, [first.id]],
    ]);
    await caller.ok('PUT', `/v1/flows/${flow.id}/actions`, { actions: [second] });
    expect((await caller.next(pinned.id)).id, 'what runs stays with what it started with').to.equal(first.id);
    await caller.refused(404, 'POST', `/v1/flows/${flow.id}/versions/77/restore`);
    await caller.refused(400, 'POST', `/v1/flows/${flow.id}/versions/last/restore`);
  });

  it('keep option keys that nobody knows, and warn of them', async () => {
    const { caller } = get();
    const flow = await caller.flow([first, action('talk', { text: 'x', texxt: 'y' })]);
    expect(flow.actions[1]?.option).to.deep.equal({ text: 'x', texxt: 'y' });
    const [warning] = flow.warnings as { path: string; message: string }[];
    expect(warning?.path).to.equal('/actions/1/option/texxt');
    expect(warning?.message).to.be.a('string').and.not.equal('');
    expect(await caller.ok('GET', `/v1/flows/${flow.id}`)).to.deep.equal(flow);
    expect(await caller.ok('PUT', `/v1/flows/${flow.id}/actions`, { actions: [first] })).not.to.have.property('warnings');
    const restored = await caller.ok('POST', `/v1/flows/${flow.id}/versions/1/restore`);
    expect(restored.warnings).to.deep.equal(flow.warnings);
  });

  it('that are temporary expire, are not listed, and have no direct', async () => {
    const { caller, siblings } = get();
    const customer_id = randomUUID();
    const flow = await caller.flow([first], { customer_id, persist: false });
    const expiry = Date.parse(String(flow.tm_expire)) - Date.parse(flow.tm_create);
    expect(expiry).to.be.closeTo(86_400_000, 1);
    expect(flow.direct_id).to.equal(NIL);
    expect(siblings.of('direct', flow.id)).to.deep.equal([]);
    expect(await caller.ok<FlowView[]>('GET', '/v1/flows', { customer_id })).to.deep.equal([]);
    expect(await caller.ok('GET', '/v1/flows/count_by_customer', { customer_id })).to.deep.equal({ count: 0 });
    expect(await caller.ok('GET', `/v1/flows/${flow.id}`)).to.deep.equal(flow);
    const made = await caller.activeflow(flow);
    expect((await caller.next(made.id, ACTION_START)).id).to.equal(first.id);
  });
});

eachStage('directs', (get) => {
  const data = { customer_id: CUSTOMER, type: 'flow', persist: true, actions: [] };

  it('are asked for, given anew and given back', async () => {
    const { caller, siblings } = get();
    const flow = await caller.ok('POST', '/v1/flows', data);
    const asked = siblings.of('direct', flow.id);
    expect(asked).to.have.length(1);
    expect(asked[0]).to.include({ method: 'POST', uri: '/v1/directs' });
    expect(asked[0]?.data).to.deep.equal({ customer_id: CUSTOMER, resource_type: 'flow', resource_id: flow.id });
    expect(flow.direct_hash).to.match(/^direct\./);
    const again = await caller.ok('POST', `/v1/flows/${flow.id}/direct-hash-regenerate`);
    expect(siblings.of('direct', `${flow.direct_id}/regenerate`)).to.have.length(1);
    expect(again.direct_hash)
      .to.match(/^direct\./)
      .and.not.equal(flow.direct_hash);
    expect((await caller.ok('GET', `/v1/flows/${flow.id}`)).direct_hash).to.equal(again.direct_hash);
    await caller.ok('DELETE', `/v1/flows/${flow.id}`);
    expect(siblings.of('direct', String(again.direct_id)).at(-1)).to.include({ method: 'DELETE' });
    const other = await caller.ok('POST', '/v1/flows', { ...data, type: 'conference' });
    expect(siblings.of('direct', other.id)).to.deep.equal([]);
    await caller.refused(409, 'POST', `/v1/flows/${other.id}/direct-hash-regenerate`);
  });

  it('are not needed: a flow is made, changed and deleted while direct-manager fails, is silent or is away', async function () {
    this.timeout(20_000);
    const { caller, siblings } = get();
    const whole = await caller.ok('POST', '/v1/flows', data);
    for (const reply of [{ error: 500 }, { raw: 'no JSON' }, { data: { hash: 7 } }, 'silent'] as const) {
      siblings.script('direct', () => reply);
      const flow = await caller.ok('POST', '/v1/flows', data);
      expect(flow, JSON.stringify(reply)).to.include({ direct_id: NIL, direct_hash: '' });
      expect(await caller.ok('GET', `/v1/flows/${flow.id}`)).to.deep.equal(flow);
    }
    siblings.script('direct', () => ({ error: 404 }));
    await caller.refused(503, 'POST', `/v1/flows/${whole.id}/direct-hash-regenerate`);
    await siblings.absent('direct');
    const flow = await caller.ok('POST', '/v1/flows', data);
    expect(flow.direct_id).to.equal(NIL);
    expect((await caller.ok('DELETE', `/v1/flows/${whole.id}`)).tm_delete).to.be.a('string');
    await siblings.present('direct');
  });
});
