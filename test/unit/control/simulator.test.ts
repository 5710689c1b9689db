import { expect } from 'chai';
import { LostAnswer, type RpcAnswer } from '../../../cmd/control/client.ts';
import { hangUpByEvent, hangUpByRequest } from '../../../cmd/control/hangup.ts';
import { type CallPlan, CallSimulator, type CallWitness } from '../../../cmd/control/simulator.ts';
import type { JsonObject } from '../../../pkg/model/json.ts';
import type { OutgoingMessage } from '../../../pkg/service/ports.ts';
import { type Answerer, FakeClient, FakeWorld, fakeDaemon, good } from './support.ts';

const TALK: JsonObject = { id: 'talk', type: 'talk', option: { text: 'one two three four five' } };
const ASK: JsonObject = { id: 'ask', type: 'digits_receive', option: { duration: 5000, length: 1 } };
const ASK_AGAIN: JsonObject = { id: 'again', type: 'dtmf_receive', option: { duration: 3000 } };
const BRIDGE: JsonObject = { id: 'bridge', type: 'confbridge_join', option: {} };
const HANGUP: JsonObject = { id: 'bye', type: 'hangup' };

const PLAN: CallPlan = { flow_id: 'flow-1', digits: [], speed: 10, variables: { a: 'b' }, from: '+1', to: '+2' };
const STOP = 'POST /v1/activeflows/id-2/stop';

/** A call with its fakes; what it was handed, pressed and repeated in order. */
function call(answer: Answerer, plan: Partial<CallPlan> = {}) {
  const client = new FakeClient(answer);
  const world = new FakeWorld();
  const log: string[] = [];
  const witness: CallWitness = {
    began: () => undefined,
    handed: ({ action }) => log.push(String(action.type || 'finish')),
    pressed: (digits) => log.push(`press ${digits ?? 'nothing'}`),
    repeated: () => log.push('repeat'),
  };
  const hangUp = hangUpByRequest({ client, world, onRepeat: witness.repeated });
  const simulator = new CallSimulator(client, { ...PLAN, ...plan }, world, witness, hangUp);
  return { client, world, log, simulator };
}

