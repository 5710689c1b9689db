import { expect } from 'chai';
import type { ActionType } from '../../../pkg/action/definition.ts';
import { callbackWaitAction } from '../../../pkg/action/types/callback_wait.ts';
import { jobWaitAction } from '../../../pkg/action/types/job_wait.ts';
import { unavailable } from '../../../pkg/error/index.ts';
import type { Action } from '../../../pkg/model/action.ts';
import type { Activeflow, ReferenceType } from '../../../pkg/model/activeflow.ts';
import { ACTION_START, NIL } from '../../../pkg/model/id.ts';
import type { Json, JsonObject } from '../../../pkg/model/json.ts';
import { participantOf } from '../../../pkg/model/participant.ts';
import type { Clock, Store } from '../../../pkg/service/ports.ts';
import type { Service } from '../../../pkg/service/service.ts';
import { openSqliteStore } from '../../../pkg/store/index.ts';
import { act, empty, id, set, talk } from '../../support/engine_flow.ts';
import { overriding } from '../../support/overriding.ts';
import { sampleFlow } from '../../support/samples.ts';
import { serviceOn } from '../../support/service_on.ts';

const CUSTOMER = id('owner');
const JOB = 'job.who';

const start = act('j', 'job_start', { name: 'who', flow_id: id('job') });
const wait = (option: JsonObject = {}, extra = {}) => act('w', 'job_wait', { name: 'who', ...option }, extra);
const bridged: JsonObject = { while_waiting: [talk('a'), talk('b')] as unknown as Json };

/** Two processes on one database; the first one starts and waits, the second one ends jobs and tells nobody. */
class Stage {
  readonly store: Store = openSqliteStore({ file: ':memory:' });
  readonly cuts: string[] = [];
  ahead_ms = 0;
  readonly one: Service;
  readonly deaf: Service;
  readonly #put: (name: string, actions: readonly Action[]) => Promise<void>;
  #made = 0;

