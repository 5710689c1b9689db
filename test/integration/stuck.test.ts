/** What ends an activeflow that would otherwise hang: a stop that always works, and the look for a caller that is gone. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import type { Json } from '../../pkg/model/json.ts';
import { type ActiveflowView, AmqpCaller, action, Caller } from '../support/caller.ts';
import { argumentsOf, Daemon } from '../support/daemon.ts';
import { eventually, gate } from '../support/inbox.ts';
import type { Reply } from '../support/siblings.ts';
import { eachStage, onServers } from '../support/stage.ts';

const talk = action('talk', { text: 'hello' });
const last = action('talk', { text: 'last' });
const join = () => action('queue_join', { queue_id: randomUUID() });

eachStage('stop', (get) => {
  it('while a sibling is asked that never answers: the caller is told at once, and its late answer changes nothing', async () => {
    const { caller, siblings } = get();
    const { id } = await caller.started([join(), talk]);
    const { open, opened } = gate();
    siblings.script('queue', async () => {
      await opened;
      return undefined;
    });
    const answer = caller.next(id);
    await siblings.until('queue', id);
    const stopped = await caller.ok<ActiveflowView>('POST', `/v1/activeflows/${id}/stop`);
    expect(stopped.status).to.equal('ended');
    // The gate is still shut.
    expect((await answer).id).to.equal(ACTION_FINISH);
    open();
    const { id: other } = await caller.started([join(), talk]);
    await caller.next(other);
    expect(await caller.get(id)).to.deep.equal(stopped);
  });

  it('ends a walk that nobody waits for', async () => {
    const { caller, siblings } = get();
    const { id } = await caller.started([action('ai_talk', { assistance_id: randomUUID(), assistance_type: 'ai' })], {
      reference_type: 'conversation',
    });
    siblings.script('ai', () => 'silent');
    await caller.ok('POST', `/v1/activeflows/${id}/execute`);
    await siblings.until('ai', id);
    expect(await caller.ok('POST', `/v1/activeflows/${id}/stop`)).to.include({ status: 'ended' });
  });
});

onServers(
  'stop',
  (get) => {
    const unreadable = async (id: string, column: string, text: string) => {
      const stage = get();
      await stage.caller.started([talk]); // of one activeflow at a time is anything remembered
      await stage.database.admin.query(`UPDATE ${stage.database.name}.activeflows SET ${column} = ? WHERE id = ?`, [text, id]);
    };

    for (const [what, column, text] of [
      ['is no JSON', 'state', '{"current":'],
      ['is another kind of thing', 'state', '[]'],
      ['has parts of other kinds', 'state', '{"stacks":[{"id":7}],"answers":5,"current":null,"step":"x"}'],
      ['has an outbox that is no JSON', 'outbox', '['],
      ['has variables that are no JSON', 'variables', 'null and void'],
    ] as const) {
      it(`ends what ${what}, and says so to everybody`, async () => {
        const { id } = await get().caller.started([talk, last]);
        await get().caller.next(id);
        await unreadable(id, column, text);
        const { caller, events } = get();
        const stopped = await caller.ok<ActiveflowView>('POST', `/v1/activeflows/${id}/stop`, {}, 'key');
        expect(stopped).to.include({ id, status: 'ended' });
        expect(await caller.ok('POST', `/v1/activeflows/${id}/stop`, {}, 'key')).to.deep.equal(stopped);
        expect(await caller.get(id)).to.deep.equal(stopped);
        await eventually('its end is published', () =>
          events.of(id).some(({ type, data }) => type === 'activeflow_updated' && data.status === 'ended'),
        );
        expect((await caller.trace(id)).at(-1)).to.include({ outcome: 'stopped' });
        await caller.variables(id);
        expect(await caller.ok('DELETE', `/v1/activeflows/${id}`)).to.include({ id, status: 'ended' });
      });
    }

    it('on one process cuts off a walk on another, whose caller is told at once', async function () {
      this.timeout(30_000);
      const { caller, siblings, flags } = get();
      const queue = `${flags.rabbit_queue_listen}.other`;
      const other = Daemon.spawn(argumentsOf({ ...flags, rabbit_queue_listen: queue }));
      await other.ready;
      const amqp = await AmqpCaller.open(String(flags.rabbit_addr), queue);
      const { id } = await caller.started([join(), talk]);
      const { open, opened } = gate();
      siblings.script('queue', async () => {
        await opened;
        return undefined;
      });
      const answer = caller.next(id);
      await siblings.until('queue', id);
      await new Caller(amqp.send).ok('POST', `/v1/activeflows/${id}/stop`);
      expect((await answer).id).to.equal(ACTION_FINISH);
      open();
      await amqp.close();
      await other.stop();
    });
  },
  { cached_activeflows: 1 },
);

/** What call-manager answers, and what becomes of the activeflow. */
const GONE: readonly (readonly [string, Reply])[] = [
  ['knows no such call', { error: 404 }],
  ['says that it has hung up', { data: { status: 'hangup' } }],
  ['says that it is deleted', { data: { status: 'progressing', tm_delete: '2020-01-01T00:00:00.000000Z' } }],
];
const THERE: readonly (readonly [string, Reply])[] = [
  ['says that it lives', { data: { status: 'progressing', tm_delete: '9999-01-01 00:00:00.000000' } as Json }],
  ['fails', { error: 500 }],
  ['talks nonsense', { data: 7 }],
];