describe('control: a simulated call', () => {
  it('creates an activeflow of its own, tells it of the call, walks it and hangs up', async () => {
    const { client, simulator, log } = call(fakeDaemon([TALK, HANGUP]));
    const report = await simulator.run();
    expect(report)
      .to.include({ end: 'hangup', actions: 2, activeflow_id: 'id-2', call_id: 'id-1' })
      .and.not.have.property('error');
    expect(log).to.deep.equal(['talk', 'hangup']);
    expect(client.requests).to.deep.equal([
      'POST /v1/activeflows',
      'POST /v1/variables/id-2/variables',
      'GET /v1/activeflows/id-2/next',
      'GET /v1/activeflows/id-2/next',
      STOP,
    ]);
    expect(client.sent[0]?.data).to.deep.equal({
      id: 'id-2',
      flow_id: 'flow-1',
      reference_type: 'call',
      reference_id: 'id-1',
      variables: { a: 'b' },
    });
    expect(client.sent[1]?.data).to.deep.nested.include({ 'variables.voipbin\\.call\\.source\\.target': '+1' });
    expect(client.sent[2]?.data).to.deep.equal({ current_action_id: '00000000-0000-0000-0000-000000000001' });
    expect(client.sent[3]?.data).to.deep.equal({ current_action_id: 'talk' });
  });

  it('gives each request a request id of its own', async () => {
    const { client, simulator } = call(fakeDaemon([TALK]));
    await simulator.run();
    const ids = client.sent.map(({ request_id }) => request_id);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(ids).not.to.include(undefined);
  });

  it('finishes with the flow, and takes the time of a telephone divided by its speed', async () => {
    const { simulator, world } = call(fakeDaemon([TALK, { id: 'e', type: 'echo', option: { duration: 4000 } }]));
    const report = await simulator.run();
    expect(report).to.include({ end: 'finish', natural_ms: 6000, total_ms: 600 });
    expect(world.slept).to.deep.equal([200, 400]);
  });

  it('presses one part of the digits for each receive, then nothing', async () => {
    const third = { ...ASK, id: 'third' };
    const { simulator, client, log, world } = call(fakeDaemon([ASK, ASK_AGAIN, third]), { digits: ['1', '2#'] });
    const report = await simulator.run();
    expect(log).to.deep.equal([
      'digits_receive',
      'press 1',
      'dtmf_receive',
      'press 2#',
      'digits_receive',
      'press nothing',
      'finish',
    ]);
    const set = client.sent.filter(({ uri }) => uri.endsWith('/variables')).slice(1);
    expect(set.map(({ data }) => data)).to.deep.equal([
      { variables: { 'voipbin.call.digits': '1' } },
      { variables: { 'voipbin.call.digits': '2#' } },
    ]);
    expect(simulator.digits).to.equal('12#');
    expect(world.slept.at(-1)).to.equal(500); // the third waits its 5 s in vain
    expect(report.end).to.equal('finish');
  });

  it('presses nothing for an empty part', async () => {
    const { simulator, log } = call(fakeDaemon([ASK, ASK_AGAIN]), { digits: ['', '3'] });
    await simulator.run();
    expect(log).to.deep.equal(['digits_receive', 'press nothing', 'dtmf_receive', 'press 3', 'finish']);
  });

  it('hangs up after so many actions', async () => {
    const { simulator, client } = call(fakeDaemon([TALK, ASK, BRIDGE]), { hangup_after: { actions: 2 } });
    expect(await simulator.run()).to.include({ end: 'hung_up', actions: 2 });
    expect(client.requests.at(-1)).to.equal(STOP);
  });

  it('hangs up after a time, in the middle of an action', async () => {
    const { simulator, client } = call(fakeDaemon([BRIDGE, TALK]), { hangup_after: { ms: 1 } });
    expect(await simulator.run()).to.include({ end: 'hung_up' });
    expect(client.requests.at(-1)).to.equal(STOP);
  });

  it('asks again with the same request id when an answer is lost', async () => {
    let lost = 2;
    const daemon = fakeDaemon([TALK]);
    const { simulator, client, log } = call((sent) => {
      if (sent.uri.endsWith('/next') && lost-- > 0) throw new LostAnswer('timeout', true);
      return daemon(sent);
    });
    const report = await simulator.run();
    expect(report).to.include({ end: 'finish', actions: 2 });
    expect(log).to.deep.equal(['repeat', 'repeat', 'talk', 'finish']);
    const ids = client.sent.filter(({ uri }) => uri.endsWith('/next')).map(({ request_id }) => request_id);
    expect(ids).to.have.length(4);
    expect(ids[1]).to.equal(ids[0]);
    expect(ids[2]).to.equal(ids[0]);
    expect(ids[3]).not.to.equal(ids[0]);
  });

  it('fails after a minute and a half without an answer, and still tries to hang up', async () => {
    const { simulator, client } = call((sent) => {
      if (sent.uri.endsWith('/next')) throw new LostAnswer('timeout', true);
      return good(null);
    });
    const report = await simulator.run();
    expect(report.end).to.equal('failed');
    expect(report.error).to.be.instanceOf(LostAnswer);
    expect(client.requests.at(-1)).to.equal(STOP);
  });

  it('ends at an error answer, hung up', async () => {
    const error: RpcAnswer = { status_code: 503, data: { status: 'UNAVAILABLE', reason: 'SIBLING_SILENT', message: 'm' } };
    const daemon = fakeDaemon([]);
    const { simulator, client } = call((sent) => (sent.uri.endsWith('/next') ? error : daemon(sent)));
    const report = await simulator.run();
    expect(report).to.include({ end: 'failed', actions: 0 });
    expect(report.error).to.include({ status_code: 503, reason: 'SIBLING_SILENT' });
    expect(client.requests.at(-1)).to.equal(STOP);
  });

  it('has nothing to hang up when the call was refused, or reached nobody', async () => {
    const refused = call(() => ({ status_code: 404, data: null }));
    expect(await refused.simulator.run()).to.include({ end: 'failed' });
    expect(refused.client.requests).to.deep.equal(['POST /v1/activeflows']);
    const unreached = call(() => {
      throw new LostAnswer('refused', false);
    });
    expect(await unreached.simulator.run()).to.include({ end: 'failed' });
    expect(unreached.client.requests).to.deep.equal(['POST /v1/activeflows']);
  });

  it('hangs up when it cannot know whether the activeflow was made', async () => {
    const { simulator, client } = call(({ uri }) => {
      if (uri === '/v1/activeflows') throw new LostAnswer('timeout', true);
      return good(null);
    });
    expect(await simulator.run()).to.include({ end: 'failed' });
    expect(client.requests.at(-1)).to.equal(STOP);
  });

  it('fails when it cannot be hung up', async () => {
    const daemon = fakeDaemon([HANGUP]);
    const { simulator } = call((sent) => (sent.uri.endsWith('/stop') ? { status_code: 500, data: null } : daemon(sent)));
    const report = await simulator.run();
    expect(report).to.include({ end: 'hangup' });
    expect(report.error).to.include({ status_code: 500 });
  });

  it('is hung up when it is interrupted while a request is under way', async () => {
    const under = call(({ uri }) => {
      if (!uri.endsWith('/next')) return good(null);
      setImmediate(() => under.simulator.end('interrupted'));
      return new Promise(() => undefined);
    });
    expect(await under.simulator.run())
      .to.include({ end: 'interrupted' })
      .and.not.have.property('error');
    expect(under.client.requests.at(-1)).to.equal(STOP);
  });

  it('goes on to the next action when the running one is cut off', async () => {
    const { simulator, world, log } = call(fakeDaemon([BRIDGE, TALK]));
    const signals: AbortSignal[] = [];
    world.sleep = async (_ms, signal) => {
      if (signal === undefined) return;
      signals.push(signal);
      if (signals.length > 1) return;
      setImmediate(() => simulator.cutOff());
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    };
    expect(await simulator.run()).to.include({ end: 'finish' });
    expect(log).to.deep.equal(['confbridge_join', 'talk', 'finish']);
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([true, true]);
  });
});

