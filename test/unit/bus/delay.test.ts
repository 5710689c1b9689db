import type { Channel, ChannelModel } from 'amqplib';
import { expect } from 'chai';
import { DelayExchange, type DelayMode, decide } from '../../../pkg/bus/amqp/delay.ts';
import { Topology } from '../../../pkg/bus/amqp/topology.ts';
import { QuietLog } from '../../support/quiet_log.ts';

function amqpError(code: number, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** A connection that writes down what is done on its channels; `refuse` makes a call fail. */
function fakeModel(refuse: (call: string) => Error | undefined = () => undefined) {
  const calls: string[] = [];
  const act =
    (name: string) =>
    async (...args: unknown[]) => {
      const call = [name, ...args.filter((arg) => typeof arg === 'string')].join(' ');
      calls.push(call);
      const error = refuse(call);
      if (error) throw error;
      return {};
    };
  const channel = {
    once: () => channel,
    on: () => channel,
    close: async () => {},
    checkExchange: act('checkExchange'),
    assertExchange: act('assertExchange'),
    checkQueue: act('checkQueue'),
    assertQueue: act('assertQueue'),
    bindQueue: act('bindQueue'),
  };
  const model = { createChannel: async () => channel as unknown as Channel } as unknown as ChannelModel;
  return { model, calls };
}

function make(modes: DelayMode[]) {
  let probes = 0;
  const exchange = new DelayExchange('bin-manager.delay', new Topology(new QuietLog()), async () => {
    const mode = modes[probes++];
    if (!mode) throw new Error('the broker is away');
    return mode;
  });
  return { exchange, probes: () => probes };
}

describe('delay exchange', () => {
  describe('with the plugin', () => {
    it('binds each target queue once a connection, and never declares it', async () => {
      const { exchange, probes } = make(['delayed']);
      const first = fakeModel();
      await exchange.route(first.model, 'a');
      await exchange.route(first.model, 'a');
      await exchange.route(first.model, 'b');
      expect(first.calls).to.deep.equal([
        'checkExchange bin-manager.delay',
        'bindQueue a bin-manager.delay a',
        'bindQueue b bin-manager.delay b',
      ]);
      const second = fakeModel();
      await exchange.route(second.model, 'a');
      expect(second.calls).to.deep.equal(['checkExchange bin-manager.delay', 'bindQueue a bin-manager.delay a']);
      expect(probes()).to.equal(1);
    });

    it('probes again, which declares it, where the broker was replaced', async () => {
      const { exchange, probes } = make(['delayed', 'delayed']);
      const { model } = fakeModel((call) => (call.startsWith('checkExchange') ? amqpError(404, 'no exchange') : undefined));
      await exchange.declare(model);
      expect(probes()).to.equal(2);
    });

    it('tries a binding again that failed, for a queue that is made later', async () => {
      const { exchange } = make(['delayed']);
      let there = false;
      const { model, calls } = fakeModel((call) =>
        call.startsWith('bindQueue') && !there ? amqpError(404, 'no queue') : undefined,
      );
      const error = await exchange.route(model, 'a').catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(Error);
      there = true;
      await exchange.route(model, 'a');
      expect(calls.filter((call) => call.startsWith('bindQueue'))).to.have.lengthOf(2);
    });
  });

  describe('without the plugin', () => {
    it('brings everything to the stand-in queue', async () => {
      const { exchange } = make(['stored']);
      const { model, calls } = fakeModel();
      await exchange.route(model, 'a');
      expect(calls).to.deep.equal([
        'assertExchange bin-manager.delay topic',
        'assertQueue bin-manager.delay.stored',
        'bindQueue bin-manager.delay.stored bin-manager.delay #',
        'bindQueue bin-manager.delay.stored bin-manager.delay a',
      ]);
    });
  });

  it('is probed again after a probe that failed, and not twice at a time', async () => {
    const { exchange, probes } = make([]);
    const outcomes = await Promise.allSettled([exchange.mode(), exchange.mode()]);
    expect(outcomes.map((outcome) => outcome.status)).to.deep.equal(['rejected', 'rejected']);
    expect(probes()).to.equal(1);
    await Promise.allSettled([exchange.mode()]);
    expect(probes()).to.equal(2);
  });

  describe('probe', () => {
    const other = amqpError(406, "inequivalent arg 'x-delayed-type' for exchange 'd': received 'direct' but current is 'topic'");
    const topic = amqpError(406, "inequivalent arg 'type' for exchange 'd': received 'x-delayed-message' but current is 'topic'");
    const cases: [string, Error | undefined, Error | undefined, DelayMode | 'throws'][] = [
      ['declared', undefined, undefined, 'delayed'],
      ['unknown type closes the connection', new Error('Channel ended'), amqpError(503, 'unknown exchange type'), 'stored'],
      ['exists and delays, made otherwise', other, undefined, 'delayed'],
      ['exists and is a topic exchange', topic, undefined, 'stored'],
      ['not allowed', amqpError(403, 'access refused'), undefined, 'throws'],
      ['connection lost', new Error('Channel ended'), new Error('ECONNRESET'), 'throws'],
    ];
    for (const [what, refused, closedBy, expected] of cases) {
      it(`${what}: ${expected}`, async () => {
        const declare = async () => {
          if (refused) throw refused;
        };
        const outcome = await decide(declare, () => closedBy).catch(() => 'throws');
        expect(outcome).to.equal(expected);
      });
    }
  });
});
