/** The command line, as an operator's unit file has it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Daemon } from '../support/daemon.ts';

const SECRET = 'p4ssw0rd-nobody-may-see';

/** Command lines that cannot work, and what the message must name. */
const BAD: readonly (readonly [readonly string[], NodeJS.ProcessEnv, string])[] = [
  [['--no_such_flag=1'], {}, 'no_such_flag'],
  [['-redis_db=two'], {}, 'redis_db'],
  [[], { REDIS_DB: 'two' }, 'REDIS_DB'],
  [['--sandbox'], {}, 'sandbox'],
  [['--prom_listen_addr=nowhere'], {}, '--prom_listen_addr'],
  [['--prom_endpoint=metrics'], {}, '--prom_endpoint'],
  [[`--rabbit_addr=amqp://user:${SECRET}@host:port`], {}, '--rabbit_addr'],
  [[], { RABBIT_ADDR: `http://user:${SECRET}@host` }, 'RABBIT_ADDR'],
  [['--redis_addr=host:many:colons'], {}, '--redis_addr'],
  [['--http_public_url=flow.example.com'], {}, '--http_public_url'],
  [[`--http_jwks_url=https://user:${SECRET}@id.example.com/keys`], {}, '--http_jwks_url'],
  [['--http_listen_addr=nowhere', '--prom_listen_addr=127.0.0.1:0', '--embedded=.services/flags'], {}, '--http_listen_addr'],
  [[`--subscription_secret_key=${SECRET}`], {}, '--subscription_secret_key'],
  [['--log_level=loud'], {}, 'log_level'],
  [[`--dbDSN=user:${SECRET}@tcp(127.0.0.1:1)/d?bogus=1`, '--prom_listen_addr=127.0.0.1:0'], {}, 'bogus'],
  [['surplus'], {}, 'argument'],
];

describe('the command line', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flow-flags-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('takes one dash and two, and the environment', async function () {
    this.timeout(20_000);
    const argv = ['-embedded', folder, '-http_listen_addr=127.0.0.1:0', '--prom_endpoint', '/figures'];
    const daemon = Daemon.spawn(argv, { PROM_LISTEN_ADDR: '127.0.0.1:0', PROM_ENDPOINT: '/not-these', LOG_LEVEL: 'debug' });
    const line = await daemon.ready;
    expect(line)
      .to.include(folder)
      .and.match(/http at 127\.0\.0\.1:\d+, metrics at 127\.0\.0\.1:\d+\/figures$/);
    const figures = await fetch(`http://${/metrics at (\S+)/.exec(line)?.[1]}`);
    expect(await figures.text()).to.include('flow_manager_activeflow_running 0');
    expect((await daemon.stop()).code).to.equal(0);
  });

  it('ends with 2 and a message that names what is wrong with it', async function () {
    this.timeout(30_000);
    await Promise.all(
      BAD.map(async ([argv, env, named]) => {
        const daemon = Daemon.spawn(argv, env);
        const { code } = await daemon.exited;
        const what = `${argv.join(' ')} ${JSON.stringify(env)}`;
        expect(daemon.stderr, what).to.include(named);
        expect(code, `${what}: ${daemon.stderr}`).to.equal(2);
        expect(daemon.stdout + daemon.stderr).not.to.include(SECRET);
      }),
    );
  });

  it('shows no secret, however much it logs', async function () {
    this.timeout(20_000);
    const daemon = Daemon.spawn([
      `--dbDSN=user:${SECRET}@tcp(127.0.0.1:1)/d`,
      `--rabbit_addr=amqp://user:${SECRET}@127.0.0.1:1`,
      '--redis_addr=127.0.0.1:1',
      `--redis_password=${SECRET}`,
      '--prom_listen_addr=127.0.0.1:0',
      '--log_level=debug',
    ]);
    await new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (!/waiting for database/.test(daemon.stderr)) return;
        clearInterval(look);
        resolve();
      }, 50);
    });
    await daemon.stop();
    expect(daemon.stderr).to.include('waiting for database').and.include('127.0.0.1:1');
    expect(daemon.stdout + daemon.stderr).not.to.include(SECRET);
  });

  it('shows every flag of the original with its default', async function () {
    this.timeout(20_000);
    const daemon = Daemon.spawn(['--help']);
    expect((await daemon.exited).code).to.equal(0);
    for (const name of [
      'dbDSN',
      'prom_endpoint',
      'prom_listen_addr',
      'rabbit_addr',
      'rabbit_exchange_delay',
      'rabbit_queue_event',
    ]) {
      expect(daemon.stdout).to.include(`--${name} `);
    }
    for (const shown of [
      'rabbit_queue_listen',
      'redis_addr',
      'redis_db',
      'redis_password',
      ':2112',
      'bin-manager.flow-manager.request',
    ]) {
      expect(daemon.stdout).to.include(shown);
    }
  });
});
