import { expect } from 'chai';
import { serveCall } from '../../../cmd/control/callservice.ts';
import { hangUpByRequest } from '../../../cmd/control/hangup.ts';
import { answerAsSibling, SIBLINGS, siblingQueue } from '../../../cmd/control/sandbox.ts';
import { exchangeLine } from '../../../cmd/control/sandbox-command.ts';
import { type Exchange, serveSiblings } from '../../../cmd/control/sandbox-serve.ts';
import { CallSimulator } from '../../../cmd/control/simulator.ts';
import { MemoryBus } from '../../../pkg/bus/index.ts';
import { isJsonObject, type Json } from '../../../pkg/model/json.ts';
import { BusError } from '../../../pkg/service/ports.ts';
import { control, FakeClient, FakeTerminal, FakeWorld, fakeDaemon } from './support.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function counted(): () => string {
  let n = 0;
  return () => {
    n += 1;
    return `new-${n}`;
  };
}

const answer = (name: string, method: string, uri: string, data?: Json) =>
  answerAsSibling(name, { method, uri, data }, counted());

describe('control: sandbox answers', () => {
  const cases: readonly [string, string, string, Json | undefined, Json][] = [
    ['direct', 'POST', '/v1/directs', undefined, { id: 'new-1', hash: 'direct.new2' }],
    ['direct', 'POST', '/v1/directs/d/regenerate', undefined, { id: 'new-1', hash: 'direct.new2' }],
    ['call', 'GET', '/v1/calls/c/digits', undefined, { digits: '' }],
    ['call', 'POST', '/v1/confbridges', { type: 'connect' }, { id: 'new-1', type: 'connect', status: 'progressing' }],
    [
      'conference',
      'POST',
      '/v1/services/type/conferencecall',
      undefined,
      {
        id: 'new-1',
        type: 'conferencecall',
        status: 'joining',
        push_actions: [{ id: 'new-2', type: 'confbridge_join', option: { confbridge_id: 'new-3' } }],
      },
    ],
    ['ai', 'POST', '/v1/services/type/summary', undefined, { id: 'new-1', type: 'summary', push_actions: [] }],
    ['queue', 'POST', '/v1/queuecalls/q/status_waiting', undefined, { id: 'q', status: 'waiting' }],
    [
      'message',
      'POST',
      '/v1/messages',
      { destinations: [{ target: '+1' }] },
      { id: 'new-1', status: 'sent', targets: [{ target: '+1' }] },
    ],
    ['webhook', 'POST', '/v1/webhooks', { data: {} }, {}],
    ['billing', 'GET', '/v1/anything?x=1', undefined, { id: 'new-1' }],
    ['queue', 'POST', '/v1/calls', undefined, { id: 'new-1' }],
  ];
  for (const [name, method, uri, data, want] of cases) {
    it(`${name}: ${method} ${uri}`, () => {
      expect(answer(name, method, uri, data)).to.deep.equal({ status_code: 200, data_type: 'application/json', data: want });
    });
  }

  it('call: makes one call for each destination, with ids of their own', () => {
    const { data } = answer('call', 'POST', '/v1/calls', { destinations: [{}, {}] });
    expect(data).to.have.nested.property('calls[0].id', 'new-1');
    expect(data).to.have.nested.property('calls[1].id', 'new-2');
    expect(data).to.have.deep.property('groupcalls', []);
    expect(answer('call', 'POST', '/v1/calls').data).to.deep.equal({ calls: [], groupcalls: [] });
  });

  it('call: shows one in progress, with both ends', () => {
    const { data } = answer('call', 'GET', '/v1/calls/c-1');
    expect(data).to.deep.include({ id: 'c-1', status: 'progressing', direction: 'incoming', recording_ids: [] });
    expect(data).to.have.nested.property('source.type', 'tel');
  });

  it('queue: a waiting line is an announcement and a bridge, with real ids', () => {
    const { data } = answerAsSibling('queue', { method: 'POST', uri: '/v1/services/type/queuecall' });
    expect(data).to.have.nested.property('push_actions[0].type', 'talk');
    expect(data).to.have.nested.property('push_actions[1].type', 'confbridge_join');
    expect(data).to.have.nested.property('push_actions[1].option.confbridge_id').that.matches(UUID);
    expect(isJsonObject(data) && data.id).to.match(UUID);
  });
});

