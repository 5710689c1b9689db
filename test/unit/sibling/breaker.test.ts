import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { BusError, type SiblingRequest } from '../../../pkg/service/ports.ts';
import { BusSiblings } from '../../../pkg/sibling/index.ts';
import { FakeBus } from '../../support/fake-bus.ts';
import { RecordingLog, RecordingMeter } from '../../support/recorders.ts';

const OPEN_FOR_MS = 150;

function room() {
  const bus = new FakeBus();
  const meter = new RecordingMeter();
  const log = new RecordingLog();
  const breaker = { failures: 3, half_open_after_ms: OPEN_FOR_MS };
  const siblings = new BusSiblings({ bus, meter, log, breaker, lost_patience_ms: 0 });
  const states = () => meter.of('sibling_breaker_state').map(({ value }) => value);
  const ask = (to = 'call'): Promise<string> => {
    const request: SiblingRequest = { to, method: 'GET', uri: '/v1/x', request_id: 'r', timeout_ms: 3_000 };
    return siblings.request(request).then(
      () => 'ok',
      (error: { reason: string }) => error.reason,
    );
  };
  const be = (code: BusError['code'] | 'ok' | 'failing') => {
    bus.answer = () => {
      if (code === 'ok') return { status_code: 200 };
      if (code === 'failing') return { status_code: 500 };
      throw new BusError(code, code);
    };
  };
  return { bus, meter, log, ask, be, states };
}

async function times(count: number, ask: () => Promise<string>): Promise<string[]> {
  const reasons: string[] = [];
  for (let at = 0; at < count; at++) reasons.push(await ask());
  return reasons;
}

describe('the breaker of a sibling', () => {
  it('opens after so many silences in a row and then fails at once, without asking', async () => {
    const { bus, ask, be, states, log } = room();
    be('timeout');
    expect(await times(5, ask)).to.deep.equal([
      ...Array.from({ length: 3 }, () => 'SIBLING_TIMEOUT'),
      'SIBLING_BREAKER_OPEN',
      'SIBLING_BREAKER_OPEN',
    ]);
    expect(bus.asked).to.have.length(3);
    expect(states()).to.deep.equal([0, 2]);
    expect(log.lines).to.have.length(1);
    expect(log.lines[0]).to.match(/^warn .*"call"/);
  });

  it('counts unreachable like silent, and only what is in a row', async () => {
    const { ask, be, states } = room();
    be('unroutable');
    await times(2, ask);
    be('ok');
    await ask();
    be('timeout');
    await times(2, ask);
    expect(states()).to.deep.equal([0]);
    be('unroutable');
    expect(await times(2, ask)).to.deep.equal(['SIBLING_UNREACHABLE', 'SIBLING_BREAKER_OPEN']);
  });

  it('never opens for an answered error, which even ends a row of silences, nor for a lost connection of our own', async () => {
    const { ask, be, states } = room();
    for (const code of ['failing', 'closed'] as const) {
      be(code);
      await times(10, ask);
    }
    for (let round = 0; round < 4; round++) {
      be('timeout');
      await times(2, ask);
      be('failing');
      await ask();
    }
    expect(states()).to.deep.equal([0]);
  });

  it('keeps siblings apart', async () => {
    const { ask, be } = room();
    be('timeout');
    await times(4, ask);
    be('ok');
    expect(await ask('queue')).to.equal('ok');
    expect(await ask('call')).to.equal('SIBLING_BREAKER_OPEN');
  });

  it('lets one request try after a while; meanwhile the others fail at once; its success closes it', async () => {
    const { bus, ask, be, states } = room();
    be('timeout');
    await times(3, ask);
    await pause(OPEN_FOR_MS + 5);
    let answer = (_: unknown): void => undefined;
    bus.answer = () => new Promise((done) => (answer = done));
    const trying = ask();
    expect(await ask()).to.equal('SIBLING_BREAKER_OPEN');
    expect(states()).to.deep.equal([0, 2, 1]);
    answer({ status_code: 500 });
    expect(await trying).to.equal('SIBLING_FAILED');
    be('ok');
    expect(await times(2, ask)).to.deep.equal(['ok', 'ok']);
    expect(states()).to.deep.equal([0, 2, 1, 0]);
  });

  it('opens again when the one that tries meets silence', async () => {
    const { ask, be, states } = room();
    be('timeout');
    await times(3, ask);
    await pause(OPEN_FOR_MS + 5);
    expect(await times(2, ask)).to.deep.equal(['SIBLING_TIMEOUT', 'SIBLING_BREAKER_OPEN']);
    expect(states()).to.deep.equal([0, 2, 1, 2]);
  });

  it('tells from the metrics what was not sent, and gives it no time', async () => {
    const { meter, ask, be } = room();
    be('timeout');
    await times(4, ask);
    const outcomes = meter.of('sibling_request_total').map(({ labels }) => labels.outcome);
    expect(outcomes).to.deep.equal(['silent', 'silent', 'silent', 'refused']);
    expect(meter.of('sibling_request_time')).to.have.length(3);
  });
});
