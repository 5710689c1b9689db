/** The daemon as a process among others: several of them, stopped under load, started before its servers, left by Redis. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, ACTION_START } from '../../pkg/model/id.ts';
import { type ActiveflowView, action, type Caller } from '../support/caller.ts';
import { argumentsOf, Daemon, freePort } from '../support/daemon.ts';
import { hostOf, through } from '../support/database.ts';
import { eventually } from '../support/inbox.ts';
import { TcpProxy } from '../support/proxy.ts';
import { services } from '../support/services.ts';
import { service } from '../support/siblings.ts';
import { onServers, ServerStage } from '../support/stage.ts';

const queueId = randomUUID();
const queue = action('queue_join', { queue_id: queueId });
const hello = action('talk', { text: 'hello ${voipbin.activeflow.id}' });
const bye = action('hangup');
const beep = action('beep');

/** A process takes its time to start on a machine that does much else. */
const START_MS = 20_000;

/** One call from its start to its end; the ids of what it was handed. */
async function call(caller: Caller, flow: { id: string; customer_id: string }): Promise<{ id: string; handed: string[] }> {
  const { id } = await caller.activeflow(flow);
  const handed: string[] = [];
  for (let at = ACTION_START; at !== ACTION_FINISH; handed.push(at)) at = (await caller.next(id, at)).id;
  return { id, handed };
}

function expectWalked(stage: ServerStage, walked: readonly { id: string; handed: string[] }[]): void {
  for (const { id, handed } of walked) {
    expect(handed).to.deep.equal([beep.id, hello.id, bye.id, ACTION_FINISH]);
    expect(
      stage.siblings.of('queue', id).filter(({ uri }) => uri.endsWith('queuecall')),
      'the queue is asked once',
    ).to.have.length(1);
  }
}