describe('control: serving as siblings', () => {
  let bus: MemoryBus;
  let exchanges: Exchange[];
  beforeEach(() => {
    bus = new MemoryBus({ log: SILENT });
    exchanges = [];
  });
  afterEach(() => bus.close());

  const request = async (name: string, envelope: Json | string): Promise<Json> => {
    const body = typeof envelope === 'string' ? envelope : JSON.stringify(envelope);
    const answered = await bus.request(siblingQueue(name), body, { timeout_ms: 1000, message_id: 'm' });
    return JSON.parse(Buffer.from(answered).toString()) as Json;
  };

  it('answers on every queue until it is closed', async () => {
    const serving = await serveSiblings(bus, SIBLINGS, (exchange) => exchanges.push(exchange));
    for (const name of SIBLINGS) {
      expect(await request(name, { method: 'GET', uri: '/v1/x' })).to.include({ status_code: 200 });
    }
    expect(exchanges.map(({ to }) => to)).to.deep.equal([...SIBLINGS]);
    await serving.close();
    const error = await request('call', { method: 'GET', uri: '/v1/x' }).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'unroutable' });
  });

  it('answers a repeat by request id as before, and marks it', async () => {
    await serveSiblings(bus, ['message', 'email'], (exchange) => exchanges.push(exchange));
    const envelope = { method: 'POST', uri: '/v1/messages', request_id: 'r' };
    const first = await request('message', envelope);
    expect(await request('message', envelope)).to.deep.equal(first);
    expect(await request('message', { ...envelope, request_id: 'other' })).not.to.deep.equal(first);
    expect(await request('email', envelope)).not.to.deep.equal(first);
    expect(exchanges.map(({ repeat }) => repeat)).to.deep.equal([false, true, false, false]);
  });

  it('reads data that is JSON in a string, and survives what is no envelope', async () => {
    await serveSiblings(bus, ['message'], (exchange) => exchanges.push(exchange));
    await request('message', { method: 'POST', uri: '/v1/messages', data: '{"text":"hi"}' });
    await request('message', 'not json');
    expect(exchanges[0]?.request.data).to.deep.equal({ text: 'hi' });
    expect(exchanges[1]?.request).to.deep.include({ method: '?', uri: 'not json' });
  });

  it('shows a line for each, a webhook by what it tells of', () => {
    const exchange: Exchange = {
      to: 'webhook',
      request: {
        method: 'POST',
        uri: '/v1/webhooks',
        data: { customer_id: 'c', data: { type: 'activeflow_created', data: { id: 'a' } } },
      },
      response: { status_code: 200, data_type: 'application/json', data: {} },
      repeat: false,
      duration_ms: 3,
    };
    const at = new Date('2026-01-02T03:04:05.678Z');
    expect(exchangeLine({ terminal: new FakeTerminal() }, exchange, at)).to.equal(
      '03:04:05.678  webhook       POST /v1/webhooks  200  3 ms  activeflow_created {"id":"a"}',
    );
    const narrow = exchangeLine({ terminal: new FakeTerminal(70) }, { ...exchange, repeat: true }, at);
    expect(narrow).to.equal('03:04:05.678  webhook       POST /v1/webhooks  200  3 ms  (a repeat)');
  });

  describe('for a call of its own', () => {
    function call(): CallSimulator {
      const client = new FakeClient(fakeDaemon([{ id: 'd', type: 'digits_receive' }]));
      const world = new FakeWorld();
      const witness = { began() {}, handed() {}, pressed() {}, repeated() {} };
      const plan = { flow_id: 'f', digits: ['4'], speed: 1, variables: {}, from: '', to: '' };
      return new CallSimulator(client, plan, world, witness, hangUpByRequest({ client, world, onRepeat: () => undefined }));
    }
    const read = async (uri: string, method = 'GET') => {
      const response = await request('call', { method, uri });
      return isJsonObject(response) ? response.data : undefined;
    };

    it('tells the state of the call and its digits, and answers for others as the sandbox', async () => {
      const simulator = call();
      const serving = await serveCall(bus, simulator, (exchange) => exchanges.push(exchange));
      expect(serving).not.to.equal(undefined);
      expect(await read(`/v1/calls/${simulator.id}`)).to.include({
        id: simulator.id,
        status: 'ringing',
        activeflow_id: simulator.activeflow_id,
      });
      await simulator.run();
      expect(await read(`/v1/calls/${simulator.id}/digits`)).to.deep.equal({ digits: '4' });
      expect(await read(`/v1/calls/${simulator.id}`)).to.include({ status: 'hangup' });
      expect(await read('/v1/calls/other')).to.include({ id: 'other', status: 'progressing' });
      await serving?.close();
    });

    it('cuts the running action off at action-next', async () => {
      const simulator = call();
      await serveCall(bus, simulator, () => undefined);
      let cut = 0;
      simulator.cutOff = () => {
        cut += 1;
      };
      await read(`/v1/calls/${simulator.id}/action-next`, 'POST');
      expect(cut).to.equal(1);
    });

    it('leaves it to whoever serves call-manager already', async () => {
      await serveSiblings(
        bus,
        ['call'],
        (exchange) => exchanges.push(exchange),
        () => ({ status_code: 404, data_type: '', data: null }),
      );
      expect(await serveCall(bus, call(), () => undefined)).to.equal(undefined);
    });

    it('does not take the place of a call-manager that is merely slow', async () => {
      const timeout = new BusError('timeout', 'no answer');
      const slow = { serve: bus.serve.bind(bus), request: () => Promise.reject(timeout) };
      expect(await serveCall(slow, call(), () => undefined)).to.equal(undefined);
    });
  });
});

describe('control: call over a bus', () => {
  it('hangs up by event and serves call-manager meanwhile', async () => {
    const bus = new MemoryBus({ log: SILENT });
    const event = new Promise<string>((resolve) => {
      void bus.serve(
        'ears',
        async (delivery) => {
          resolve(Buffer.from(delivery.body).toString());
          return { kind: 'done' };
        },
        { prefetch: 1, bind: ['bin-manager.call-manager.event'] },
      );
    });
    const { code, out } = await control(['call', '--flow', 'f', '--speed', 'max'], fakeDaemon([{ id: 'h', type: 'hangup' }]), {
      bus,
    });
    expect(code).to.equal(0);
    expect(out).to.contain('nobody serves call-manager');
    expect(JSON.parse(await event)).to.include({ type: 'call_hangup' });
    const silent = await control(['call', '--flow', 'f', '--no-serve'], fakeDaemon([]), { bus });
    expect(silent.out).not.to.contain('nobody serves');
    await bus.close();
  });
});