eachStage(
  'a caller that is silent for long, when call-manager',
  (get) => {
    for (const [what, reply] of GONE) {
      it(`${what}: its activeflow is ended`, async () => {
        const { caller, siblings, events } = get();
        siblings.script('call', () => reply);
        const { id, reference_id } = await caller.started([talk, last]);
        await caller.next(id);
        await eventually('it is ended', async () => (await caller.get(id)).status === 'ended');
        expect(siblings.of('call', String(reference_id))[0]).to.include({ method: 'GET', uri: `/v1/calls/${reference_id}` });
        const error = await caller.refused(409, 'GET', `/v1/activeflows/${id}/next`, { current_action_id: ACTION_START });
        expect(error.reason).to.equal('CALLER_LOST');
        expect((await caller.trace(id)).at(-1)?.reason).to.include('CALLER_LOST');
        await eventually('its end is published', () => events.of(id).some(({ data }) => data.status === 'ended'));
      });
    }

    it('knows no such call, and nobody has ever asked', async () => {
      const { caller, siblings } = get();
      siblings.script('call', () => ({ error: 404 }));
      const { id } = await caller.started([talk]);
      await eventually('it is ended', async () => (await caller.get(id)).status === 'ended');
    });

    for (const [what, reply] of THERE) {
      it(`${what}: it is looked for again later`, async () => {
        const { caller, siblings } = get();
        siblings.script('call', () => reply);
        const { id, reference_id } = await caller.started([talk, last]);
        await caller.next(id);
        await eventually('it was looked for twice', () => siblings.of('call', String(reference_id)).length >= 2);
        expect((await caller.get(id)).status).to.equal('running');
        expect((await caller.next(id, talk.id)).id).to.equal(last.id);
        siblings.script('call', () => ({ error: 404 }));
        await eventually('it is ended', async () => (await caller.get(id)).status === 'ended');
      });
    }

    it('is not asked about who asks, about what has ended, and about what runs by itself', async () => {
      const { caller, siblings } = get();
      const ended = await caller.started([talk]);
      await caller.next(ended.id);
      await caller.ok('POST', `/v1/activeflows/${ended.id}/stop`);
      const block = await caller.started([action('block')], { reference_type: 'conversation' });
      await caller.ok('POST', `/v1/activeflows/${block.id}/execute`);
      const lost = await caller.started([talk]);
      await eventually('another one was looked for', () => siblings.of('call', String(lost.reference_id)).length >= 2);
      expect(siblings.of('call', String(ended.reference_id))).to.deep.equal([]);
      expect(siblings.of('conversation', String(block.reference_id))).to.deep.equal([]);
      expect((await caller.get(block.id)).status).to.equal('running');
    });
  },
  { reap_after_ms: 400 },
);
