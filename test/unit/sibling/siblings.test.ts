import { expect } from 'chai';
import { FlowError } from '../../../pkg/error/index.ts';
import { BusError, type SiblingRequest } from '../../../pkg/service/ports.ts';
import { BusSiblings } from '../../../pkg/sibling/index.ts';
import { resourceOf } from '../../../pkg/sibling/resource.ts';
import { FakeBus } from '../../support/fake-bus.ts';
import { RecordingLog, RecordingMeter } from '../../support/recorders.ts';

const REQUEST: SiblingRequest = {
  to: 'call',
  method: 'POST',
  uri: '/v1/calls/0d5b2f5e-9a3c-4a51-8c0e-0c6f5a3f9b11/digits?secret=1',
  data: { a: [1, null] },
  request_id: 'request-1',
  timeout_ms: 3_000,
};

function room(patience_ms = 0) {
  const bus = new FakeBus();
  const meter = new RecordingMeter();
  const log = new RecordingLog();
  const siblings = new BusSiblings({
    bus,
    meter,
    log,
    breaker: { failures: 3, half_open_after_ms: 20 },
    lost_patience_ms: patience_ms,
  });
  const outcomes = () => meter.of('sibling_request_total').map(({ labels }) => labels.outcome);
  return { bus, meter, log, siblings, outcomes };
}

async function failureOf(work: Promise<unknown>): Promise<FlowError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FlowError)) throw new Error(`expected a FlowError, got ${String(error)}`);
  return error;
}

describe('BusSiblings.request', () => {
  it('sends the envelope to the sibling’s queue, with the request id as message id', async () => {
    const { bus, siblings } = room();
    await siblings.request(REQUEST);
    expect(bus.asked).to.deep.equal([
      {
        queue: 'bin-manager.call-manager.request',
        timeout_ms: 3_000,
        message_id: 'request-1',
        body: {
          uri: REQUEST.uri,
          method: 'POST',
          data_type: 'application/json',
          data: { a: [1, null] },
          publisher: 'flow-manager',
          request_id: 'request-1',
        },
      },
    ]);
  });

  it('sends no data where there is none', async () => {
    const { bus, siblings } = room();
    const { data: _, ...bare } = REQUEST;
    await siblings.request(bare);
    expect(bus.asked[0]?.body).to.not.have.property('data');
  });

  it('gives the data of any 2xx, parsed when it came as text', async () => {
    const { bus, siblings, outcomes } = room();
    const cases: readonly (readonly [unknown, unknown])[] = [
      [{ status_code: 200, data: { id: 1 } }, { id: 1 }],
      [{ status_code: 202, data: '{"id":1}' }, { id: 1 }],
      [{ status_code: 200, data: 'ok' }, 'ok'],
      [{ status_code: 200, data: '' }, null],
      [{ status_code: 299 }, null],
      [{ status_code: 200, data: null }, null],
      [{ status_code: 200, data: [] }, []],
    ];
    for (const [answer, data] of cases) {
      bus.answer = () => answer;
      expect(await siblings.request(REQUEST)).to.deep.equal(data);
    }
    expect(new Set(outcomes())).to.deep.equal(new Set(['ok']));
  });

  it('turns a sibling’s error into 503 and keeps what it said', async () => {
    const { bus, siblings, outcomes } = room();
    const said = { status: 'NOT_FOUND', reason: 'CALL_NOT_FOUND', domain: 'call-manager', message: 'no such call' };
    for (const data of [said, JSON.stringify(said)]) {
      bus.answer = () => ({ status_code: 404, data_type: 'voipbin_error', data });
      const error = await failureOf(siblings.request(REQUEST));
      expect(error).to.include({ status: 'UNAVAILABLE', reason: 'SIBLING_FAILED', code: 503 });
      expect(error.message).to.contain('call-manager').and.to.contain('404 NOT_FOUND CALL_NOT_FOUND: no such call');
      expect(error.message).to.not.contain('secret');
      expect(error.details[0]?.value).to.deep.equal({
        sibling: 'call',
        status_code: 404,
        status: 'NOT_FOUND',
        reason: 'CALL_NOT_FOUND',
        message: 'no such call',
      });
    }
    expect(outcomes()).to.deep.equal(['failed', 'failed']);
  });

  it('takes any other answer than 2xx for a failure, and believes its body only when it is marked', async () => {
    const { bus, siblings } = room();
    for (const status_code of [100, 302, 400, 500, 503]) {
      bus.answer = () => ({ status_code, data_type: 'application/json', data: { reason: 'TRUST_ME' } });
      const error = await failureOf(siblings.request(REQUEST));
      expect(error).to.include({ status: 'UNAVAILABLE', reason: 'SIBLING_FAILED' });
      expect(error.message).to.contain(String(status_code)).and.to.not.contain('TRUST_ME');
    }
  });

  it('says so when the answer is no JSON or no envelope', async () => {
    const { bus, siblings, outcomes } = room();
    const nonsense = ['', 'hello', 'null', '[]', '{}', '{"status_code":"200"}', '{"status_code":0}', '{"status_code":2e9}'];
    for (const text of nonsense) {
      bus.answer = () => text;
      const error = await failureOf(siblings.request(REQUEST));
      expect(error, text).to.include({ status: 'UNAVAILABLE', reason: 'SIBLING_ANSWER_INVALID' });
      expect(error.message).to.contain('call-manager').and.to.contain('envelope');
    }
    expect(outcomes()).to.have.length(nonsense.length);
  });

  it('names the sibling and the time when it is silent, and the queue when there is none', async () => {
    const { bus, siblings, outcomes } = room();
    bus.answer = () => {
      throw new BusError('timeout', 'late');
    };
    const silent = await failureOf(siblings.request(REQUEST));
    expect(silent).to.include({ status: 'UNAVAILABLE', reason: 'SIBLING_TIMEOUT' });
    expect(silent.message).to.contain('call-manager').and.to.contain('3000 ms');
    bus.answer = () => {
      throw new BusError('unroutable', 'returned');
    };
    const nowhere = await failureOf(siblings.request(REQUEST));
    expect(nowhere).to.include({ status: 'UNAVAILABLE', reason: 'SIBLING_UNREACHABLE' });
    expect(nowhere.message).to.contain('bin-manager.call-manager.request');
    bus.answer = () => {
      throw new BusError('closed', 'connection lost');
    };
    const closed = await failureOf(siblings.request(REQUEST));
    expect(closed).to.include({ status: 'UNAVAILABLE', reason: 'BUS_CLOSED' });
    expect(outcomes()).to.deep.equal(['silent', 'unroutable', 'closed']);
  });

  it('asks again with the same request id when the connection was lost under it', async () => {
    const { bus, siblings, outcomes } = room(5_000);
    const answer = bus.answer;
    bus.answer = () => {
      bus.answer = answer;
      throw new BusError('closed', 'connection lost');
    };
    await siblings.request(REQUEST);
    expect(bus.asked).to.have.length(2);
    expect(bus.asked[1]).to.deep.equal(bus.asked[0]).and.to.include({ message_id: 'request-1' });
    expect(outcomes()).to.deep.equal(['ok']);
  });

  it('lets a fault of the program through as it is', async () => {
    const { bus, siblings } = room();
    bus.answer = () => {
      throw new TypeError('not a function');
    };
    const thrown = await siblings.request(REQUEST).catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(TypeError);
  });

  it('measures the time by sibling and by resource, without ids', async () => {
    const { meter, siblings } = room();
    await siblings.request(REQUEST);
    expect(meter.of('sibling_request_time')[0]?.labels).to.deep.equal({ sibling: 'call-manager' });
    const labels = { target: 'call-manager', resource: '/v1/calls/{id}/digits', method: 'POST' };
    expect(meter.of('request_process_time')[0]?.labels).to.deep.equal(labels);
  });
});

