/**
 * Promise 1: kill -9 at any instant. A daemon kills itself at a named point, or is killed when the broker's traffic
 * shows that it is at one; a fresh one goes on. What callers repeat is answered, what nobody asks for comes to its
 * end by itself, and an oracle in the place of all siblings sees each effect exactly once.
 */
import { expect } from 'chai';
import { AmqpProxy, type Watch } from '../support/amqp-proxy.ts';
import type { Unit } from '../support/amqp-reader.ts';
import type { Daemon } from '../support/daemon.ts';
import { playOverDeath } from '../support/dying.ts';
import { onFaultStage } from '../support/fault-stage.ts';

/** Each is reached by the two journeys; see faults.ts for what the words mean. */
const POINTS = [
  'before flows.commit 1',
  'after flows.commit 1',
  'before lists.put 1',
  'after lists.put 1',
  'before activeflows.create 1',
  'after activeflows.create 2',
  'before activeflows.commit 1',
  'after activeflows.commit 1',
  'before activeflows.commit 3',
  'after activeflows.commit 3',
  'before activeflows.commit 8',
  'after activeflows.commit 8',
  'before bus.publish 1',
  'after bus.publish 1',
  'before bus.publish 5',
  'after bus.publish 5',
  'before bus.request 1',
  'after bus.request 1',
  'before bus.request 4',
  'after bus.request 4',
  'after handler 1',
  'after handler 5',
  'after activeflows.claimDue 1',
  'after activeflows.claimDue 2',
  'before activeflows.settled 1',
  'after activeflows.settled 1',
] as const;

const isAnswer = ({ from, kind, routing_key }: Unit): boolean =>
  from === 'client' && kind === 'publish' && routing_key.startsWith('amq.rabbitmq.reply-to');
const isAck = ({ from, kind }: Unit): boolean => from === 'client' && kind === 'ack';
const isConfirm = ({ from, kind }: Unit): boolean => from === 'broker' && kind === 'ack';
const isSiblingsAnswer = ({ from, kind, body }: Unit): boolean =>
  from === 'broker' && kind === 'deliver' && body.includes('"status_code"');

/** Points that no port knows of: what is on the wire tells. */
const ON_THE_WIRE: readonly (readonly [string, (unit: Unit) => boolean, 'cut before' | 'cut after', number])[] = [
  ['before an answer is sent', isAnswer, 'cut before', 3],
  ['after an answer was sent, before its request is acknowledged', isAnswer, 'cut after', 3],
  ['before a request is acknowledged', isAck, 'cut before', 4],
  ['after a request was acknowledged', isAck, 'cut after', 4],
  ['before the broker has confirmed a message', isConfirm, 'cut before', 2],
  ['before a sibling’s answer arrives', isSiblingsAnswer, 'cut before', 2],
];

onFaultStage(
  'a crash at',
  (get) => {
    let proxy: AmqpProxy;
    let daemon: Daemon;

    before(async function () {
      this.timeout(60_000);
      proxy = await AmqpProxy.to(get().servers.amqp);
      daemon = await get().runSpare({ rabbit_addr: proxy.url });
    });

    after(async () => {
      await proxy.close();
    });

    async function goesOnAfter(crash: () => void): Promise<void> {
      const stage = get();
      crash();
      await playOverDeath(
        daemon,
        async () => {
          await stage.journeys.prepare();
          await stage.journeys.both();
        },
        async () => {
          proxy.watch = () => 'pass';
          daemon = await stage.runSpare({ rabbit_addr: proxy.url });
        },
      );
    }

    for (const point of POINTS) {
      it(point, async function () {
        this.timeout(60_000);
        await goesOnAfter(() => daemon.tell(`crash ${point}`));
      });
    }

    for (const [point, is, cut, nth] of ON_THE_WIRE) {
      it(point, async function () {
        this.timeout(60_000);
        await goesOnAfter(() => {
          proxy.watch = onceAt(nth, is, cut, () => daemon.signal('SIGKILL'));
        });
      });
    }

    it('left nothing behind', async function () {
      this.timeout(60_000);
      await get().settled(40_000);
      expect(get().journeys.done).least(2 * (POINTS.length + ON_THE_WIRE.length));
    });
  },
  { lease_ms: 600 },
);

function onceAt(nth: number, is: (unit: Unit) => boolean, cut: 'cut before' | 'cut after', hit: () => void): Watch {
  let left = nth;
  return (unit) => {
    if (!is(unit)) return 'pass';
    left -= 1;
    if (left !== 0) return 'pass';
    hit();
    return cut;
  };
}
