import { expect } from 'chai';
import type { DeadLetterDesk } from '../../../cmd/control/context.ts';
import type { DeadLetter } from '../../../pkg/bus/index.ts';
import { control, good } from './support.ts';

function letter(id: string, changes: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id,
    queue: 'q',
    reason: 'not JSON',
    time: '2026-11-21T08:45:10.947Z',
    retries: 0,
    routing_key: 'q',
    message_id: `m-${id}`,
    correlation_id: '',
    reply_to: '',
    content_type: 'application/json',
    headers: {},
    body: Buffer.from('{}'),
    ...changes,
  };
}

class FakeDesk implements DeadLetterDesk {
  readonly letters: DeadLetter[];
  readonly retried: string[] = [];
  readonly asked: string[] = [];
  closed = 0;

  constructor(letters: DeadLetter[]) {
    this.letters = letters;
  }

  async each(queue: string, look: (one: DeadLetter) => boolean): Promise<void> {
    this.asked.push(queue);
    for (const one of this.letters.filter((some) => some.queue === queue)) if (!look(one)) return;
  }
  async retry(queue: string, wanted: (one: DeadLetter) => boolean) {
    const chosen = this.letters.filter((some) => some.queue === queue && wanted(some)).map(({ id }) => id);
    const failed = chosen.filter((id) => id.startsWith('bad')).map((id) => ({ id, reason: `there is no queue ${queue}` }));
    const retried = chosen.filter((id) => !id.startsWith('bad'));
    this.retried.push(...retried);
    return { retried, failed };
  }
  async close(): Promise<void> {
    this.closed += 1;
  }
}

async function run(desk: FakeDesk, ...argv: string[]) {
  const ran = await control(['dead-letter', ...argv], () => good({}), { desk });
  return { ...ran, closed: desk.closed };
}

describe('control: dead letters', () => {
  it('lists them by queue, with a hint when there are more', async () => {
    const desk = new FakeDesk([letter('a'), letter('b', { retries: 2 }), letter('c'), letter('d', { queue: 'other' })]);
    const all = await run(desk, 'list', '--queue', 'q', 'other');
    expect(all.out.split('\n').map((line) => line.split(/ +/)[0])).to.deep.equal(['id', 'a', 'b', 'c', 'd']);
    expect(all.out).to.match(/b +2026-11-21T08:45:10.947Z +q +m-b +2 +2 +not JSON/);
    expect({ err: all.err, closed: all.closed }).to.deep.equal({ err: '', closed: 1 });
    const some = await run(desk, 'list', '--queue', 'q', '--limit', '2', '--json');
    expect(JSON.parse(some.out)).to.have.length(2);
    expect(some.err).to.include('--limit');
    expect((await run(desk, 'list', '--queue', 'q', '--limit', '3')).err).to.equal('');
  });

  it('asks for the daemon’s three queues unless told', async () => {
    const desk = new FakeDesk([]);
    await run(desk, 'list', '--rabbit_queue_subscribe', 'events', '--rabbit_exchange_delay', 'later');
    expect(desk.asked).to.deep.equal(['bin-manager.flow-manager.request', 'events', 'later.stored']);
  });

  it('shows one whole, its secrets masked at every depth', async () => {
    const data = JSON.stringify({ deep: { deeper: { still: { password: 'hidden-1' } } }, url: 'amqp://u:hidden-2@h', x: 'kept' });
    const body = Buffer.from(JSON.stringify({ uri: '/v1/flows?token=hidden-3', data, authorization: 'hidden-4' }));
    const desk = new FakeDesk([letter('a', { body, headers: { 'x-token': 'hidden-5', 'x-n': 7 }, reply_to: 'answers' })]);
    for (const json of [[], ['--json']]) {
      const { out, code } = await run(desk, 'show', 'a', '--queue', 'q', ...json);
      expect(code).to.equal(0);
      expect(out).not.to.include('hidden');
      expect(out).to.include('kept').and.include('answers').and.include('x-n');
    }
    const bytes = await run(new FakeDesk([letter('a', { body: Buffer.from([255, 0]) })]), 'show', 'a', '--queue', 'q');
    expect(bytes.out).to.include('base64:/wA=');
  });

  it('sends back those that are named, or all, and says what stays', async () => {
    const letters = [letter('a'), letter('b'), letter('bad-c')];
    const named = new FakeDesk(letters);
    expect(await run(named, 'retry', 'b', '--queue', 'q')).to.include({ code: 0, out: 'sent back 1' });
    expect(named.retried).to.deep.equal(['b']);
    const all = new FakeDesk(letters);
    const { code, out, err } = await run(all, 'retry', '--all', '--queue', 'q');
    expect({ code, out, err }).to.deep.equal({ code: 1, out: 'sent back 2', err: 'bad-c stays: there is no queue q' });
  });

  it('says what is not there, and what makes no sense', async () => {
    const desk = new FakeDesk([letter('a')]);
    for (const verb of ['show', 'retry']) {
      const { code, err } = await run(desk, verb, 'nobody', '--queue', 'q');
      expect({ code, err }).to.deep.equal({ code: 1, err: 'error: no dead letter nobody of q' });
    }
    for (const argv of [['retry'], ['retry', 'a', '--all']]) expect((await run(desk, ...argv)).code).to.equal(2);
    const { code, err } = await run(desk, 'list', '--http', 'http://127.0.0.1:8080');
    expect(code).to.equal(2);
    expect(err).to.include('embedded').and.include('log');
  });
});