describe('BusSiblings.send', () => {
  it('publishes the same envelope with a long life, and waits for the broker only', async () => {
    const { bus, siblings, outcomes } = room();
    await siblings.send(REQUEST);
    await siblings.send({ ...REQUEST, timeout_ms: 90_000 });
    expect(bus.asked).to.deep.equal([]);
    expect(bus.published.map(({ expiration_ms }) => expiration_ms)).to.deep.equal([60_000, 90_000]);
    const [message] = bus.published;
    expect(message).to.include({ exchange: '', routing_key: 'bin-manager.call-manager.request', message_id: 'request-1' });
    expect(JSON.parse(message?.body ?? '')).to.include({ uri: REQUEST.uri, request_id: 'request-1' });
    expect(outcomes()).to.deep.equal(['ok', 'ok']);
  });

  it('fails when the broker cannot take it', async () => {
    const { bus, siblings } = room();
    bus.publishFails = new BusError('closed', 'connection lost');
    expect(await failureOf(siblings.send(REQUEST))).to.include({ status: 'UNAVAILABLE', reason: 'BUS_CLOSED' });
  });
});

describe('resourceOf', () => {
  it('keeps words and nothing else', () => {
    expect(resourceOf('/v1/services/type/queuecall?x=1')).to.equal('/v1/services/type/queuecall');
    expect(resourceOf('/v1/calls/7/action-next')).to.equal('/v1/calls/{id}/action-next');
    expect(resourceOf('/v1/agents/Bob/dial')).to.equal('/v1/agents/{id}/dial');
    expect(resourceOf('/v1/webhook_destinations')).to.equal('/v1/webhook_destinations');
  });
});
