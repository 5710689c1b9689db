import { expect } from 'chai';
import { v7 } from 'uuid';
import { unavailable } from '../../../pkg/error/index.ts';
import type { Activeflow } from '../../../pkg/model/activeflow.ts';
import { ACTION_START, NIL } from '../../../pkg/model/id.ts';
import type { RowAt, Siblings } from '../../../pkg/service/ports.ts';
import type { Service } from '../../../pkg/service/service.ts';
import { act, id, queueJoin, talk } from '../../support/engine_flow.ts';
import { gate } from '../../support/inbox.ts';
import { overriding } from '../../support/overriding.ts';
import { RecordingMeter } from '../../support/recorders.ts';
import { sampleFlow } from '../../support/samples.ts';
import { serviceOn } from '../../support/service_on.ts';
import { SqliteFile } from '../../support/sqlite_file.ts';

const CUSTOMER = id('owner');

describe('control of an activeflow', () => {
  const file = SqliteFile.forSuite();

  async function started(
    { service, lists }: ReturnType<typeof serviceOn>,
    actions: Parameters<typeof lists.putShared>[1],
    deadline_ms = 0,
    reference_type: 'call' | 'api' = 'call',
  ): Promise<string> {
    const list = await lists.putShared(CUSTOMER, [...actions, talk('own', { next: 'own' }, v7())]);
    const flow = sampleFlow({ id: v7(), customer_id: CUSTOMER, list, deadline_ms });
    await file.store.flows.commit({ flow, new_version: true, events: [] });
    const rest = { reference_id: v7(), reference_activeflow_id: NIL, webhook_uri: '', webhook_method: '', variables: {} };
    const made = await service.create.create({ id: v7(), customer_id: CUSTOMER, flow_id: flow.id, reference_type, ...rest }, '');
    return String(made.id);
  }

  /** As the timer of a process takes it, once its time has come. */
  async function claim(activeflow: string): Promise<RowAt> {
    for (;;) {
      const found = (await file.store.activeflows.claimDue(100, 30_000)).find((row) => row.id === activeflow);
      if (found) return found;
    }
  }

  const statusOf = async (service: Service, activeflow: string) => (await service.query.get(activeflow)).status;

  it('ends what has lost its list of actions, for good', async () => {
    const activeflow = await started(serviceOn(file.store), [talk('a')]);
    file.sql('delete from action_lists where owner = ?', CUSTOMER);
    const { service } = serviceOn(file.store);
    expect(await service.control.stop(activeflow, 'stopped', 'key')).to.include({ status: 'ended' });
    expect(await service.control.stop(activeflow, 'stopped', 'key')).to.include({ status: 'ended' });
    expect(await service.control.remove(activeflow, 'other')).to.include({ status: 'ended' });
  });

  it('ends at its deadline what cannot be read', async () => {
    const activeflow = await started(serviceOn(file.store), [talk('a')], 1);
    file.sql('update activeflows set state = ? where id = ?', '{', activeflow);
    const { service } = serviceOn(file.store);
    const claimed = await claim(activeflow);
    await service.control.wake(claimed);
    expect(await statusOf(service, activeflow)).to.equal('ended');
    expect((await file.store.activeflows.get(activeflow))?.state.error).to.include({ reason: 'DEADLINE_EXCEEDED' });
  });

  it('leaves alone what does not exist', async () => {
    const { service } = serviceOn(file.store);
    const refused = await service.control.stop(v7(), 'stopped', '').catch((error: unknown) => error);
    expect(refused).to.include({ status: 'NOT_FOUND' });
    await service.customers.callHungUp(v7(), v7());
  });

  it('does what is due a moment later by its own clock than by the database’s', async () => {
    const wired = serviceOn(file.store);
    const activeflow = await started(wired, [act('s', 'sleep', { duration: 60 }), act('x', 'stop')], 0, 'api');
    await wired.service.control.execute(activeflow, '');
    await wired.service.idle();
    while (!(await file.store.activeflows.get(activeflow))?.state.wait) await new Promise((resolve) => setImmediate(resolve));
    // Claimed too early, as it were.
    await wired.service.control.wake({ id: activeflow, revision: (await file.store.activeflows.get(activeflow))?.revision ?? 0 });
    expect(await statusOf(wired.service, activeflow)).to.equal('ended');
  });

  it('leaves alone what somebody has taken up since it was claimed, so that nothing is asked for twice', async () => {
    const answer = gate();
    const asked: string[] = [];
    const again = gate();
    const request: Siblings['request'] = async ({ request_id }) => {
      asked.push(request_id);
      if (asked.length !== 2) throw unavailable('SIBLING_TIMEOUT', 'try again');
      again.open();
      await answer.opened;
      throw unavailable('SIBLING_FAILED', 'not this time either');
    };
    const here = serviceOn(file.store, { request });
    const phones = { source: { type: 'tel', target: '+1' }, destinations: [{ type: 'tel', target: '+2' }] };
    const send = { ...act('m', 'message_send', { ...phones, text: 'x' }), retry: { attempts: 1, initial_ms: 0 } };
    const activeflow = await started(here, [send, act('x', 'stop')], 0, 'api');
    await here.service.control.execute(activeflow, '');
    await here.service.idle();
    while (!(await file.store.activeflows.get(activeflow))?.state.run?.retry)
      await new Promise((resolve) => setImmediate(resolve));
    const claimed = await claim(activeflow);
    here.service.control.resume(activeflow);
    await again.opened;
    await serviceOn(file.store, { request }).service.control.wake(claimed);
    expect(asked).to.have.length(2);
    answer.open();
    await here.service.idle();
  });

  it('takes up what is due a moment before the walk that paused it has let go, and not a lease later', async () => {
    const paused = gate();
    const let_go = gate();
    let commits = 0;
    const slow = overriding(file.store, {
      activeflows: overriding(file.store.activeflows, {
        commit: async (change) => {
          const won = await file.store.activeflows.commit(change);
          commits += 1;
          if (change.next.state.run?.retry?.due == null || commits > 3) return won;
          paused.open();
          await let_go.opened;
          return won;
        },
      }),
    });
    let asked = 0;
    const request: Siblings['request'] = async () => {
      asked += 1;
      if (asked === 1) throw unavailable('SIBLING_FAILED', 'try again');
      return { id: v7() };
    };
    const { service, lists } = serviceOn(slow, { request });
    const phones = { source: { type: 'tel', target: '+1' }, destinations: [{ type: 'tel', target: '+2' }] };
    const send = { ...act('m', 'message_send', { ...phones, text: 'x' }), retry: { attempts: 1, initial_ms: 0 } };
    const activeflow = await started({ service, lists }, [send, act('x', 'stop')], 0, 'api');
    await service.control.execute(activeflow, '');
    await paused.opened;
    const woken = service.control.wake(await claim(activeflow));
    // Until it has seen that a walk is there.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    let_go.open();
    await woken;
    await service.idle();
    expect([asked, await statusOf(service, activeflow)]).to.deep.equal([2, 'ended']);
  });

  describe('a second try, for which a caller has waited', () => {
    /** A caller that waits for the second try of an action, which is under way until its answer is let go. */
    async function waiting() {
      const [second, answer, reads] = [gate(), gate(), { stale: [] as Activeflow[] }];
      const here = overriding(file.store, {
        activeflows: overriding(file.store.activeflows, {
          get: async (id) => reads.stale.pop() ?? file.store.activeflows.get(id),
        }),
      });
      const asked: string[] = [];
      const request: Siblings['request'] = async ({ request_id }) => {
        asked.push(request_id);
        if (asked.length === 1) throw unavailable('SIBLING_FAILED', 'try again');
        second.open();
        await answer.opened;
        return { id: v7() };
      };
      const meter = new RecordingMeter();
      const wired = serviceOn(here, { request, meter });
      const phones = { source: { type: 'tel', target: '+1' }, destinations: [{ type: 'tel', target: '+2' }] };
      const send = { ...act('m', 'message_send', { ...phones, text: 'x' }), retry: { attempts: 1, initial_ms: 1 } };
      const activeflow = await started(wired, [send, talk('z')]);
      const before = await file.store.activeflows.get(activeflow);
      const next = wired.service.next.next({ id: activeflow, asked: ACTION_START, key: 'n' });
      await second.opened;
      return { activeflow, asked, answer, next, reads, before, meter, service: wired.service };
    }

    it('goes on after another process has changed the activeflow meanwhile', async () => {
      const { activeflow, asked, answer, next } = await waiting();
      await serviceOn(file.store).service.control.setVariables(activeflow, { x: '1' }, 'set');
      answer.open();
      expect(await next).to.include({ id: id('z') });
      expect(asked).to.have.length(2);
      expect((await file.store.activeflows.get(activeflow))?.variables).to.include({ x: '1' });
    });

    it('loses no race against a read that was overtaken by its commit', async () => {
      const { activeflow, asked, answer, next, reads, before, meter, service } = await waiting();
      if (!before) throw new Error('it is there');
      reads.stale.push(before);
      const again = service.next.next({ id: activeflow, asked: ACTION_START, key: 'n' });
      while (reads.stale.length > 0) await new Promise((resolve) => setImmediate(resolve));
      answer.open();
      expect(await Promise.all([next, again])).to.have.nested.property('[1].id', id('z'));
      expect([asked.length, meter.of('commit_conflict_total').length]).to.deep.equal([2, 0]);
    });
  });

  it('cuts off, when it ends elsewhere, whoever waits here; the late answer is dropped', async () => {
    const asked = gate();
    const answer = gate();
    const here = serviceOn(file.store, {
      request: async () => {
        asked.open();
        await answer.opened;
        throw unavailable('SIBLING_TIMEOUT', 'too late');
      },
    });
    const activeflow = await started(here, [queueJoin('j', 'queue')]);
    const next = here.service.next.next({ id: activeflow, asked: ACTION_START, key: 'n' });
    await asked.opened;
    const ended = await serviceOn(file.store).service.control.stop(activeflow, 'stopped', '');
    await here.service.noticeEndings();
    expect(await next).to.include({ id: id('finish') });
    answer.open();
    await here.service.idle();
    expect(await here.service.query.get(activeflow)).to.deep.equal(ended);
    await here.service.noticeEndings();
  });
});
