import { expect } from 'chai';
import { Redeliveries } from '../../../pkg/rpc/redelivery.ts';
import type { Delivery, Verdict } from '../../../pkg/service/ports.ts';
import { QuietLog } from '../../support/quiet_log.ts';

const DONE: Verdict = { kind: 'done' };
const MAX = 2;

function again(text: string): Delivery {
  return {
    body: Buffer.from(text),
    reply_to: '',
    correlation_id: '',
    message_id: '',
    redelivered: true,
    headers: {},
    routing_key: 'q',
  };
}

/** What has been counted outlives the process. */
class Counts {
  readonly #seen = new Map<string, number>();
  /** As the message is called, for the tests. */
  readonly all = this.#seen;

  first = async (id: string): Promise<boolean> => {
    if (this.#seen.has(id)) return false;
    this.#seen.set(id, 1);
    return true;
  };

  count = async (id: string): Promise<number> => {
    if (await this.first(id)) return 1;
    const seen = (this.#seen.get(id) ?? 0) + 1;
    this.#seen.set(id, seen);
    return seen;
  };
}

const aside = (reason: string): Verdict => ({ kind: 'dead', reason });
const forEver = new Promise<Verdict>(() => undefined);

async function turnsOfTheLoop(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('redeliveries', () => {
  let store: Counts;
  const process = (patience_ms = 60_000) => new Redeliveries({ store, max: MAX, log: new QuietLog(), patience_ms });

  beforeEach(() => {
    store = new Counts();
  });

  it('are none of messages that come for the first time', async () => {
    expect(await process().run({ ...again('a'), redelivered: false }, async () => DONE, aside)).to.equal(DONE);
    expect(store.all.size).to.equal(0);
  });

  it('set aside what ends each process that works on it, and nothing that comes with it', async () => {
    const innocent = ['one before', 'one behind', 'and another'];
    const finished = new Set<string>();
    const verdicts = new Map<string, Verdict>();
    for (let life = 0; life < 10; life += 1) {
      const redeliveries = process();
      let alive = true;
      const work = (text: string) => async (): Promise<Verdict> => {
        if (text === 'poison') alive = false;
        // What had begun is lost with the process, unless it had come to its end before.
        await Promise.resolve();
        if (!alive) return forEver;
        finished.add(text);
        return DONE;
      };
      const line = ['one before', 'poison', 'one behind', 'and another'].filter((text) => !verdicts.has(text));
      for (const text of line) {
        void redeliveries.run(again(text), work(text), aside).then((verdict) => verdicts.set(text, verdict));
      }
      await turnsOfTheLoop();
    }
    expect(verdicts.get('poison')).to.deep.equal({
      kind: 'dead',
      reason: `delivered again ${MAX + 1} times, and never worked on to its end`,
    });
    expect([...finished]).to.have.members(innocent);
  });

  it('come for a second time one after another, and who takes long lets the next one begin', async () => {
    for (const text of ['slow', 'next']) await process().run(again(text), async () => DONE, aside);
    const redeliveries = process(20);
    const begun: string[] = [];
    const work = (text: string, end: Promise<Verdict>) => async () => {
      begun.push(text);
      return end;
    };
    void redeliveries.run(again('slow'), work('slow', forEver), aside);
    const next = redeliveries.run(again('next'), work('next', Promise.resolve(DONE)), aside);
    await turnsOfTheLoop();
    expect(begun).to.deep.equal(['slow']);
    expect(await next).to.equal(DONE);
    expect(begun).to.deep.equal(['slow', 'next']);
  });

  it('that cannot be counted are worked on', async () => {
    const away = async (): Promise<never> => {
      throw new Error('away');
    };
    const log = new QuietLog();
    const redeliveries = new Redeliveries({ store: { first: away, count: away }, max: MAX, log });
    expect(await redeliveries.run(again('a'), async () => DONE, aside)).to.equal(DONE);
  });
});