async function requestsOf(metrics: string): Promise<number> {
  const text = await (await fetch(metrics)).text();
  return Number(/^flow_manager_receive_request_total\{status="200"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

onServers('two daemons on one queue and one database', (get) => {
  let second: Daemon;

  before(async function () {
    this.timeout(30_000);
    second = Daemon.spawn(argumentsOf(get().flags));
    await second.ready;
  });

  after(() => second.stop());

  const prepare = async (stage: ServerStage) => {
    stage.siblings.script('queue', ({ uri }) => (uri.endsWith('queuecall') ? service([beep]) : undefined));
    return stage.caller.flow([queue, hello, bye]);
  };

  it('walk fifty calls together, and each sibling is asked once', async function () {
    this.timeout(20_000);
    const stage = get();
    const flow = await prepare(stage);
    const metrics = `http://${/metrics at (\S+)/.exec(await second.ready)?.[1]}`;
    const before = [await requestsOf(stage.metrics), await requestsOf(metrics)] as const;
    expectWalked(stage, await Promise.all(Array.from({ length: 50 }, () => call(stage.caller, flow))));
    expect(await requestsOf(stage.metrics), 'the first works').to.be.above(before[0] + 20);
    expect(await requestsOf(metrics), 'the second works').to.be.above(before[1] + 20);
  });

  it('give the same answer to a request that comes to both while it is under way', async () => {
    const { caller, siblings } = get();
    const { id } = await caller.started([queue, hello]);
    siblings.script('queue', async ({ uri }) => {
      if (!uri.endsWith('queuecall')) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return service([beep]);
    });
    const answers = await Promise.all(Array.from({ length: 8 }, () => caller.next(id)));
    expect(new Set(answers.map((answer) => answer.id))).to.deep.equal(new Set([beep.id]));
    expect(siblings.of('queue', id).filter(({ uri }) => uri.endsWith('queuecall'))).to.have.length(1);
  });

  it('show what the other has changed: nothing old is answered', async () => {
    const { caller } = get();
    const { id } = await caller.started([hello]);
    for (let count = 1; count <= 20; count++) {
      await caller.ok('POST', `/v1/variables/${id}/variables`, { variables: { count } });
      expect((await caller.variables(id)).count).to.equal(String(count));
    }
    await caller.ok('POST', `/v1/activeflows/${id}/stop`);
    for (let i = 0; i < 6; i++) {
      expect((await caller.get(id)).status).to.equal('ended');
      await caller.refused(409, 'GET', `/v1/activeflows/${id}/next`, { current_action_id: hello.id });
    }
  });

  it('lose and refuse no request when one of them is stopped under load', async function () {
    this.timeout(30_000);
    const stage = get();
    const flow = await prepare(stage);
    const walked: { id: string; handed: string[] }[] = [];
    let stopping = false;
    const client = async (): Promise<void> => {
      do walked.push(await call(stage.caller, flow));
      while (!stopping);
      walked.push(await call(stage.caller, flow));
    };
    const clients = Array.from({ length: 20 }, client);
    await eventually('load', () => walked.length > 20);
    const stopped = second.stop();
    expect(await stopped).to.deep.equal({ code: 0, signal: null });
    stopping = true;
    await Promise.all(clients);
    expectWalked(stage, walked);
  });
});

onServers('one daemon', (get) => {
  it('that is stopped and started under load answers every request', async function () {
    this.timeout(30_000);
    const stage = get();
    stage.siblings.script('queue', ({ uri }) => (uri.endsWith('queuecall') ? service([beep]) : undefined));
    const flow = await stage.caller.flow([queue, hello, bye]);
    const calls = Array.from({ length: 40 }, () => call(stage.caller, flow));
    await stage.siblings.until('queue', queueId);
    await stage.restart();
    expectWalked(stage, await Promise.all(calls));
  });
});

onServers('a daemon and its servers', (get) => {
  it('waits for servers that are not up yet, says for which, and is ready by itself when they are', async function () {
    this.timeout(60_000);
    const stage = get();
    const { amqp, dsn } = { amqp: (await services()).amqp, dsn: stage.database.dsn };
    const [broker, database] = [await TcpProxy.to(amqp), await TcpProxy.to(hostOf(dsn))];
    await Promise.all([broker.down(), database.down()]);
    const port = await freePort();
    const daemon = Daemon.spawn(
      argumentsOf({
        ...stage.flags,
        rabbit_addr: broker.url,
        dbDSN: through(dsn, database.address),
        prom_listen_addr: `127.0.0.1:${port}`,
      }),
    );
    const readyz = async (): Promise<{ status: number; missing: string[] }> => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      return answer ? { status: answer.status, ...((await answer.json()) as { missing: string[] }) } : { status: 0, missing: [] };
    };
    try {
      await eventually('it listens', async () => (await readyz()).status === 503, START_MS);
      const { missing } = await readyz();
      expect(missing.join('\n')).to.include('database: ').and.include('rabbitmq: ');
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).to.equal(200);
      await eventually('the log says so', () => /waiting for database/.test(daemon.stderr));
      await database.up();
      await eventually('only the broker is missing', async () => {
        const now = (await readyz()).missing;
        return now.length === 1 && now[0]?.startsWith('rabbitmq: ') === true;
      });
      expect(daemon.stdout).to.equal('');
      await broker.up();
      expect(await daemon.ready).to.include(String(stage.flags.rabbit_queue_listen));
      await eventually('it is ready', async () => (await readyz()).status === 200);
      expect((await daemon.stop()).code).to.equal(0);
    } finally {
      await daemon.kill();
      await Promise.all([broker.close(), database.close()]);
    }
  });

  it('is stopped while it waits for its servers', async function () {
    this.timeout(30_000);
    const port = await freePort();
    const nobody = `127.0.0.1:${await freePort()}`;
    const daemon = Daemon.spawn(
      argumentsOf({
        ...get().flags,
        rabbit_addr: `amqp://guest:guest@${nobody}`,
        dbDSN: `u:p@tcp(${nobody})/d`,
        prom_listen_addr: `127.0.0.1:${port}`,
      }),
    );
    await eventually('it waits', () => /waiting for database/.test(daemon.stderr), START_MS);
    expect(await daemon.stop()).to.deep.equal({ code: 0, signal: null });
  });
});

describe('a daemon without Redis, servers', () => {
  let redis: TcpProxy | undefined;
  let stage: ServerStage | undefined;
  after(async () => {
    stage?.siblings.reset();
    await stage?.close();
    await redis?.close();
  });

  it('refuses nothing when Redis goes in mid-run and comes back', async function () {
    this.timeout(40_000);
    redis = await TcpProxy.to((await services()).redis);
    stage = await ServerStage.start({ redis_addr: redis.address, cached_list_bytes: 1, cached_activeflows: 1 });
    const { caller, siblings } = stage;
    siblings.script('queue', ({ uri }) => (uri.endsWith('queuecall') ? service([beep]) : undefined));
    const flow = await caller.flow([queue, hello, bye]);
    const running = await caller.activeflow(flow);
    expect((await caller.next(running.id)).id).to.equal(beep.id);
    await redis.down();
    expect((await caller.next(running.id, beep.id)).id).to.equal(hello.id);
    expectWalked(stage, await Promise.all(Array.from({ length: 20 }, () => call(caller, flow))));
    const temporary = await caller.flow([hello]);
    expect((await caller.ok('GET', `/v1/flows/${temporary.id}`)).id).to.equal(temporary.id);
    expect((await fetch(stage.metrics.replace('/metrics', '/readyz'))).status).to.equal(200);
    await redis.up();
    expect((await caller.next(running.id, hello.id)).id).to.equal(bye.id);
    const after = await caller.ok<ActiveflowView>('GET', `/v1/activeflows/${running.id}`);
    expect(after.status).to.equal('running');
  });
});
