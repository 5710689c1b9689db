import { expect } from 'chai';
import { parseHangupAfter, parseSpeed } from '../../../cmd/control/call.ts';
import { normalizeDashes } from '../../../pkg/config/argv.ts';
import { control, good } from './support.ts';

const nothing = () => good([]);

describe('control: the command line', () => {
  const saved = { ...process.env };
  afterEach(() => {
    for (const name of ['HTTP', 'RABBIT_ADDR', 'DBDSN', 'EMBEDDED']) {
      if (saved[name] === undefined) delete process.env[name];
      else process.env[name] = saved[name];
    }
  });

  it('takes one dash or two for known flags, and leaves values alone', () => {
    const names = ['rabbit_addr', 'dbDSN'];
    const argv = ['-rabbit_addr', 'x', '-dbDSN=-y', '--dbDSN', '-secret', '-h', '-1', '--', '-dbDSN'];
    expect(normalizeDashes(argv, names)).to.deep.equal([
      '--rabbit_addr',
      'x',
      '--dbDSN=-y',
      '--dbDSN',
      '-secret',
      '-h',
      '-1',
      '--',
      '-dbDSN',
    ]);
  });

  it('takes global flags before and after the command, with one dash', async () => {
    const before = await control(['-rabbit_addr', 'amqp://a', 'flow', 'list'], nothing);
    const after = await control(['flow', 'list', '-rabbit_addr=amqp://a', '-timeout', '70'], nothing);
    expect(before.connected[0]?.rabbit_addr).to.equal('amqp://a');
    expect(after.connected[0]).to.include({ rabbit_addr: 'amqp://a', timeout: 70 });
  });

  it('has the defaults of the original', async () => {
    const { connected } = await control(['flow', 'list'], nothing);
    expect(connected[0]).to.include({
      rabbit_addr: 'amqp://guest:guest@localhost:5672',
      rabbit_queue_listen: 'bin-manager.flow-manager.request',
    });
  });

  it('puts a flag before the environment, and the environment before the default', async () => {
    process.env.RABBIT_ADDR = 'amqp://env';
    process.env.HTTP = 'http://env';
    const env = await control(['flow', 'list'], nothing);
    expect(env.connected[0]).to.include({ rabbit_addr: 'amqp://env', http: 'http://env' });
    const flag = await control(['flow', 'list', '--rabbit_addr', 'amqp://flag'], nothing);
    expect(flag.connected[0]).to.include({ rabbit_addr: 'amqp://flag' });
    expect(flag.connected[0]).not.to.have.property('http');
  });

  it('shows no secret of the environment in its help', async () => {
    process.env.RABBIT_ADDR = 'amqp://user:hunter2@host';
    const { code, out } = await control(['--help'], nothing);
    expect(code).to.equal(0);
    expect(out).to.contain('RABBIT_ADDR').and.not.contain('hunter2');
  });

  it('ends with 2 when it is badly used', async () => {
    const lines = [
      ['nonsense'],
      ['flow'],
      ['flow', 'get'],
      ['flow', 'list', '--page_size', '0'],
      ['flow', 'list', '--typo'],
      ['flow', 'restore', 'id', 'first'],
      ['flow', 'create', 'missing.json'],
      ['flow', 'create', 'bad.json'],
      ['variable', 'set', 'id', 'novalue'],
      ['call'],
      ['call', '--flow', 'a', '--file', 'b'],
      ['call', '--flow', 'a', '--hangup-after', 'soon'],
      ['sandbox', '--only', 'nobody'],
      ['sandbox'],
    ];
    for (const argv of lines) {
      const { code, err } = await control(argv, nothing, { files: { 'bad.json': '{' } });
      expect(code, argv.join(' ')).to.equal(2);
      expect(err, argv.join(' ')).not.to.equal('');
    }
  });

  it('reads when to hang up and how fast to go', () => {
    expect(parseHangupAfter('3')).to.deep.equal({ actions: 3 });
    expect(parseHangupAfter('500ms')).to.deep.equal({ ms: 500 });
    expect(parseHangupAfter('1.5s')).to.deep.equal({ ms: 1500 });
    expect(parseSpeed('max')).to.equal(Number.POSITIVE_INFINITY);
    for (const bad of ['0', '1.5', '-1', '3m']) expect(() => parseHangupAfter(bad), bad).to.throw('expected');
    expect(() => parseSpeed('0')).to.throw('expected');
  });

  it('migrates what the flag names, whatever the environment names', async () => {
    process.env.EMBEDDED = '/env';
    expect((await control(['migrate'], nothing)).out).to.contain('ran 0001 in /env');
    expect((await control(['migrate', '-dbDSN', 'a@/b'], nothing)).out).to.contain('ran 0001 in a@/b');
    expect((await control(['migrate', '--json'], nothing)).out).to.equal('[\n  "0001 in /env"\n]');
  });
});
