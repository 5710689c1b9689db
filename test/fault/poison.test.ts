/**
 * Promise 9: a message that no process outlives is set aside after so many tries, with its reason, and whoever asks
 * for something else meanwhile gets it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import { expect } from 'chai';
import { ASIDE, deadLetterQueue } from '../../pkg/bus/dead_letter.ts';
import { CUSTOMER } from '../support/caller.ts';
import { onFaultStage } from '../support/fault-stage.ts';
import { Load } from '../support/load.ts';

const POISON = 'a flow that kills whoever stores it';
const TRIES = 3;

onFaultStage(
  'a poison message',
  (get) => {
    it('is set aside after so many tries, alone, and its neighbours do not suffer', async function () {
      this.timeout(120_000);
      const stage = get();
      const model = await connect(stage.servers.amqp);
      const channel = await model.createChannel();
      const daemon = await stage.runSpare();
      let last = daemon;
      last.tell(`poison ${POISON}`);
      await stage.journeys.prepare();
      const load = Load.start(3, () => stage.journeys.both());
      const data = { customer_id: CUSTOMER, name: POISON, actions: [] };
      const poison = { uri: '/v1/flows', method: 'POST', data_type: 'application/json', data };
      channel.sendToQueue(stage.requests, Buffer.from(JSON.stringify(poison)), { persistent: true, messageId: 'poison' });

      // The first time, and as often as it may come again.
      for (let kills = 0; kills <= TRIES; kills += 1) {
        const { signal } = await last.exited;
        expect(signal).equal('SIGKILL');
        last = stage.startSpare(`poison ${POISON}`);
      }
      const aside = deadLetterQueue(stage.requests);
      const end = performance.now() + 30_000;
      while ((await channel.checkQueue(aside)).messageCount === 0 && performance.now() < end) await sleep(50);
      const rounds = await load.stop();
      await stage.settled();

      const letter = await channel.get(aside);
      if (!letter) throw new Error('nothing was set aside');
      expect(JSON.parse(letter.content.toString())).deep.equal(poison);
      expect(letter.properties.headers?.[ASIDE.reason]).match(new RegExp(`delivered again ${TRIES + 1} times`));
      expect(await channel.get(aside), 'another one').equal(false);
      expect(rounds, 'journeys meanwhile').least(1);
      console.log(`    ${TRIES + 1} daemons killed, ${stage.journeys.done} activeflows meanwhile`);
      await model.close();
    });
  },
  { max_redeliveries: TRIES },
);