  constructor() {
    const clock: Clock = { now: () => Date.now() + this.ahead_ms };
    const request = async ({ uri }: { uri: string }) => {
      this.cuts.push(uri);
      return null;
    };
    const { service, lists } = serviceOn(this.store, { clock, request });
    this.one = service;
    const participants = overriding(this.store.participants, { waiting: async () => [] });
    this.deaf = serviceOn(overriding(this.store, { participants }), { clock, request }).service;
    this.#put = async (name, actions) => {
      const list = await lists.putShared(CUSTOMER, actions);
      const flow = sampleFlow({ id: id(name), customer_id: CUSTOMER, list });
      await this.store.flows.commit({ flow, new_version: true, events: [] });
    };
  }

  async open(): Promise<void> {
    await this.store.migrate();
    const answer = act('q', 'workflow_response', { data: 'found' });
    await this.#put('job', [answer, act('k', 'block'), set('r', 'result', 'not this')]);
  }

  /** An activeflow on these actions, walked until it waits for somebody. */
  async run(actions: readonly Action[], reference_type: ReferenceType = 'api', reference_id = id('ref')): Promise<string> {
    this.#made += 1;
    const [name, made] = [`f${this.#made}`, id(`m${this.#made}`)];
    await this.#put(name, actions);
    const given = { id: made, customer_id: CUSTOMER, flow_id: id(name), reference_type, reference_id };
    const rest = { reference_activeflow_id: NIL, webhook_uri: '', webhook_method: '', variables: {} };
    await this.one.create.create({ ...given, ...rest }, name);
    if (reference_type === 'call') await this.one.next.next({ id: made, asked: ACTION_START, key: name });
    else await this.one.control.execute(made, name);
    await this.idle();
    return made;
  }

  async row(activeflow: string): Promise<Activeflow> {
    const row = await this.store.activeflows.get(activeflow);
    if (!row) throw new Error(`no activeflow ${activeflow}`);
    return row;
  }

  async entry(activeflow: string): Promise<JsonObject> {
    const entries = await this.store.participants.read(participantOf(await this.row(activeflow)));
    return entries.find(({ key }) => key === JOB)?.value as JsonObject;
  }

  async waiting(activeflow: string): Promise<string[]> {
    return this.store.participants.waiting(participantOf(await this.row(activeflow)), JOB);
  }

  /** The job of this activeflow goes on from its block to its end. */
  async endJob(activeflow: string, by: Service = this.one): Promise<void> {
    await by.control.leaveBlock(String((await this.entry(activeflow)).id), id('k'), '');
    await this.idle();
  }

  async isDue(activeflow: string): Promise<boolean> {
    return (await this.store.activeflows.claimDue(10, 30_000)).some((row) => row.id === activeflow);
  }

  async wake(activeflow: string): Promise<void> {
    await this.one.control.wake(await this.row(activeflow));
    await this.idle();
  }

  async trace(activeflow: string): Promise<string[]> {
    const steps = await this.one.query.trace(activeflow);
    return steps.map(({ outcome, reason }) => `${String(outcome)} ${String(reason).replace(/[0-9a-f-]{36}/, '…')}`);
  }

  async idle(...others: readonly Service[]): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) {
      for (const service of [this.one, this.deaf, ...others]) await service.idle();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe('waiting for a job', () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = new Stage();
    await stage.open();
  });
  afterEach(() => stage.store.close());

  it('goes on when the job has ended, one way or another', async () => {
    const flow = [start, wait(), set('v', 'seen', '${participant.job.who.status} ${participant.job.who.result}')];
    const well = await stage.run(flow);
    expect((await stage.row(well)).state.wait).to.include({ kind: 'signal', due: null });
    expect(await stage.waiting(well)).to.deep.equal([well]);
    await stage.endJob(well);
    expect(await stage.row(well)).to.include({ status: 'ended' });
    expect((await stage.row(well)).variables.seen).to.equal('SUCCESS found');
    expect(await stage.trace(well)).to.include.members(['waiting until job who has ended', 'resumed job:who/… has come']);
    expect(await stage.waiting(well)).to.deep.equal([]);

    const ill = await stage.run(flow, 'api', id('ill'));
    await stage.one.control.stop(String((await stage.entry(ill)).id), 'stopped, by request', '');
    await stage.idle();
    expect((await stage.row(ill)).variables.seen).to.equal('FAILED found');
  });

  it('is of every activeflow of the participant, its jobs among them, and of all that wait', async () => {
    const first = await stage.run([start, act('b', 'block')]);
    const others = [await stage.run([wait()]), await stage.run([wait(), empty('e')])];
    expect(await stage.waiting(first)).to.deep.equal(others);
    await stage.endJob(first);
    for (const other of others) expect(await stage.row(other)).to.include({ status: 'ended' });
  });

  it('goes on at once when the job has ended before', async () => {
    const made = await stage.run([start, act('b', 'block'), wait()]);
    await stage.endJob(made);
    await stage.one.control.leaveBlock(made, id('b'), '');
    await stage.idle();
    expect(await stage.row(made)).to.include({ status: 'ended' });
    expect(await stage.trace(made)).to.include('run job who has ended: SUCCESS');
  });

  it('for a job that nobody has started is a failure that names it, which its target takes', async () => {
    const flow = [wait({}, { error: 'v' }), empty('e'), set('v', 'why', '${voipbin.error.reason}: ${voipbin.error.message}')];
    const made = await stage.run(flow);
    expect((await stage.row(made)).variables.why).to.equal(
      'JOB_NOT_FOUND: job_wait: no job who was started by this flow or beside it',
    );
  });

  it('of a job for itself is a failure', async () => {
    const flow = [act('j', 'job_start', { name: 'who', flow_id: id('f2') }), act('b', 'block')];
    await stage.run([empty('e')]);
    const selfish = await stage.run([wait()], 'api', id('x'));
    expect(selfish).to.equal(id('m2'));
    const made = await stage.run(flow);
    expect(((await stage.entry(made)).error as JsonObject).reason).to.equal('JOB_IS_ITSELF');
  });

  it('plays to a call, and cuts it off when the job has ended', async () => {
    const call = await stage.run([start, wait(bridged), talk('z')], 'call');
    const next = async (asked: string) => (await stage.one.next.next({ id: call, asked: id(asked), key: '' })).id;
    expect([await next('a'), await next('b')]).to.deep.equal([id('b'), id('a')]);
    await stage.endJob(call);
    expect((await stage.row(call)).state.cut_off).to.equal(true);
    expect(stage.cuts).to.deep.equal([`/v1/calls/${id('ref')}/action-next`]);
    expect(await next('a')).to.equal(id('z'));
  });

  it('is left when its time is over, to its target; the job’s end is nothing to it then', async () => {
    const made = await stage.run([start, wait({ timeout: 5_000, timeout_target_id: id('t') }), empty('z'), act('t', 'block')]);
    stage.ahead_ms = 5_001;
    await stage.wake(made);
    expect((await stage.row(made)).state.current.id).to.equal(id('t'));
    expect(await stage.waiting(made)).to.deep.equal([]);
    const { revision } = await stage.row(made);
    await stage.endJob(made, stage.deaf);
    expect(await stage.isDue(made)).to.equal(false);
    expect((await stage.row(made)).revision).to.equal(revision);
  });

  it('that ended in time is heard first, however late it is noticed', async () => {
    const made = await stage.run([
      start,
      wait({ timeout: 5_000, timeout_target_id: id('t') }),
      set('z', 'x', 'in time'),
      empty('t'),
    ]);
    await stage.endJob(made, stage.deaf);
    stage.ahead_ms = 60_000;
    await stage.wake(made);
    expect((await stage.row(made)).variables.x).to.equal('in time');
  });

  it('and the end of its time at the same moment: one commit decides', async () => {
    const made = await stage.run([
      start,
      wait({ timeout: 5_000, timeout_target_id: id('t') }),
      set('z', 'n', '${n}1'),
      set('t', 't', '${t}1'),
    ]);
    await stage.endJob(made, stage.deaf);
    stage.ahead_ms = 5_001;
    const row = await stage.row(made);
    await Promise.all([stage.one.control.wake(row), stage.deaf.control.wake(row), stage.one.control.wake(row)]);
    await stage.idle();
    const resumed = (await stage.trace(made)).filter((line) => line.startsWith('resumed'));
    expect(resumed).to.have.length(1);
    expect(await stage.row(made)).to.include({ status: 'ended' });
  });

  describe('when whoever ended the job tells nobody', () => {
    it('who waits is due by the very commit that ends it', async () => {
      const made = await stage.run([start, wait(), empty('e')]);
      expect(await stage.isDue(made)).to.equal(false);
      await stage.endJob(made, stage.deaf);
      expect(await stage.row(made)).to.include({ status: 'running' });
      expect(await stage.isDue(made)).to.equal(true);
      await stage.wake(made);
      expect(await stage.row(made)).to.include({ status: 'ended' });
    });

    it('no other commit puts that off', async () => {
      const made = await stage.run([start, wait({ timeout: 20_000 })]);
      await stage.endJob(made, stage.deaf);
      await stage.one.control.setVariables(made, { x: 'y' }, '');
      expect(await stage.isDue(made)).to.equal(true);
    });

    it('a call that plays meanwhile is due after each step of its loop', async () => {
      const call = await stage.run([start, wait(bridged), talk('z')], 'call');
      await stage.endJob(call, stage.deaf);
      expect((await stage.one.next.next({ id: call, asked: id('a'), key: 'played' })).id).to.equal(id('b'));
      expect(await stage.isDue(call)).to.equal(true);
      await stage.wake(call);
      expect((await stage.one.next.next({ id: call, asked: id('b'), key: 'cut off' })).id).to.equal(id('z'));
    });

    it('a wait that is shorter than the lease is not waited out', async () => {
      const made = await stage.run([start, wait({ timeout: 20_000 })]);
      await stage.endJob(made, stage.deaf);
      await stage.wake(made);
      expect(await stage.trace(made)).to.include('resumed job:who/… has come');
    });

    it('a job that ends between the look and the wait is heard', async () => {
      const late = await stage.run([start, act('b', 'block'), wait()]);
      let ended = false;
      const participants = overriding(stage.store.participants, {
        waiting: async (whose, key) => {
          const waiting = await stage.store.participants.waiting(whose, key);
          if (!ended) {
            ended = true;
            await stage.endJob(late, stage.deaf);
          }
          return waiting;
        },
      });
      const { service } = serviceOn(overriding(stage.store, { participants }));
      await service.control.leaveBlock(late, id('b'), '');
      await stage.idle(service);
      expect((await stage.row(late)).state.current.id, 'it has looked too early').to.equal(id('w'));
      expect(await stage.isDue(late)).to.equal(true);
      await stage.wake(late);
      expect(await stage.row(late)).to.include({ status: 'ended' });
    });

    it('another job that has its name by now does not keep it', async () => {
      const made = await stage.run([start, wait()]);
      await stage.endJob(made, stage.deaf);
      await stage.run([start]);
      expect(await stage.entry(made)).to.include({ status: 'ONGOING' });
      await stage.one.control.setVariables(made, { x: 'y' }, '');
      expect(await stage.isDue(made)).to.equal(true);
      await stage.wake(made);
      expect(await stage.row(made)).to.include({ status: 'ended' });
    });
  });

  it('is refused when too many wait already, but not to who waits again', async () => {
    const made = await stage.run([
      start,
      act('b', 'block'),
      wait({}, { error: 'v' }),
      empty('e'),
      set('v', 'why', '${voipbin.error.reason}'),
    ]);
    const many = Array.from({ length: 100 }, (_, at) => id(`w${at}`));
    const waiting = { others: many };
    const participants = overriding(stage.store.participants, { waiting: async () => waiting.others });
    const { service } = serviceOn(overriding(stage.store, { participants }));
    await service.control.leaveBlock(made, id('b'), '');
    await stage.idle(service);
    expect((await stage.row(made)).variables.why).to.equal('TOO_MANY_WAITERS');

    const again = await stage.run([start, act('b', 'block'), wait()]);
    waiting.others = [...many.slice(1), again];
    await service.control.leaveBlock(again, id('b'), '');
    await stage.idle(service);
    expect((await stage.row(again)).state.wait).to.include({ kind: 'signal' });
  });

  it('is taken up again when the database was away as it looked', async () => {
    const made = await stage.run([start, act('b', 'block'), wait()]);
    let away = true;
    const participants = overriding(stage.store.participants, {
      read: async (whose) => {
        if (away) throw unavailable('DATABASE_UNAVAILABLE', 'it is away');
        return stage.store.participants.read(whose);
      },
    });
    const { service } = serviceOn(overriding(stage.store, { participants }));
    await service.control.leaveBlock(made, id('b'), '');
    await stage.idle(service);
    expect((await stage.row(made)).state.run).to.include({ stage: 'deciding' });
    away = false;
    await service.control.wake(await stage.row(made));
    expect((await stage.row(made)).state.wait).to.include({ kind: 'signal' });
  });

  it('of a job that cannot be read any more ends when that is stopped', async () => {
    const made = await stage.run([start, wait(), set('v', 'seen', '${participant.job.who.error.reason}')]);
    const job = String((await stage.entry(made)).id);
    const unreadable = new Error('its state is no JSON');
    const activeflows = overriding(stage.store.activeflows, {
      get: async (activeflow) => (activeflow === job ? Promise.reject(unreadable) : stage.store.activeflows.get(activeflow)),
    });
    const { service } = serviceOn(overriding(stage.store, { activeflows }));
    await service.control.stop(job, 'stopped, by request', '');
    await stage.idle(service);
    await stage.wake(made);
    expect((await stage.row(made)).variables.seen).to.equal('STOPPED');
  });

  it('ends with the activeflow that waits', async () => {
    const made = await stage.run([start, wait()]);
    await stage.one.control.stop(made, 'stopped, by request', '');
    expect(await stage.waiting(made)).to.deep.equal([]);
    await stage.endJob(made);
    expect(await stage.row(made)).to.include({ status: 'ended' });
  });

  it('has the options of callback_wait, but for what a callback brings', () => {
    const keys = ({ option }: ActionType) =>
      Object.keys((option as { properties?: object }).properties ?? {}).filter((key) => key !== 'into');
    expect(keys(jobWaitAction)).to.deep.equal(keys(callbackWaitAction));
    expect(jobWaitAction.later).to.deep.equal(callbackWaitAction.later);
  });
});