describe('control: hanging up by event', () => {
  const CALL = { id: 'call-1', activeflow_id: 'af-1' };

  function hands(answer: Answerer) {
    const client = new FakeClient(answer);
    const published: OutgoingMessage[] = [];
    const declared: string[] = [];
    const bus = {
      declareExchange: async (exchange: string) => void declared.push(exchange),
      publish: async (messages: readonly OutgoingMessage[]) => void published.push(...messages),
    };
    const hangUp = hangUpByEvent(bus, { client, world: new FakeWorld(), onRepeat: () => undefined });
    return { client, published, declared, hangUp };
  }

  it('publishes call_hangup as call-manager does, and waits until the activeflow has ended', async () => {
    let asked = 0;
    const { hangUp, client, published, declared } = hands(() => good({ status: ++asked < 3 ? 'running' : 'ended' }));
    await hangUp(CALL);
    expect(declared).to.deep.equal(['bin-manager.call-manager.event']);
    expect(published).to.have.length(1);
    expect(published[0]).to.include({ exchange: 'bin-manager.call-manager.event', routing_key: 'call_hangup' });
    expect(JSON.parse(published[0]?.body ?? '')).to.deep.equal({
      type: 'call_hangup',
      publisher: 'call-manager',
      data_type: 'application/json',
      data: { ...CALL, status: 'hangup' },
    });
    expect(client.requests).to.deep.equal(Array(3).fill('GET /v1/activeflows/af-1'));
  });

  it('stops it by request when the event does not work', async () => {
    const { hangUp, client } = hands(() => good({ status: 'running' }));
    await hangUp(CALL);
    expect(client.requests.at(-1)).to.equal('POST /v1/activeflows/af-1/stop');
  });
});
